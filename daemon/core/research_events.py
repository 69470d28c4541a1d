"""What a walker and an optimizer tell while they work, and who hears it.

Frozen classes under the seeds' names, and the emitters that runs by themselves do not have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from daemon.core.events import DoneContract
from daemon.core.statistics import BacktestStatistics
from daemon.core.subjects import Delivery, Subject, Subjects, deliveries
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

ResearchDelivery = (
    Delivery[DoneContract]
    | Delivery[ProgressWalkerContract]
    | Delivery[ProgressOptimizerContract]
    | Delivery[WalkerContract]
    | Delivery[WalkerCompleteContract]
    | Delivery[WalkerStopContract]
)


@dataclass(slots=True, init=False)
class ResearchSubjects(Subjects):
    """Every emitter of the seeds: those of runs, and those of walkers and optimizers."""

    done_walker: Subject[DoneContract]
    progress_walker: Subject[ProgressWalkerContract]
    progress_optimizer: Subject[ProgressOptimizerContract]
    walker: Subject[WalkerContract]
    walker_complete: Subject[WalkerCompleteContract]
    walker_stop: Subject[WalkerStopContract]


def route_research(event: ResearchEvent, subjects: ResearchSubjects) -> Iterator[ResearchDelivery]:
    """Yield who hears `event` of a walker or an optimizer; what is done is a walker."""
    match event:
        case DoneContract():
            yield from deliveries(subjects.done_walker, event)
        case ProgressWalkerContract():
            yield from deliveries(subjects.progress_walker, event)
        case ProgressOptimizerContract():
            yield from deliveries(subjects.progress_optimizer, event)
        case WalkerContract():
            yield from deliveries(subjects.walker, event)
        case WalkerCompleteContract():
            yield from deliveries(subjects.walker_complete, event)
        case WalkerStopContract():
            yield from deliveries(subjects.walker_stop, event)
        case _:
            assert_never(event)
