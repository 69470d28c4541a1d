"""What a reader of a backtest must know beside its figures, in sentences."""

from collections.abc import Iterator

from daemon.core.events import SignalClosed
from daemon.core.statistics import BacktestStatistics
from daemon.reports.backtest import BacktestRemarks
from daemon.research.columns import moment_text
from daemon.research.result import BacktestResult, LaneResult


def trades_of(stats: BacktestStatistics) -> list[SignalClosed]:
    """Return the trades that a record lists, oldest first."""
    return list(reversed(stats.signal_list))


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
        f"{moment_text(result.end_ms)} by {result.interval}: asked {lane.ask_count:,} times, "
        f"{lane.opened_count:,} signals opened, {lane.cancelled_count:,} cancelled while they "
        f"waited, {lane.refused_count:,} refused by risk."
    )
    if lane.data.filled_count:
        yield f"{lane.data.filled_count:,} missing minutes stand flat, with volume 0."
    if not lane.ask_count and result.is_complete:
        yield (
            "The strategy was never asked: no moment of the frame was its turn with a price and all"
            " the candles that it declares before it. Take a longer frame, or earlier candles."
        )
    elif lane.warm_up_moments:
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
