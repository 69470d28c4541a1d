"""What a walker and an optimizer tell while they work, as frozen classes under the seeds' names."""

from dataclasses import dataclass

from daemon.core.events import DoneContract
from daemon.core.statistics import BacktestStatistics
from daemon.core.walker_statistics import WalkerMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressWalkerContract:
    """How far a walker has come: told after each strategy; `progress` is 0..1."""

    walker_name: str
    exchange_name: str
    frame_name: str
    symbol: str
    total_strategies: int
    processed_strategies: int
    progress: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerContract:
    """A strategy of a walker was tested. The best two are None until one had a metric.

    `metric_value` is None where the figures cannot carry the metric.
    """

    walker_name: str
    exchange_name: str
    frame_name: str
    symbol: str
    strategy_name: str
    stats: BacktestStatistics
    metric_value: float | None
    metric: WalkerMetric
    best_metric: float | None
    best_strategy: str | None
    strategies_tested: int
    total_strategies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerCompleteContract:
    """A walker has ended. The best three are None when no strategy had a metric."""

    walker_name: str
    symbol: str
    exchange_name: str
    frame_name: str
    metric: WalkerMetric
    total_strategies: int
    best_strategy: str | None
    best_metric: float | None
    best_stats: BacktestStatistics | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerStopContract:
    """A walker is asked to stop: told once for each of its strategies."""

    symbol: str
    strategy_name: str
    walker_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressOptimizerContract:
    """How far an optimizer has come: told before each source, and a last time at 1.0.

    `total_sources` are the train ranges times the sources; `progress` is 0..1.
    """

    optimizer_name: str
    symbol: str
    total_sources: int
    processed_sources: int
    progress: float


ResearchEvent = (
    ProgressWalkerContract
    | WalkerContract
    | WalkerCompleteContract
    | WalkerStopContract
    | ProgressOptimizerContract
    | DoneContract
)
"""Everything that listeners of a walker or an optimizer may be handed."""
