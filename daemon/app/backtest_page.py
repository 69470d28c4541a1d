"""A backtest's result as the page that people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from daemon.app.backtest_remarks import held_percent, remarks_of, trades_of
from daemon.core.candles import INTERVAL_MS
from daemon.core.equity import Account, AtrAt
from daemon.core.events import SignalClosed
from daemon.core.rules import Rules
from daemon.core.sizing import ATR_PERIOD, average_true_range
from daemon.core.statistics import BacktestStatistics
from daemon.reports.html.sheets import Bars, Facts, LaneSheet, RunSheet, WorstCase
from daemon.research.columns import Minutes, moment_text
from daemon.research.market import aggregate_columns
from daemon.research.result import BacktestResult, LaneResult

BARS_MAX = 2_500
"""More candles than this are neither told apart on a screen nor drawn by a phone in time."""

ATR_INTERVAL = "1h"
ATR_CANDLES_MAX = 10 * ATR_PERIOD
"""Wilder's average forgets: what is older weighs less than a thousandth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """What a page tells of a lane beside its result."""

    minutes: Minutes
    source: str
    parameters: Mapping[str, object]
    account: Account | None = None


def page_of(result: BacktestResult, lanes: Sequence[LaneFacts]) -> RunSheet:
    """Return the page of `result`; `lanes` are the facts of its lanes, in order."""
    names = list(dict.fromkeys(lane.key.strategy_name for lane in result.lanes))
    span = f"{moment_text(result.start_ms)} to {moment_text(result.end_ms)}"
    remarks = []
    if not result.is_complete:
        remarks.append("This run was ended before its time: what follows covers what there was.")
    return RunSheet(
        title=f"Backtest: {', '.join(names)}",
        subtitle=span,
        start_ms=result.start_ms,
        end_ms=result.end_ms,
        rules=result.rules,
        lanes=[_lane(result, *pair) for pair in zip(result.lanes, lanes, strict=True)],
        settings=_settings(result),
        remarks=remarks,
    )


def atr_of(minutes: Minutes) -> AtrAt:
    """Return a teller of the average true range of an hour, known when a position opened."""
    table = aggregate_columns(minutes, ATR_INTERVAL)

    def atr_at(event: SignalClosed) -> float | None:
        count = table.closed_before(event.signal.pending_at)
        limit = min(count, ATR_CANDLES_MAX)
        return average_true_range(table.window(count, limit)) if limit > ATR_PERIOD else None

    return atr_at


def bars_of(minutes: Minutes, frame: tuple[int, int]) -> Bars | None:
    """Return the candles of `frame` (from, to, UTC epoch ms), as fine as can be looked at.

    None where not even one candle is whole.
    """
    start_ms, end_ms = max(frame[0], minutes.start_ms), min(frame[1], minutes.end_ms)
    interval = next(
        (name for name, ms in INTERVAL_MS.items() if (end_ms - start_ms) / ms <= BARS_MAX), "1d"
    )
    table = aggregate_columns(minutes, interval)
    first = max(0, -(-(start_ms - table.start_ms) // table.length_ms))
    stop = table.closed_before(end_ms)
    if stop <= first:
        return None
    at_ms, opened, high, low, close, _ = (column[first:stop] for column in table.columns)
    return Bars(
        interval=interval,
        at_ms=[int(at) for at in at_ms],
        open=opened,
        high=high,
        low=low,
        close=close,
    )


def _lane(result: BacktestResult, lane: LaneResult, known: LaneFacts) -> LaneSheet:
    worst = lane.worst_case
    return LaneSheet(
        symbol=lane.key.symbol,
        strategy_name=lane.key.strategy_name,
        figures=lane.statistics,
        trades=trades_of(lane.statistics),
        trades_total=lane.statistics.total_signals,
        worst_case=None if worst is None else _worst_case(worst),
        ambiguous_bar_count=lane.ambiguous_bar_count,
        counts=_counts(lane),
        # The first line tells what stands in the tables of the page.
        remarks=[
            line for line in remarks_of(result, lane).lines if not line.startswith(lane.key.symbol)
        ],
        parameters=[(name, str(value)) for name, value in known.parameters.items()],
        data=_data(lane, known),
        bars=bars_of(known.minutes, (result.start_ms, result.end_ms)),
        account=known.account,
        held_percent=held_percent(result, known.minutes),
    )


def _worst_case(worst: BacktestStatistics) -> WorstCase:
    return WorstCase(
        figures=worst,
        trades=trades_of(worst),
        is_whole=len(worst.signal_list) == worst.total_signals,
    )


def _counts(lane: LaneResult) -> Facts:
    return [
        ("Times asked", f"{lane.ask_count:,}"),
        ("Signals opened", f"{lane.opened_count:,}"),
        ("Cancelled while they waited", f"{lane.cancelled_count:,}"),
        ("Refused by risk", f"{lane.refused_count:,}"),
        ("Ambiguous bars", f"{lane.ambiguous_bar_count:,}"),
        ("Errors", f"{sum(count.count for count in lane.error_counts):,}"),
    ]


def _data(lane: LaneResult, known: LaneFacts) -> Facts:
    data = lane.data
    return [
        ("Source", known.source),
        ("Exchange", lane.key.exchange_name),
        ("From", moment_text(data.start_ms)),
        ("To", moment_text(data.end_ms)),
        ("Minutes", f"{data.minute_count:,}"),
        ("Filled flat", f"{data.filled_count:,}"),
        ("Fingerprint", data.fingerprint),
    ]


def _settings(result: BacktestResult) -> Facts:
    rules: Rules = result.rules
    names = [field.name for field in fields(Rules)]
    return [(name, f"{getattr(rules, name)}") for name in names]
