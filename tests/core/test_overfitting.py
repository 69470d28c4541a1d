"""Luck: the papers' own numbers, and a plain recount of every split."""

import math
import random  # noqa: TID251 - seeded
import statistics
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.overfitting import (
    OverfittingEstimate,
    SharpeSample,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probabilistic_sharpe_ratio,
    probability_of_backtest_overfitting,
    sharpe_sample,
)

SHARPE = 2.5 / math.sqrt(250)
"""The deflated Sharpe ratio's own example: 2.5 a year over five years of 250 days, annual."""

SPREAD = math.sqrt(1 / 2 / 250)
HEAVY = SharpeSample(sharpe_ratio=SHARPE, count=1250, skewness=-3.0, kurtosis=10.0)
NORMAL = SharpeSample(sharpe_ratio=SHARPE, count=1250, skewness=0.0, kurtosis=3.0)


def ratios(count: int) -> list[float]:
    """As many trials whose Sharpe ratios deviate by SPREAD."""
    return [SPREAD, -SPREAD] * (count // 2)


def sharpe(returns: list[float]) -> float:
    deviation = statistics.pstdev(returns)
    return 0.0 if deviation == 0 else statistics.fmean(returns) / deviation


def recounted(trials: list[list[float]], partitions: int) -> OverfittingEstimate:
    """Each split by cutting and joining the rows, as the paper describes it."""
    length = len(trials[0])
    size, more = divmod(length, partitions)
    starts = [part * size + min(part, more) for part in range(partitions + 1)]
    parts = [range(starts[part], starts[part + 1]) for part in range(partitions)]
    logits: list[float] = []
    outcomes: list[float] = []
    for chosen in combinations(range(partitions), partitions // 2):
        train = [row for part in chosen for row in parts[part]]
        test = [row for row in range(length) if row not in train]
        inside = [sharpe([returns[row] for row in train]) for returns in trials]
        outside = [sharpe([returns[row] for row in test]) for returns in trials]
        outcome = outside[inside.index(max(inside))]
        equal = sum(value == outcome for value in outside)
        rank = sum(value < outcome for value in outside) + (equal + 1) / 2
        share = rank / (len(trials) + 1)
        logits.append(math.log(share / (1 - share)))
        outcomes.append(outcome)
    return OverfittingEstimate(
        probability=sum(logit <= 0 for logit in logits) / len(logits),
        probability_of_loss=sum(outcome < 0 for outcome in outcomes) / len(outcomes),
        split_count=len(logits),
    )


def test_the_papers_example_of_a_hundred_trials() -> None:
    """Bailey and López de Prado print 0.1132 and 0.9004."""
    assert expected_maximum_sharpe(100, SPREAD**2) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe_ratio(HEAVY, ratios(100)) == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize(("sample", "trial_count"), [(HEAVY, 46), (NORMAL, 88)])
def test_the_papers_examples_that_just_pass(sample: SharpeSample, trial_count: int) -> None:
    """They print 0.9505 for both: normal returns bear twice the trials."""
    found = deflated_sharpe_ratio(sample, ratios(trial_count))

    assert found == pytest.approx(0.9505, abs=5e-5)


def test_one_trial_is_measured_against_zero() -> None:
    assert expected_maximum_sharpe(1, 4.0) == 0.0
    assert deflated_sharpe_ratio(HEAVY, [SHARPE]) == probabilistic_sharpe_ratio(HEAVY)


def test_fewer_independent_trials_deflate_less() -> None:
    all_of_them = deflated_sharpe_ratio(HEAVY, ratios(100))
    independent = deflated_sharpe_ratio(HEAVY, ratios(100), 10)

    assert all_of_them is not None
    assert independent is not None
    assert independent > all_of_them


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 10))
def test_more_trials_never_expect_less(one: int, other: int, variance: float) -> None:
    few, many = sorted((one, other))

    assert expected_maximum_sharpe(few, variance) <= expected_maximum_sharpe(many, variance) + 1e-12


def test_what_a_sample_cannot_carry_is_none() -> None:
    assert sharpe_sample([1.0]) is None
    assert sharpe_sample([1.0, 1.0]) is None
    assert deflated_sharpe_ratio(HEAVY, []) is None
    lone = SharpeSample(sharpe_ratio=1.0, count=1, skewness=0.0, kurtosis=3.0)
    assert probabilistic_sharpe_ratio(lone) is None
    skewed = SharpeSample(sharpe_ratio=1.0, count=9, skewness=5.0, kurtosis=3.0)
    assert probabilistic_sharpe_ratio(skewed) is None


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="trial_count must be at least 1, not 0"):
        expected_maximum_sharpe(0, 1.0)
    with pytest.raises(ValueError, match="must not be negative"):
        expected_maximum_sharpe(2, -1.0)
    with pytest.raises(ValueError, match="must not be negative"):
        expected_maximum_sharpe(2, math.nan)


