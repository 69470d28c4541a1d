"""A backtest's result as a page: its candles, its ranges, its facts."""

from dataclasses import replace

import pytest

from daemon.app.backtest_page import BARS_MAX, LaneFacts, atr_of, bars_of, page_of
from daemon.core.candles import DAY_MS, MINUTE_MS, Candle
from daemon.core.events import ErrorContract
from daemon.core.rules import Rules
from daemon.core.statistics import backtest_statistics
from daemon.reports.html.page import render_page
from daemon.research.columns import Minutes, minutes_of
from daemon.research.result import BacktestResult, DataFacts, ErrorCount, LaneResult
from tests.core.some_events import KEY
from tests.core.trades import a_trade, trades

START_MS = 1_767_225_600_000


def flat_minutes(count: int, start_ms: int = START_MS) -> Minutes:
    return minutes_of(
        [Candle(start_ms + n * MINUTE_MS, 100.0, 102.0, 98.0, 100.0, 1.0) for n in range(count)]
    )


def a_result(*, is_complete: bool = True) -> BacktestResult:
    stats = backtest_statistics(trades(1.0, -2.0))
    lane = LaneResult(
        key=KEY,
        statistics=stats,
        ask_count=10,
        opened_count=2,
        cancelled_count=1,
        refused_count=3,
        ambiguous_bar_count=1,
        warm_up_moments=4,
        is_given_up=False,
        error_counts=(ErrorCount(where="get_signal", error="ZeroDivisionError", count=5),),
        first_errors=(
            ErrorContract(
                id="e",
                key=KEY,
                where="get_signal",
                error="ZeroDivisionError",
                message="<b>",
                at_ms=1,
            ),
        ),
        data=DataFacts(
            start_ms=START_MS,
            end_ms=START_MS + DAY_MS,
            minute_count=1440,
            filled_count=7,
            fingerprint="f00d",
        ),
        worst_case=backtest_statistics(trades(-1.0, -2.0)),
    )
    return BacktestResult(
        frame_name="day",
        interval="1m",
        start_ms=START_MS,
        end_ms=START_MS + DAY_MS,
        is_complete=is_complete,
        rules=Rules(),
        lanes=(lane,),
    )


@pytest.mark.parametrize(("days", "interval"), [(1, "1m"), (3, "3m"), (30, "30m")])
def test_candles_are_as_fine_as_can_be_looked_at(days: int, interval: str) -> None:
    minutes = flat_minutes(days * 1440)

    bars = bars_of(minutes, (minutes.start_ms, minutes.end_ms))

    assert bars is not None
    assert bars.interval == interval
    assert len(bars.at_ms) == len(bars.close) <= BARS_MAX


def test_candles_are_those_of_the_frame() -> None:
    bars = bars_of(flat_minutes(600), (START_MS + 60 * MINUTE_MS, START_MS + 120 * MINUTE_MS))

    assert bars is not None
    assert bars.at_ms[0] == START_MS + 60 * MINUTE_MS
    assert bars.at_ms[-1] == START_MS + 119 * MINUTE_MS
    assert bars_of(flat_minutes(60), (START_MS, START_MS)) is None


def test_the_range_of_an_hour_is_told_once_fifteen_are_over() -> None:
    atr_at = atr_of(flat_minutes(60 * 20))

    def opened_after(hours: int) -> float | None:
        event = a_trade(1.0)
        at_ms = START_MS + hours * 60 * MINUTE_MS
        return atr_at(replace(event, signal=replace(event.signal, pending_at=at_ms)))

    assert opened_after(14) is None
    assert opened_after(15) == pytest.approx(4.0)


def test_a_page_says_what_a_reader_must_know() -> None:
    facts = LaneFacts(minutes=flat_minutes(1440), source="btc.csv", parameters={"fast": 10})

    run = page_of(a_result(is_complete=False), [facts])

    page = render_page(run)
    assert "ended before its time" in page
    assert "7 missing minutes stand flat" in page
    assert "get_signal failed 5 times with ZeroDivisionError" in page
    assert "&lt;b&gt;" in page
    assert "<dd>btc.csv</dd>" in page
    assert "<dd>f00d</dd>" in page
    assert "<dt>fast</dt><dd>10</dd>" in page
    assert "worst case -3.00%" in page
    assert run.lanes[0].held_percent is None, "it was not held to the end"
    assert run.lanes[0].worst_case is not None
    assert run.lanes[0].worst_case.is_whole
