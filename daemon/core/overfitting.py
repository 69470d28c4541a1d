"""How likely it is that the best of many trials was luck.

Sharpe ratios here are of one period (a trade, a day), not annualized. The sources:
- D. H. Bailey, M. López de Prado, "The Sharpe ratio efficient frontier", Journal of Risk 15 (2),
  2012: the probabilistic Sharpe ratio.
- D. H. Bailey, M. López de Prado, "The deflated Sharpe ratio: correcting for selection bias,
  backtest overfitting and non-normality", Journal of Portfolio Management 40 (5), 2014.
- D. H. Bailey, J. M. Borwein, M. López de Prado, Q. J. Zhu, "The probability of backtest
  overfitting", Journal of Computational Finance, 2015: combinatorially symmetric cross-validation.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from statistics import NormalDist

from daemon.core.moments import moments_of
from daemon.core.trade_figures import sharpe_of

EULER_MASCHERONI = 0.5772156649015329
PARTITIONS_MAX = 20
"""Twenty parts are split in 184,756 ways; more take minutes and tell no more."""

_NORMAL = NormalDist()
_NOISE = 1e-6
"""A part whose deviation is below this share of the whole has none but rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharpeSample:
    """A Sharpe ratio of one period with what its error depends on; kurtosis 3 is the normal's."""

    sharpe_ratio: float
    count: int
    skewness: float
    kurtosis: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OverfittingEstimate:
    """What the splits of the periods into two halves say about choosing the best trial.

    `probability` is the share of splits in which the best trial of one half is no better than the
    median of all trials in the other, `probability_of_loss` the share in which it loses there.
    """

    probability: float
    probability_of_loss: float
    split_count: int


def sharpe_sample(returns: Iterable[float]) -> SharpeSample | None:
    """Return the sample of `returns`; None for fewer than two or where they have no spread."""
    moments = moments_of(returns)
    sharpe_ratio = sharpe_of(moments)
    skewness, kurtosis = moments.skewness, moments.kurtosis
    if sharpe_ratio is None or skewness is None or kurtosis is None:
        return None
    return SharpeSample(
        sharpe_ratio=sharpe_ratio, count=moments.count, skewness=skewness, kurtosis=kurtosis
    )


def probabilistic_sharpe_ratio(sample: SharpeSample, benchmark: float = 0.0) -> float | None:
    """Return the probability (0..1) that the true Sharpe ratio is above `benchmark`.

    None where the sample is too small, or so skewed that the error of its ratio has no root.
    """
    ratio = sample.sharpe_ratio
    spread = 1 - sample.skewness * ratio + (sample.kurtosis - 1) / 4 * ratio * ratio
    if sample.count < 2 or spread <= 0:
        return None
    return _NORMAL.cdf((ratio - benchmark) * math.sqrt(sample.count - 1) / math.sqrt(spread))


def expected_maximum_sharpe(trial_count: int, sharpe_variance: float) -> float:
    """Return the Sharpe ratio that the best of so many trials shows when none has any skill.

    `sharpe_variance` is the variance of the trials' ratios. Raises ValueError for fewer than one
    trial or a negative variance.
    """
    if trial_count < 1:
        raise ValueError(f"trial_count must be at least 1, not {trial_count}")
    if not sharpe_variance >= 0:
        raise ValueError(f"sharpe_variance must not be negative: {sharpe_variance}")
    if trial_count == 1:
        return 0.0
    likely = _NORMAL.inv_cdf(1 - 1 / trial_count)
    extreme = _NORMAL.inv_cdf(1 - 1 / (trial_count * math.e))
    best = (1 - EULER_MASCHERONI) * likely + EULER_MASCHERONI * extreme
    return math.sqrt(sharpe_variance) * best


def deflated_sharpe_ratio(
    best: SharpeSample, trial_sharpes: Sequence[float], trial_count: int | None = None
) -> float | None:
    """Return the probability (0..1) that the best trial's Sharpe ratio is more than luck.

    `trial_sharpes` are the ratios of all trials, the best one included; `trial_count` the number
    of independent ones among them where that is known to be smaller. None where the sample cannot
    carry it, or with no trial at all.
    """
    count = len(trial_sharpes) if trial_count is None else trial_count
    if count < 1 or not trial_sharpes:
        return None
    deviation = moments_of(trial_sharpes).deviation or 0.0
    return probabilistic_sharpe_ratio(best, expected_maximum_sharpe(count, deviation * deviation))


