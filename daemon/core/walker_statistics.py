"""The walker's comparison: strategies on one frame, by one metric; larger is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

from daemon.core.moments import finite_or_none
from daemon.core.statistics import BacktestStatistics

WalkerMetric = Literal[
    "sharpe_ratio",
    "annualized_sharpe_ratio",
    "win_rate",
    "total_pnl",
    "certainty_ratio",
    "avg_pnl",
    "expected_yearly_returns",
]
WALKER_METRICS: tuple[WalkerMetric, ...] = get_args(WalkerMetric)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerSetup:
    """What is compared: on which symbol, exchange and frame, by which metric, how many."""

    walker_name: str
    symbol: str
    exchange_name: str
    frame_name: str
    total_strategies: int
    metric: WalkerMetric = "sharpe_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerStrategyResult:
    """One strategy's result. `rank` counts from 1; None, like the value, without a metric."""

    strategy_name: str
    stats: BacktestStatistics
    metric_value: float | None
    rank: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerStatistics:
    """The comparison so far, results in the order in which the strategies were tested.

    The best three are None while no strategy has a metric; of equals the first one is best.
    """

    walker_name: str
    symbol: str
    exchange_name: str
    frame_name: str
    metric: WalkerMetric
    total_strategies: int
    best_strategy: str | None
    best_metric: float | None
    best_stats: BacktestStatistics | None
    strategy_results: tuple[WalkerStrategyResult, ...]


class WalkerCollector:
    """Gathers the results of one walker, in the order of its strategies."""

    def __init__(self, setup: WalkerSetup) -> None:
        self._setup = setup
        self._results: list[tuple[str, BacktestStatistics]] = []

    def add(self, strategy_name: str, stats: BacktestStatistics) -> None:
        """Take the finished backtest of a strategy into account."""
        self._results.append((strategy_name, stats))

    def statistics(self) -> WalkerStatistics:
        """Return the comparison of everything added so far."""
        setup = self._setup
        results = _ranked(self._results, setup.metric)
        best = next((result for result in results if result.rank == 1), None)
        return WalkerStatistics(
            walker_name=setup.walker_name,
            symbol=setup.symbol,
            exchange_name=setup.exchange_name,
            frame_name=setup.frame_name,
            metric=setup.metric,
            total_strategies=setup.total_strategies,
            best_strategy=best.strategy_name if best else None,
            best_metric=best.metric_value if best else None,
            best_stats=best.stats if best else None,
            strategy_results=results,
        )


def walker_statistics(
    setup: WalkerSetup, results: Sequence[tuple[str, BacktestStatistics]]
) -> WalkerStatistics:
    """Return the comparison of `results`: names and statistics, in the order of the strategies."""
    collector = WalkerCollector(setup)
    for strategy_name, stats in results:
        collector.add(strategy_name, stats)
    return collector.statistics()


def metric_value(stats: BacktestStatistics, metric: WalkerMetric) -> float | None:
    """Return what `stats` says of `metric`, or None when its sample cannot carry it."""
    value = _figure(stats, metric)
    return None if value is None else finite_or_none(value)


def _figure(stats: BacktestStatistics, metric: WalkerMetric) -> float | None:
    match metric:
        case "sharpe_ratio":
            return stats.sharpe_ratio
        case "annualized_sharpe_ratio":
            return stats.annualized_sharpe_ratio
        case "win_rate":
            return stats.win_rate
        case "total_pnl":
            return stats.total_pnl
        case "certainty_ratio":
            return stats.certainty_ratio
        case "avg_pnl":
            return stats.avg_pnl
        case "expected_yearly_returns":
            return stats.expected_yearly_returns
        case _:
            assert_never(metric)


def _ranked(
    tested: Sequence[tuple[str, BacktestStatistics]], metric: WalkerMetric
) -> tuple[WalkerStrategyResult, ...]:
    values = [metric_value(stats, metric) for _, stats in tested]
    # Sorting is stable: of equals, the one that was tested first comes first.
    order = sorted(
        (place for place, value in enumerate(values) if value is not None),
        key=lambda place: -(values[place] or 0.0),
    )
    ranks = {place: rank for rank, place in enumerate(order, start=1)}
    return tuple(
        WalkerStrategyResult(
            strategy_name=name,
            stats=stats,
            metric_value=values[place],
            rank=ranks.get(place),
        )
        for place, (name, stats) in enumerate(tested)
    )
