"""What a search for parameters comes to, as records: times are UTC epoch ms, PnL in percent points.

A search tries sets of parameters on a train range and shows the best of them on a test range that
they have not seen; a walk-forward does so window after window.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from daemon.core.errors import RejectedError
from daemon.core.moments import moments_of
from daemon.core.overfitting import (
    OverfittingEstimate,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probability_of_backtest_overfitting,
    sharpe_sample,
)
from daemon.core.statistics import BacktestStatistics
from daemon.core.walker_statistics import WalkerMetric, metric_value
from daemon.core.wording import count_text

SLICES = 240
"""Each range is cut into so many equal slices, whose PnL tells how likely luck is."""

PARTITIONS = 12
"""The slices are split into halves in all ways that so many parts allow."""

Value = str | int | float | bool


class StudyError(RejectedError, ValueError):
    """The file of a search cannot be used; the text is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchWindow:
    """A range to search on, and the one after it to judge on; both ends are inclusive.

    Without a test range its times are None.
    """

    number: int
    train_start_ms: int
    train_end_ms: int
    test_start_ms: int | None
    test_end_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a set of parameters fared on one range; what the sample cannot carry is None."""

    metric_value: float | None
    total_signals: int
    win_rate: float | None
    avg_pnl: float | None
    total_pnl: float | None
    sharpe_ratio: float | None
    max_drawdown: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """What an evaluation came to: a score, or the error why there is none.

    `error_count` calls went wrong in it, each of which cost its moment alone.
    """

    score: Score | None
    slice_pnl: tuple[float, ...]
    error: str = ""
    error_count: int = 0

    @property
    def value(self) -> float | None:
        """Return what the search maximises, None where there is nothing to judge by."""
        return None if self.score is None else self.score.metric_value


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """A trial as its storage has it: `record` is None while it is not finished."""

    number: int
    params: Mapping[str, Value]
    record: TrialRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTrial:
    """A trial beside its test; `test` is there for the best ones only.

    `error_count` calls went wrong on the train range; `error` says why there is no result at all.
    """

    number: int
    params: Mapping[str, Value]
    train: Score | None
    test: Score | None
    error: str
    error_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """How likely the best trial owes its place to luck.

    `sharpe_ratio` is the winner's per slice of the range, `expected_maximum` what the best of
    `distinct_count` trials without any skill would show. `deflated_sharpe_ratio` is the
    probability (0..1) that the winner's is more than that luck. None where a sample is too small.
    """

    trial_count: int
    distinct_count: int
    sharpe_ratio: float | None
    expected_maximum: float | None
    deflated_sharpe_ratio: float | None
    overfitting: OverfittingEstimate | None


def told_of_faults(trials: Sequence[SearchTrial]) -> list[str]:
    """Return in words which trials came to nothing, and in how many calls went wrong."""
    told = []
    failed = [trial for trial in trials if trial.error]
    if failed:
        told.append(f"{count_text(len(failed), 'trial')} failed, the first with: {failed[0].error}")
    count = sum(bool(trial.error_count) for trial in trials)
    if count:
        most = max(trials, key=lambda trial: trial.error_count)
        told.append(
            f"In {count:,} of {len(trials):,} trials calls of the strategy went wrong, most in "
            f"number {most.number} ({most.error_count:,}): a backtest with its parameters says why."
        )
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowResult:
    """What one window came to: its trials in order, the number of the best one, and its luck."""

    window: SearchWindow
    is_complete: bool
    trials: tuple[SearchTrial, ...]
    best: int | None
    luck: Luck


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfSample:
    """What the winners came to on the test ranges, one after the other."""

    window_count: int
    total_signals: int
    total_pnl: float
    sharpe_ratio_of_slices: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search came to. No durations are in it; `is_complete` is false until its end."""

    search_name: str
    strategy_name: str
    symbol: str
    exchange_name: str
    metric: WalkerMetric
    seed: int
    trial_count: int
    is_complete: bool
    data_fingerprint: str
    windows: tuple[WindowResult, ...]
    out_of_sample: OutOfSample | None


def score_of(stats: BacktestStatistics, metric: WalkerMetric) -> Score:
    """Return what a search keeps of a backtest."""
    return Score(
        metric_value=metric_value(stats, metric),
        total_signals=stats.total_signals,
        win_rate=stats.win_rate,
        avg_pnl=stats.avg_pnl,
        total_pnl=stats.total_pnl,
        sharpe_ratio=stats.sharpe_ratio,
        max_drawdown=stats.max_drawdown,
    )


def ranked(trials: Sequence[StoredTrial]) -> list[StoredTrial]:
    """Return the distinct trials that have a value, the best first; of equals the first one."""
    judged = [trial for trial in distinct(trials) if _value(trial) is not None]
    return sorted(judged, key=lambda trial: -(_value(trial) or 0.0))


def distinct(trials: Sequence[StoredTrial]) -> Iterator[StoredTrial]:
    """Yield the first trial of each set of parameters."""
    seen = set[tuple[tuple[str, str], ...]]()
    for trial in trials:
        key = params_key(trial.params)
        if key not in seen:
            seen.add(key)
            yield trial


def params_key(params: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    """Return what tells sets of parameters apart."""
    return tuple((name, repr(value)) for name, value in sorted(params.items()))


def luck_of(trials: Sequence[StoredTrial]) -> Luck:
    """Return how likely the best of `trials` is luck."""
    judged = [trial for trial in distinct(trials) if trial.record is not None]
    slices = [trial.record.slice_pnl for trial in judged if trial.record is not None]
    # A trial without any trade was a try, too: its Sharpe ratio is 0.
    samples = [sharpe_sample(each) for each in slices]
    ratios = [sample.sharpe_ratio if sample else 0.0 for sample in samples]
    best = next(iter(ranked(judged)), None)
    sample = sharpe_sample(best.record.slice_pnl) if best and best.record else None
    deviation = moments_of(ratios).deviation if ratios else None
    return Luck(
        trial_count=sum(trial.record is not None for trial in trials),
        distinct_count=len(judged),
        sharpe_ratio=sample.sharpe_ratio if sample else None,
        expected_maximum=(
            None
            if deviation is None
            else expected_maximum_sharpe(len(ratios), deviation * deviation)
        ),
        deflated_sharpe_ratio=deflated_sharpe_ratio(sample, ratios) if sample else None,
        overfitting=probability_of_backtest_overfitting(slices, partitions=PARTITIONS),
    )


def out_of_sample(tests: Sequence[TrialRecord]) -> OutOfSample | None:
    """Return what the winners' tests came to together; None without any."""
    scores = [test.score for test in tests if test.score is not None]
    if not scores:
        return None
    sample = sharpe_sample(pnl for test in tests for pnl in test.slice_pnl)
    return OutOfSample(
        window_count=len(scores),
        total_signals=sum(score.total_signals for score in scores),
        total_pnl=sum(score.total_pnl or 0.0 for score in scores),
        sharpe_ratio_of_slices=sample.sharpe_ratio if sample else None,
    )


def _value(trial: StoredTrial) -> float | None:
    return None if trial.record is None else trial.record.value
