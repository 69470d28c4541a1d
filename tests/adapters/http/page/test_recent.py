"""The page's memory: the newest of everything, in order, once, and never without a bound."""

from daemon.adapters.http.page.recent import HAPPENINGS_MAX, LINES_MAX, MINUTES_MAX, Recent
from daemon.core.candles import Candle
from daemon.core.events import SignalIdle
from daemon.core.records import Journaled
from tests.adapters.storage.samples import KEY, a_candle, a_closed, a_write, an_opened


def a_minute(number: int) -> Candle:
    return Candle(number * 60_000, 1.0, 2.0, 0.5, 1.5, 3.0)


def test_it_is_told_of_what_happened_and_not_of_quiet_ticks() -> None:
    recent = Recent()

    assert recent.wants(an_opened())
    assert not recent.wants(SignalIdle(key=KEY, current_price=1.0, at_ms=1))


async def test_what_happened_is_told_from_a_number_on() -> None:
    recent = Recent()
    await recent.send([an_opened(number=1), an_opened(number=2)])
    first, second = recent.happenings()

    assert first.told["name"] == "signal_opened"
    assert recent.happenings(first.number) == [second]
    assert recent.happenings(second.number) == []


def test_a_close_is_a_trade_once() -> None:
    recent = Recent()
    recent.take(a_closed())
    recent.take(a_closed())

    (close,) = recent.closes
    assert close["pnl_percent"] == 1.5
    assert close["reason"] == "take_profit"


def test_nothing_grows_without_a_bound() -> None:
    recent = Recent()
    for number in range(2 * MINUTES_MAX):
        recent.on_line(f"line {number}")
        recent.on_minute("BTC/USDT", a_minute(number))
        recent.take(an_opened(number=number + 1))

    assert len(recent.happenings()) == HAPPENINGS_MAX
    assert len(recent.lines()) == LINES_MAX
    assert len(recent.minutes("BTC/USDT")) == MINUTES_MAX
    assert recent.lines()[-1].told == {"line": f"line {2 * MINUTES_MAX - 1}"}


def test_colours_of_a_terminal_are_no_text() -> None:
    recent = Recent()
    recent.on_line("\x1b[31mred\x1b[0m")

    assert recent.lines()[0].told == {"line": "red"}


def test_a_minute_comes_once_and_in_order() -> None:
    recent = Recent()
    for number in (1, 2, 2, 1, 3):
        recent.on_minute("A/B", a_minute(number))

    assert [row.timestamp for row in recent.minutes("A/B")] == [60_000, 120_000, 180_000]
    assert recent.minutes("C/D") == []


def test_what_the_journal_knows_comes_before_what_came_since() -> None:
    recent = Recent()
    recent.take(a_closed(number=3))
    recent.on_minute("BTC/USDT", a_minute(2))
    entries = [
        Journaled(number=1, entry=a_candle(1)),
        Journaled(number=2, entry=a_candle(2)),
        Journaled(number=3, entry=a_write(1, an_opened(number=1))),
        Journaled(number=4, entry=a_write(2, a_closed(number=3))),
    ]

    recent.remember([a_closed(number=1), a_closed(number=3)], entries)

    assert [close["id"] for close in recent.closes] == [
        a_closed(number=1).signal.id,
        a_closed(number=3).signal.id,
    ]
    assert [each.told["name"] for each in recent.happenings()] == ["signal_opened", "signal_closed"]
    assert [row.timestamp for row in recent.minutes("BTC/USDT")] == [60_000, 120_000]
    recent.take(a_closed(number=1))
    assert len(recent.closes) == 2