def test_a_sample_by_hand() -> None:
    """Mean 1, population deviation 1, symmetric, two points."""
    sample = sharpe_sample([0.0, 2.0, 0.0, 2.0])

    assert sample == SharpeSample(sharpe_ratio=1.0, count=4, skewness=0.0, kurtosis=1.0)


def test_a_trial_that_is_always_better_is_no_luck() -> None:
    good = [1.0, 2.0] * 8
    poor = [-1.0, -2.0] * 8

    found = probability_of_backtest_overfitting([poor, good], partitions=4)

    assert found == OverfittingEstimate(
        probability=0.0, probability_of_loss=0.0, split_count=math.comb(4, 2)
    )


def test_trials_that_are_good_in_one_half_only_are_luck() -> None:
    early = [1.0, 2.0] * 2 + [-1.0, -2.0] * 2
    late = [-1.0, -2.0] * 2 + [1.0, 2.0] * 2

    found = probability_of_backtest_overfitting([early, late], partitions=2)

    assert found == OverfittingEstimate(probability=1.0, probability_of_loss=1.0, split_count=2)


def test_equal_trials_are_no_better_than_their_median() -> None:
    same = [1.0, 2.0] * 8

    found = probability_of_backtest_overfitting([same, same, same], partitions=4)

    assert found == OverfittingEstimate(probability=1.0, probability_of_loss=0.0, split_count=6)


def test_a_trial_that_did_nothing_lost_nothing() -> None:
    idle, poor = [0.0] * 16, [-1.0, -2.0] * 8

    found = probability_of_backtest_overfitting([idle, poor], partitions=4)

    assert found == OverfittingEstimate(probability=0.0, probability_of_loss=0.0, split_count=6)


def test_noise_fails_in_half_of_all_splits() -> None:
    """Trials without any skill: one sample varies widely, the mean of many does not."""
    found: list[float] = []
    for seed in range(40):
        source = random.Random(seed)
        trials = [[source.gauss(0, 1) for _ in range(96)] for _ in range(10)]
        estimate = probability_of_backtest_overfitting(trials, partitions=6)
        assert estimate is not None
        found.append(estimate.probability)

    assert statistics.fmean(found) == pytest.approx(0.5, abs=0.1)


@given(st.data())
@settings(max_examples=40)
def test_every_split_is_counted_as_the_paper_describes_it(data: st.DataObject) -> None:
    partitions = data.draw(st.sampled_from([2, 4, 6]))
    length = data.draw(st.integers(2 * partitions, 4 * partitions))
    # A sum of small whole numbers is exact, so that equal trials are equal in both texts.
    row = st.lists(st.integers(-3, 3).map(float), min_size=length, max_size=length)
    trials = data.draw(st.lists(row, min_size=2, max_size=4, unique_by=tuple))

    found = probability_of_backtest_overfitting(trials, partitions=partitions)

    expected = recounted(trials, partitions)
    assert found is not None
    assert found.split_count == expected.split_count == math.comb(partitions, partitions // 2)
    if all_apart(trials, partitions):
        assert found == expected


def all_apart(trials: list[list[float]], partitions: int) -> bool:
    """Say whether no two ratios are equal up to rounding, so that ranks do not hang on it."""
    length = len(trials[0])
    size, more = divmod(length, partitions)
    starts = [part * size + min(part, more) for part in range(partitions + 1)]
    for chosen in combinations(range(partitions), partitions // 2):
        rows = [row for part in chosen for row in range(starts[part], starts[part + 1])]
        values = [sharpe([returns[row] for row in rows]) for returns in trials] + [0.0]
        if min(abs(one - other) for one, other in combinations(values, 2)) < 1e-9:
            return False
    return True


def test_too_little_is_no_estimate() -> None:
    assert probability_of_backtest_overfitting([[1.0] * 64]) is None
    assert probability_of_backtest_overfitting([[1.0] * 31, [2.0] * 31]) is None
    assert probability_of_backtest_overfitting([[1.0] * 32, [2.0] * 32], partitions=16) is not None
    assert probability_of_backtest_overfitting([]) is None


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="the same periods"):
        probability_of_backtest_overfitting([[1.0] * 32, [1.0] * 33])
    for partitions in (0, 3, 22):
        with pytest.raises(ValueError, match="partitions must be even"):
            probability_of_backtest_overfitting([[1.0], [1.0]], partitions=partitions)
