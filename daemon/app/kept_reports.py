"""Statistics of what runs tell, for programs: `keep_reports()`, then `Heat`, `Schedule` and so on.

Nothing is gathered unless `keep_reports` was called: events that nobody listens to cost nothing.
"""

import asyncio
import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

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
from daemon.core.performance_statistics import PerformanceCollector, PerformanceStatistics
from daemon.core.statistics import (
    PartialCollector,
    PartialStatistics,
    RiskCollector,
    RiskStatistics,
    ScheduleCollector,
    ScheduleStatistics,
)
from daemon.core.subjects import Unsubscribe
from daemon.reports.as_json import as_json
from daemon.reports.heat import render_heat
from daemon.reports.partial import render_partial
from daemon.reports.performance import render_performance
from daemon.reports.places import report_path
from daemon.reports.risk import render_risk
from daemon.reports.schedule import render_schedule

R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
Pair = tuple[str, str]
"""A symbol and a strategy's name."""


@dataclass(slots=True)
class _Shelf(Generic[K, R]):
    """Collectors by what they are about."""

    what: str
    make: Callable[[K], Collector[R]]
    kept: dict[K, Collector[R]] = field(default_factory=dict)

    def add(self, about: K, event: Announcement) -> None:
        """Take `event` into account."""
        collector = self.kept.get(about)
        if collector is None:
            collector = self.kept[about] = self.make(about)
        collector.add(event)

    def statistics(self, about: K) -> R:
        """Return the record of `about`. Raises UnknownNameError, with what there is."""
        collector = self.kept.get(about)
        if collector is None:
            known = ", ".join(map(str, self.kept)) or "nothing: keep_reports() begins to gather"
            raise UnknownNameError(f"no {self.what} of {about} was gathered (there is {known})")
        return collector.statistics()


_HEAT: _Shelf[str, HeatmapStatistics] = _Shelf("heatmap", lambda _: HeatmapCollector())
_SCHEDULE: _Shelf[str, ScheduleStatistics] = _Shelf("schedule", lambda _: ScheduleCollector())
_PERFORMANCE: _Shelf[str, PerformanceStatistics] = _Shelf("performance", PerformanceCollector)
_PARTIAL: _Shelf[Pair, PartialStatistics] = _Shelf("levels", lambda _: PartialCollector())
_RISK: _Shelf[Pair, RiskStatistics] = _Shelf("rejections", lambda _: RiskCollector())


def keep_reports() -> Unsubscribe:
    """Gather statistics of every run from now on; return the function that ends it.

    What was gathered before is forgotten. A backtest tells every idle moment too while this lasts,
    and takes longer.
    """
    for kept in (_HEAT.kept, _SCHEDULE.kept, _PERFORMANCE.kept, _PARTIAL.kept, _RISK.kept):
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


class Heat:
    """One strategy over its symbols, as one portfolio."""

    @staticmethod
    def get_data(strategy_name: str) -> HeatmapStatistics:
        """Return the figures so far. Raises UnknownNameError, as every facade here does."""
        return _HEAT.statistics(strategy_name)

    @staticmethod
    def get_report(strategy_name: str) -> str:
        """Return the report as Markdown."""
        return render_heat(Heat.get_data(strategy_name), strategy_name)

    @staticmethod
    async def dump(strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = report_path("heatmap", strategy_name)
        data = Heat.get_data(strategy_name)
        return await _dump(Path(path) / place, Heat.get_report(strategy_name), data)


class Schedule:
    """Scheduled signals of one strategy, and what became of them."""

    @staticmethod
    def get_data(strategy_name: str) -> ScheduleStatistics:
        """Return the figures so far."""
        return _SCHEDULE.statistics(strategy_name)

    @staticmethod
    def get_report(strategy_name: str) -> str:
        """Return the report as Markdown."""
        return render_schedule(Schedule.get_data(strategy_name), strategy_name)

    @staticmethod
    async def dump(strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = report_path("schedule", strategy_name)
        data = Schedule.get_data(strategy_name)
        return await _dump(Path(path) / place, Schedule.get_report(strategy_name), data)


class Performance:
    """How long the parts of a strategy's runs took."""

    @staticmethod
    def get_data(strategy_name: str) -> PerformanceStatistics:
        """Return the figures so far."""
        return _PERFORMANCE.statistics(strategy_name)

    @staticmethod
    def get_report(strategy_name: str) -> str:
        """Return the report as Markdown."""
        return render_performance(Performance.get_data(strategy_name))

    @staticmethod
    async def dump(strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = report_path("performance", strategy_name)
        data = Performance.get_data(strategy_name)
        return await _dump(Path(path) / place, Performance.get_report(strategy_name), data)


class Partial:
    """The levels that one strategy's signals reached on one symbol."""

    @staticmethod
    def get_data(symbol: str, strategy_name: str) -> PartialStatistics:
        """Return the figures so far."""
        return _PARTIAL.statistics((symbol, strategy_name))

    @staticmethod
    def get_report(symbol: str, strategy_name: str) -> str:
        """Return the report as Markdown."""
        return render_partial(Partial.get_data(symbol, strategy_name), symbol, strategy_name)

    @staticmethod
    async def dump(symbol: str, strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = report_path("partial", strategy_name, symbol=symbol)
        data = Partial.get_data(symbol, strategy_name)
        return await _dump(Path(path) / place, Partial.get_report(symbol, strategy_name), data)


class Risk:
    """The signals of one strategy on one symbol that risk refused."""

    @staticmethod
    def get_data(symbol: str, strategy_name: str) -> RiskStatistics:
        """Return the figures so far."""
        return _RISK.statistics((symbol, strategy_name))

    @staticmethod
    def get_report(symbol: str, strategy_name: str) -> str:
        """Return the report as Markdown."""
        return render_risk(Risk.get_data(symbol, strategy_name), symbol, strategy_name)

    @staticmethod
    async def dump(symbol: str, strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below `path`, its JSON beside it; return its place."""
        place = report_path("risk", strategy_name, symbol=symbol)
        data = Risk.get_data(symbol, strategy_name)
        return await _dump(Path(path) / place, Risk.get_report(symbol, strategy_name), data)


def _take_signal(event: TickResult) -> None:
    _HEAT.add(event.strategy_name, event)
    _SCHEDULE.add(event.strategy_name, event)


def _take_performance(event: PerformanceContract) -> None:
    _PERFORMANCE.add(event.key.strategy_name, event)


def _take_level(event: PartialProfitContract | PartialLossContract) -> None:
    _PARTIAL.add((event.symbol, event.strategy_name), event)


def _take_risk(event: RiskContract) -> None:
    _RISK.add((event.symbol, event.strategy_name), event)


async def _dump(place: Path, report: str, data: object) -> Path:
    record = json.dumps(as_json(data), ensure_ascii=False, indent=2) + "\n"
    await asyncio.to_thread(write_report, place, report, record)
    return place
