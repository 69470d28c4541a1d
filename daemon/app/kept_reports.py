"""Statistics of what runs tell, for programs: `keep_reports()`, then `Heat`, `Schedule` and so on.

Nothing is gathered unless `keep_reports` was called: events that nobody listens to cost nothing.
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from daemon.app.json_text import json_text
from daemon.app.registry import REGISTRY, UnknownNameError
from daemon.app.report_files import write_report
from daemon.core.collector import Collector
from daemon.core.events import (
    Announcement,
    PartialLossContract,
    PartialProfitContract,
    PerformanceContract,
    RiskContract,
    TickResult,
)
from daemon.core.heatmap import HeatmapCollector, HeatmapStatistics
from daemon.core.live_statistics import (
    PartialCollector,
    PartialStatistics,
    RiskCollector,
    RiskStatistics,
    ScheduleCollector,
    ScheduleStatistics,
)
from daemon.core.performance_statistics import PerformanceCollector, PerformanceStatistics
from daemon.core.subjects import Unsubscribe
from daemon.reports.heat import render_heat
from daemon.reports.partial import render_partial
from daemon.reports.performance import render_performance
from daemon.reports.places import ReportKind, report_path
from daemon.reports.risk import render_risk
from daemon.reports.schedule import render_schedule

R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
Pair = tuple[str, str]
"""A symbol and a strategy's name."""


@dataclass(slots=True)
class _Gathered(Generic[K, R]):
    """Statistics of one kind, by what they are about; `folder` is where their reports go."""

    what: str
    folder: ReportKind
    make: Callable[[K], Collector[R]]
    render: Callable[[R, K], str]
    kept: dict[K, Collector[R]] = field(default_factory=dict)

    def add(self, about: K, event: Announcement) -> None:
        """Take `event` into account."""
        collector = self.kept.get(about)
        if collector is None:
            collector = self.kept[about] = self.make(about)
        collector.add(event)

    def _statistics(self, about: K) -> R:
        collector = self.kept.get(about)
        if collector is None:
            known = ", ".join(map(str, self.kept)) or "nothing: keep_reports() begins to gather"
            raise UnknownNameError(f"no {self.what} of {about} was gathered (there is {known})")
        return collector.statistics()

    async def _dump(self, about: K, place: Path) -> Path:
        data = self._statistics(about)
        record = json_text(data) + "\n"
        await asyncio.to_thread(write_report, place, self.render(data, about), record)
        return place


class StrategyReports(_Gathered[str, R]):
    """Statistics of one kind for each strategy."""

    def get_data(self, strategy_name: str) -> R:
        """Return the figures so far. Raises UnknownNameError, with what there is."""
        return self._statistics(strategy_name)

    def get_report(self, strategy_name: str) -> str:
        """Return the report as Markdown. Raises as `get_data`."""
        return self.render(self.get_data(strategy_name), strategy_name)

    async def dump(self, strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = Path(path) / report_path(self.folder, strategy_name)
        return await self._dump(strategy_name, place)


class SymbolReports(_Gathered[Pair, R]):
    """Statistics of one kind for each strategy on each symbol."""

    def get_data(self, symbol: str, strategy_name: str) -> R:
        """Return the figures so far. Raises UnknownNameError, with what there is."""
        return self._statistics((symbol, strategy_name))

    def get_report(self, symbol: str, strategy_name: str) -> str:
        """Return the report as Markdown. Raises as `get_data`."""
        return self.render(self.get_data(symbol, strategy_name), (symbol, strategy_name))

    async def dump(self, symbol: str, strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = Path(path) / report_path(self.folder, strategy_name, symbol=symbol)
        return await self._dump((symbol, strategy_name), place)


Heat: StrategyReports[HeatmapStatistics] = StrategyReports(
    "heatmap", "heatmap", lambda _: HeatmapCollector(), render_heat
)
"""One strategy over its symbols, as one portfolio."""

Schedule: StrategyReports[ScheduleStatistics] = StrategyReports(
    "schedule", "schedule", lambda _: ScheduleCollector(), render_schedule
)
"""Scheduled signals of one strategy, and what became of them."""

Performance: StrategyReports[PerformanceStatistics] = StrategyReports(
    "performance", "performance", PerformanceCollector, lambda data, _: render_performance(data)
)
"""How long the parts of a strategy's runs took."""

Partial: SymbolReports[PartialStatistics] = SymbolReports(
    "levels",
    "partial",
    lambda _: PartialCollector(),
    lambda data, of: render_partial(data, *of),
)
"""The levels that one strategy's signals reached on one symbol."""

Risk: SymbolReports[RiskStatistics] = SymbolReports(
    "rejections", "risk", lambda _: RiskCollector(), lambda data, of: render_risk(data, *of)
)
"""The signals of one strategy on one symbol that risk refused."""


def keep_reports() -> Unsubscribe:
    """Gather statistics of every run from now on; return the function that ends it.

    What was gathered before is forgotten. A backtest tells every idle moment too while this lasts,
    and takes longer.
    """
    for kept in (Heat.kept, Schedule.kept, Performance.kept, Partial.kept, Risk.kept):
        kept.clear()
    subjects = REGISTRY.subjects
    ends = (
        subjects.signal.subscribe(_take_signal),
        subjects.performance.subscribe(_take_performance),
        subjects.partial_profit.subscribe(_take_level),
        subjects.partial_loss.subscribe(_take_level),
        subjects.risk.subscribe(_take_risk),
    )

    def forget() -> None:
        for end in ends:
            end()

    return forget


def _take_signal(event: TickResult) -> None:
    Heat.add(event.strategy_name, event)
    Schedule.add(event.strategy_name, event)


def _take_performance(event: PerformanceContract) -> None:
    Performance.add(event.key.strategy_name, event)


def _take_level(event: PartialProfitContract | PartialLossContract) -> None:
    Partial.add((event.symbol, event.strategy_name), event)


def _take_risk(event: RiskContract) -> None:
    Risk.add((event.symbol, event.strategy_name), event)
