"""The index leaves out repeats, and nothing else."""

from daemon.core.candles import Candle
from daemon.core.journal_index import JournalIndex
from daemon.core.records import CandleEntry, CommandEntry, JournalEntry, TransitionEntry
from daemon.core.signal import Key

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="breakout")


def a_write(seq: int, key: Key = KEY) -> TransitionEntry:
    return TransitionEntry(key=key, events=(), at_ms=1, file="signal", seq=seq)


def a_candle(timestamp: int, symbol: str = "BTC/USDT") -> CandleEntry:
    return CandleEntry(symbol=symbol, candle=Candle(timestamp, 1.0, 1.0, 1.0, 1.0, 1.0))


def test_a_write_is_known_once_it_or_a_later_one_was_noted() -> None:
    index = JournalIndex()
    index.note(a_write(5), 1)

    known = [index.is_known(a_write(seq)) for seq in (4, 5, 6)]

    assert known == [True, True, False]


def test_files_and_keys_are_counted_apart() -> None:
    index = JournalIndex()
    index.note(a_write(5), 1)
    schedule = TransitionEntry(key=KEY, events=(), at_ms=1, file="schedule", seq=1)
    other = a_write(1, Key(exchange_name="sandbox", symbol="ETH/USDT", strategy_name="breakout"))

    assert not index.is_known(schedule)
    assert not index.is_known(other)


def test_a_candle_is_known_until_a_later_minute_comes() -> None:
    index = JournalIndex()
    index.note(a_candle(60_000), 1)

    known = [index.is_known(a_candle(stamp)) for stamp in (0, 60_000, 120_000)]

    assert known == [True, True, False]
    assert not index.is_known(a_candle(0, "ETH/USDT"))


def test_events_without_a_file_and_commands_are_never_repeats() -> None:
    index = JournalIndex()
    error = TransitionEntry(key=KEY, events=(), at_ms=1)
    command = CommandEntry(command="stop", target="BTC/USDT", origin="cli", at_ms=1)
    entries: list[JournalEntry] = [error, error, command, command]

    assert index.news(entries) == entries


def test_repeats_within_one_batch_are_left_out() -> None:
    index = JournalIndex()

    fresh = index.news([a_write(1), a_write(1), a_candle(60_000), a_candle(60_000), a_write(2)])

    assert fresh == [a_write(1), a_candle(60_000), a_write(2)]
    assert index.sequences == {}
