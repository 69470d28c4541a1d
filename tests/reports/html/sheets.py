"""Sheets for tests of pages, that name only what matters."""

from collections.abc import Sequence
from dataclasses import replace

from daemon.core.events import SignalClosed
from daemon.core.rules import Rules
from daemon.core.statistics import backtest_statistics
from daemon.reports.html.sheets import Bars, LaneSheet, RunSheet
from tests.core.some_events import AT_MS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def some_bars(count: int = 48) -> Bars:
    return Bars(
        interval="1h",
        at_ms=[AT_MS + number * HOUR_MS for number in range(count)],
        open=[100.0] * count,
        high=[103.0] * count,
        low=[97.0] * count,
        close=[101.0] * count,
    )


def a_lane(closed: Sequence[SignalClosed], symbol: str = "BTC/USDT") -> LaneSheet:
    stats = backtest_statistics(closed)
    return LaneSheet(
        symbol=symbol,
        strategy_name="breakout",
        figures=stats,
        trades=closed,
        trades_total=len(closed),
        bars=some_bars(),
    )


def a_run(*lanes: LaneSheet) -> RunSheet:
    return RunSheet(
        title="Backtest: breakout",
        subtitle="two days",
        start_ms=AT_MS,
        end_ms=AT_MS + 2 * DAY_MS,
        rules=Rules(),
        lanes=lanes,
    )


def noted(event: SignalClosed, note: str) -> SignalClosed:
    return replace(event, signal=replace(event.signal, note=note))
