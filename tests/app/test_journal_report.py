"""What a journal tells of live strategies."""

from dataclasses import replace

from daemon.app.journal_report import (
    Scope,
    bars_of_candles,
    gather_journal,
    page_of_journal,
    report_files,
    report_record,
)
from daemon.core.candles import Candle
from daemon.core.events import Transition
from daemon.core.records import CandleEntry, Journaled, JournalEntry, RunEntry, TransitionEntry
from daemon.core.rules import Rules
from tests.core.some_events import AT_MS, KEY, a_closed, a_row, a_scheduled, an_opened
from tests.core.trades import a_key

MINUTE_MS = 60_000


def journal(*told: Transition | RunEntry | CandleEntry) -> list[Journaled]:
    entries: list[JournalEntry] = [
        each
        if isinstance(each, RunEntry | CandleEntry)
        else TransitionEntry(key=KEY, events=(each,), at_ms=AT_MS)
        for each in told
    ]
    return [Journaled(number=number, entry=entry) for number, entry in enumerate(entries, 1)]


def a_candle(minute: int) -> CandleEntry:
    price = 100.0 + minute
    candle = Candle(AT_MS + minute * MINUTE_MS, price, price + 1, price - 1, price, 2.0)
    return CandleEntry(symbol="BTC/USDT", candle=candle)


def test_all_statistics_come_from_the_events() -> None:
    report = gather_journal(
        journal(
            RunEntry(version="1", config_hash="x", at_ms=AT_MS),
            a_scheduled(),
            an_opened(),
            a_closed(pnl_percent=1.5),
            replace(a_closed(pnl_percent=-0.5), key=a_key("ETH/USDT")),
        ),
        Scope(),
        with_candles=False,
    )

    live = report_record(report)["live"]
    assert isinstance(live, dict)
    assert isinstance(live["breakout"], dict)
    assert live["breakout"]["total_closed"] == 2
    assert len(report.keys) == 2
    (breakout,) = report.strategies.values()
    assert breakout.heat.statistics().total_symbols == 2
    assert breakout.live.statistics().total_pnl == 1.0
    assert breakout.schedule.statistics().total_scheduled == 1


def test_a_scope_leaves_out_what_was_not_asked_for() -> None:
    entries = journal(a_closed(), replace(a_closed(), key=a_key("ETH/USDT")), a_candle(0))

    for scope, count in (
        (Scope(symbols=["ETH/USDT"]), 1),
        (Scope(strategies=["breakout"]), 2),
        (Scope(strategies=["other"]), 0),
        (Scope(start_ms=a_closed().at_ms + 1), 0),
        (Scope(end_ms=a_closed().at_ms), 0),
    ):
        assert len(gather_journal(entries, scope, with_candles=True).keys) == count, scope


def test_the_reports_have_the_places_of_each_kind() -> None:
    report = gather_journal(journal(a_scheduled(), a_closed()), Scope(), with_candles=False)

    files = dict(report_files(report, with_notes=True))

    assert sorted(files) == [
        "heatmap/breakout.md",
        "live/breakout.md",
        "partial/BTC%2FUSDT_breakout.md",
        "risk/BTC%2FUSDT_breakout.md",
        "schedule/breakout.md",
    ]
    assert files["live/breakout.md"].startswith("# Live Trading Report: breakout")
    assert "a note" in files["live/breakout.md"]


def test_the_page_has_the_trades_and_the_candles_of_the_journal() -> None:
    closed = replace(a_closed(), signal=a_row())
    report = gather_journal(
        journal(*(a_candle(minute) for minute in range(3)), closed), Scope(), with_candles=True
    )

    page = page_of_journal(report, Rules(), "dump/sandbox-signal")

    (lane,) = page.lanes
    assert list(lane.trades) == [closed]
    assert lane.bars is not None
    assert lane.bars.interval == "1m"
    assert list(lane.bars.close) == [100.0, 101.0, 102.0]


def test_many_minutes_are_drawn_as_wider_candles() -> None:
    candles = [a_candle(minute).candle for minute in range(6_000)]

    bars = bars_of_candles(candles)

    assert bars is not None
    assert bars.interval == "3m"
    assert bars.at_ms[1] - bars.at_ms[0] == 3 * MINUTE_MS
    assert max(bars.high) == candles[-1].high
    assert bars_of_candles([]) is None
