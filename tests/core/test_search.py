"""What a search keeps, ranks and makes of luck."""

import random  # noqa: TID251 (seeded)

from daemon.core.search import (
    SLICES,
    Score,
    StoredTrial,
    TrialRecord,
    luck_of,
    out_of_sample,
    ranked,
    score_of,
)
from daemon.core.statistics import backtest_statistics
from tests.core.trades import trades


def a_trial(number: int, value: float | None, slices: list[float] | None = None) -> StoredTrial:
    score = Score(
        metric_value=value,
        total_signals=3,
        win_rate=50.0,
        avg_pnl=1.0,
        total_pnl=3.0,
        sharpe_ratio=value,
        max_drawdown=0.0,
    )
    pnl = tuple(slices or [0.0] * SLICES)
    record = TrialRecord(score=score, slice_pnl=pnl)
    return StoredTrial(number=number, params={"n": number}, record=record)


def noise(seed: int, drift: float = 0.0) -> list[float]:
    draw = random.Random(seed)
    return [draw.gauss(drift, 1.0) for _ in range(SLICES)]


def test_a_score_keeps_the_figures_of_the_metric() -> None:
    score = score_of(backtest_statistics(trades(1.0, 3.0)), "win_rate")

    assert (score.metric_value, score.total_signals, score.total_pnl) == (100.0, 2, 4.0)


def test_the_best_comes_first_and_of_equals_the_first() -> None:
    trials = [a_trial(0, 1.0), a_trial(1, None), a_trial(2, 2.0), a_trial(3, 2.0)]
    double = StoredTrial(number=4, params={"n": 2}, record=trials[2].record)

    assert [trial.number for trial in ranked([*trials, double])] == [2, 3, 0]


def test_the_best_of_noise_is_told_as_luck_and_skill_is_not() -> None:
    many = [a_trial(number, sum(noise(number)), noise(number)) for number in range(40)]
    skilled = a_trial(40, 1e6, noise(99, drift=0.8))

    luck, skill = luck_of(many), luck_of([*many, skilled])

    assert luck.deflated_sharpe_ratio is not None
    assert luck.deflated_sharpe_ratio < 0.9
    assert luck.overfitting is not None
    assert luck.overfitting.probability > 0.2
    assert skill.deflated_sharpe_ratio is not None
    assert skill.deflated_sharpe_ratio > 0.99
    assert skill.overfitting is not None
    assert skill.overfitting.probability < 0.05
    assert (skill.trial_count, skill.distinct_count) == (41, 41)


def test_a_set_of_parameters_counts_once_however_often_it_was_tried() -> None:
    one = a_trial(0, 1.0, noise(1))
    again = StoredTrial(number=1, params={"n": 0}, record=one.record)

    luck = luck_of([one, again])

    assert (luck.trial_count, luck.distinct_count) == (2, 1)
    assert luck.overfitting is None


def test_without_trials_or_trades_there_is_nothing_to_say() -> None:
    for trials in ([], [a_trial(0, None)], [StoredTrial(number=0, params={}, record=None)]):
        luck = luck_of(trials)
        assert luck.deflated_sharpe_ratio is None
        assert luck.overfitting is None
    assert out_of_sample([]) is None


def test_the_tests_of_the_winners_add_up() -> None:
    records = [a_trial(0, 1.0, [1.0, 2.0]).record, a_trial(1, 1.0, [3.0, 2.0]).record]

    found = out_of_sample([record for record in records if record is not None])

    assert found is not None
    assert (found.window_count, found.total_signals, found.total_pnl) == (2, 6, 6.0)
    assert found.sharpe_ratio_of_slices is not None
