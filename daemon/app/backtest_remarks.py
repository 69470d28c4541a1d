"""What a reader of a backtest must know beside its figures, in sentences."""

from collections.abc import Iterator
from dataclasses import replace

from daemon.core.candles import MINUTE_MS
from daemon.core.collector import NEWEST_MAX
from daemon.core.events import SignalClosed
from daemon.core.moments import finite_or_none
from daemon.core.pnl import profit_loss
from daemon.core.statistics import BacktestStatistics
from daemon.core.wording import count_text
from daemon.reports.backtest import BacktestRemarks
from daemon.research.columns import Minutes, moment_text
from daemon.research.result import BacktestResult, LaneResult


def trades_of(stats: BacktestStatistics) -> list[SignalClosed]:
    """Return the trades that a record lists, oldest first."""
    return list(reversed(stats.signal_list))


SIGNALS_MAX = 100_000
"""The newest so many signals of a run are kept for its JSON and its page; the figures cover all."""


def shortened(stats: BacktestStatistics) -> BacktestStatistics:
    """Return `stats` with as many signals as a person reads; the figures cover all."""
    return replace(stats, signal_list=stats.signal_list[:NEWEST_MAX])


def held_percent(result: BacktestResult, minutes: Minutes) -> float | None:
    """Return the PnL, after costs, of one long position held over the whole frame.

    None where the frame holds no candle, and for a run that did not come to its end.
    """
    first = max(0, (result.start_ms - minutes.start_ms) // MINUTE_MS)
    stop = min(len(minutes), (result.end_ms - minutes.start_ms) // MINUTE_MS)
    if stop <= first or not result.is_complete:
        return None
    opened, closed = float(minutes.open[first]), float(minutes.close[stop - 1])
    return finite_or_none(profit_loss("long", opened, closed, result.rules).pnl_percentage)


def remarks_of(result: BacktestResult, lane: LaneResult) -> BacktestRemarks:
    """Return the remarks of one (symbol, strategy) of a run."""
    return BacktestRemarks(
        ambiguous_bar_count=lane.ambiguous_bar_count,
        worst_case=lane.worst_case,
        lines=tuple(_lines(result, lane)),
    )


def _lines(result: BacktestResult, lane: LaneResult) -> Iterator[str]:
    if not result.is_complete:
        yield "This run was ended before its time: the figures cover what there was by then."
    yield (
        f"{lane.key.symbol}, frame {result.frame_name} from {moment_text(result.start_ms)} to "
        f"{moment_text(result.end_ms)} by {result.interval}: asked "
        f"{count_text(lane.ask_count, 'time')}, {count_text(lane.opened_count, 'signal')} opened, "
        f"{lane.cancelled_count:,} cancelled while they waited, {lane.refused_count:,} refused by "
        "risk."
    )
    if lane.data.filled_count:
        stand = "stands" if lane.data.filled_count == 1 else "stand"
        missing = count_text(lane.data.filled_count, "missing minute")
        yield f"{missing} {stand} flat, with volume 0."
    if not lane.ask_count and result.is_complete:
        yield (
            "The strategy was never asked: no moment of the frame was its turn with a price and all"
            " the candles that it declares before it. Take a longer frame, or earlier candles."
        )
    elif not lane.opened_count and result.is_complete:
        yield _silence(lane)
    if lane.warm_up_moments and (lane.ask_count or not result.is_complete):
        many = f"{lane.warm_up_moments:,} moments were"
        passed = "moment was" if lane.warm_up_moments == 1 else many
        yield (
            f"The first {passed} passed over: before the data hold a price and all candles that"
            " the strategy declares."
        )
    for count in lane.error_counts:
        first = next(
            error
            for error in lane.first_errors
            if (error.where, error.error) == (count.where, count.error)
        )
        times = "once" if count.count == 1 else f"{count.count:,} times"
        yield (
            f"{count.where} failed {times} with {count.error}, first at "
            f"{moment_text(first.at_ms)}: {first.message}"
        )
    if lane.is_given_up:
        yield "The strategy did not come back several times in a row, and was asked no more."


def _silence(lane: LaneResult) -> str:
    """Return why no position was opened, as far as it is known."""
    asked = count_text(lane.ask_count, "call")
    failed = sum(count.count for count in lane.error_counts)
    told = [
        text
        for count, text in (
            (lane.cancelled_count, f"{lane.cancelled_count:,} cancelled while they waited"),
            (lane.refused_count, f"{lane.refused_count:,} refused by risk"),
            (failed, count_text(failed, "error")),
        )
        if count
    ]
    rest = f": {', '.join(told)}" if told else ": get_signal always answered with none"
    return f"No position was opened in {asked} of the strategy{rest}."