def probability_of_backtest_overfitting(
    returns_by_trial: Sequence[Sequence[float]], *, partitions: int = 16
) -> OverfittingEstimate | None:
    """Return how often the best trial in one half of the periods fails in the other half.

    Each trial gives its return per period, all over the same periods, oldest first (a period
    without a trade is 0). The periods are cut into `partitions` parts as equal as can be; in every
    choice of half of them the best is picked, by Sharpe ratio, and judged in the other half. None
    for fewer than two trials or fewer than two periods a part. Raises ValueError for trials of
    different length, or a number of parts that is not even, below 2 or above 20.
    """
    if partitions % 2 or not 2 <= partitions <= PARTITIONS_MAX:
        raise ValueError(f"partitions must be even, from 2 to {PARTITIONS_MAX}, not {partitions}")
    lengths = {len(returns) for returns in returns_by_trial}
    if len(lengths) > 1:
        raise ValueError(f"every trial must cover the same periods; lengths are {sorted(lengths)}")
    if len(returns_by_trial) < 2 or min(lengths) < 2 * partitions:
        return None
    trials = [_Trial(returns, partitions) for returns in returns_by_trial]
    return _estimate(trials, partitions)


def _estimate(trials: Sequence["_Trial"], partitions: int) -> OverfittingEstimate:
    splits = failures = losses = 0
    everything = (1 << partitions) - 1
    for parts in combinations(range(1, partitions), partitions // 2 - 1):
        # Part 0 is in this half, so that each pair of halves comes once, and is used both ways.
        half = 1 | sum(1 << part for part in parts)
        here = [trial.sharpe(half) for trial in trials]
        there = [trial.sharpe(everything ^ half) for trial in trials]
        for chosen, judged in ((here, there), (there, here)):
            outcome = judged[chosen.index(max(chosen))]
            splits += 1
            failures += _is_in_lower_half(outcome, judged)
            losses += outcome < 0
    return OverfittingEstimate(
        probability=failures / splits, probability_of_loss=losses / splits, split_count=splits
    )


def _is_in_lower_half(outcome: float, judged: Sequence[float]) -> bool:
    # The logit of the relative rank r / (n + 1) is at most 0 just where r is at most (n + 1) / 2;
    # equals share the mean of their ranks.
    below = sum(value < outcome for value in judged)
    equal = sum(value == outcome for value in judged)
    return below + (equal + 1) / 2 <= (len(judged) + 1) / 2


class _Trial:
    """One trial's Sharpe ratio over any choice of parts, from sums that are made once.

    A choice is a bit mask. Its sums are those of its lower parts plus those of its upper parts,
    and both are looked up.
    """

    def __init__(self, returns: Sequence[float], partitions: int) -> None:
        whole = moments_of(returns)
        self._mean = whole.mean
        self._deviation_min = (whole.deviation or 0.0) * _NOISE
        parts = [
            _sums(returns[start:stop], whole.mean)
            for start, stop in _bounds(len(returns), partitions)
        ]
        self._low_bits = partitions // 2
        self._low = _sums_of_choices(parts[: self._low_bits])
        self._high = _sums_of_choices(parts[self._low_bits :])

    def sharpe(self, choice: int) -> float:
        """Return mean by population deviation over the chosen parts; 0 without spread."""
        high = choice >> self._low_bits
        count, total, squares = self._low[choice - (high << self._low_bits)]
        more_count, more_total, more_squares = self._high[high]
        count += more_count
        distance = (total + more_total) / count
        variance = (squares + more_squares) / count - distance * distance
        deviation = math.sqrt(max(0.0, variance))
        if deviation <= self._deviation_min:
            return 0.0
        return (self._mean + distance) / deviation


_Sums = tuple[int, float, float]
"""How many returns, the sum of their distances from the trial's mean, and that of the squares."""


def _sums(returns: Sequence[float], mean: float) -> _Sums:
    distances = [value - mean for value in returns]
    return len(distances), math.fsum(distances), math.fsum(item * item for item in distances)


def _sums_of_choices(parts: Sequence[_Sums]) -> list[_Sums]:
    """Return the sums of every choice of `parts`, by bit mask."""
    choices: list[_Sums] = [(0, 0.0, 0.0)]
    for count, total, squares in parts:
        choices += [(c + count, t + total, s + squares) for c, t, s in choices]
    return choices


def _bounds(length: int, partitions: int) -> list[tuple[int, int]]:
    """Return where each part starts and stops; the first ones are longer by the remainder."""
    size, remainder = divmod(length, partitions)
    ends = list(accumulate(size + (part < remainder) for part in range(partitions)))
    return list(zip([0, *ends], ends, strict=False))
