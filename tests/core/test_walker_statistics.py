"""The walker's comparison: who is best, and who cannot be compared."""

from dataclasses import replace
from typing import get_args

import pytest

from daemon.core.statistics import BacktestStatistics, backtest_statistics
from daemon.core.walker_statistics import (
    WALKER_METRICS,
    WalkerMetric,
    WalkerSetup,
    metric_value,
    walker_statistics,
)
from tests.core.trades import trades

SETUP = WalkerSetup(
    walker_name="compare",
    symbol="BTC/USDT",
    exchange_name="sandbox",
    frame_name="january",
    total_strategies=4,
)


def result_of(*pnls: float) -> BacktestStatistics:
    return backtest_statistics(trades(*pnls))


def test_the_best_has_the_largest_metric_and_rank_one() -> None:
    stats = walker_statistics(
        SETUP,
        [
            ("calm", result_of(1.0, 2.0)),
            ("wild", result_of(-3.0, 5.0)),
            ("good", result_of(2.0, 3.0)),
        ],
    )

    assert (stats.best_strategy, stats.best_metric) == ("good", 5.0)
    assert stats.best_stats == result_of(2.0, 3.0)
    assert [(row.strategy_name, row.rank) for row in stats.strategy_results] == [
        ("calm", 2),
        ("wild", 3),
        ("good", 1),
    ]
    assert (stats.walker_name, stats.frame_name, stats.total_strategies) == (
        "compare",
        "january",
        4,
    )


def test_of_equals_the_first_is_best() -> None:
    stats = walker_statistics(SETUP, [("one", result_of(1.0, 2.0)), ("two", result_of(1.0, 2.0))])

    assert stats.best_strategy == "one"
    assert [row.rank for row in stats.strategy_results] == [1, 2]


def test_a_strategy_without_the_metric_has_no_rank() -> None:
    stats = walker_statistics(SETUP, [("lone", result_of(9.0)), ("bad", result_of(-1.0, -2.0))])

    assert stats.best_strategy == "bad"
    assert stats.best_metric == pytest.approx(-3.0)
    assert [row.rank for row in stats.strategy_results] == [None, 1]


def test_a_metric_of_zero_competes() -> None:
    stats = walker_statistics(
        SETUP, [("bad", result_of(-1.0, -2.0)), ("flat", result_of(1.0, 1.0))]
    )

    assert (stats.best_strategy, stats.best_metric) == ("flat", 0.0)


def test_without_any_metric_nothing_is_best() -> None:
    stats = walker_statistics(SETUP, [("lone", result_of(9.0)), ("none", result_of())])

    assert (stats.best_strategy, stats.best_metric, stats.best_stats) == (None, None, None)
    assert len(stats.strategy_results) == 2


@pytest.mark.parametrize("metric", WALKER_METRICS)
def test_every_metric_is_a_figure_of_a_backtest(metric: WalkerMetric) -> None:
    stats = result_of(2.0, -1.0, 3.0)

    assert metric_value(stats, metric) == getattr(stats, metric)
    assert metric_value(result_of(), metric) is None


def test_a_metric_that_is_not_finite_does_not_compete() -> None:
    assert metric_value(replace(result_of(1.0, 2.0), total_pnl=float("inf")), "total_pnl") is None


def test_the_tuple_of_metrics_is_complete() -> None:
    assert get_args(WalkerMetric) == WALKER_METRICS
