"""How long things took: the statistics of performance events, per kind of measurement."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from daemon.core.collector import gathered
from daemon.core.events import Announcement, PerformanceContract, PerformanceMetric
from daemon.core.moments import Moments
from daemon.core.quantiles import Quantiles

EVENTS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStatistics:
    """The figures of one kind of measurement, in ms of machine time.

    `median`, `p95` and `p99` are nearest ranks, off by at most `percentile_error_percent` percent.
    The waits are the ms of market time from one event to the next; None before the second.
    """

    metric_type: PerformanceMetric
    count: int
    total_duration: float
    avg_duration: float
    min_duration: float
    max_duration: float
    std_dev: float | None
    median: float
    p95: float
    p99: float
    percentile_error_percent: float
    avg_wait_time: float | None
    min_wait_time: float | None
    max_wait_time: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceStatistics:
    """How long the parts of a strategy's runs took. `events` holds the newest, newest first."""

    strategy_name: str
    total_events: int
    total_duration: float
    events: tuple[PerformanceContract, ...]
    metric_stats: Mapping[PerformanceMetric, MetricStatistics]


@dataclass(slots=True)
class _Range:
    """Sizes added one by one, in constant memory."""

    moments: Moments = field(default_factory=Moments)
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def add(self, value: float) -> None:
        is_first = not self.moments.count
        self.moments.add(value)
        self.total += value
        self.low = value if is_first else min(self.low, value)
        self.high = value if is_first else max(self.high, value)


@dataclass(slots=True)
class _Metric:
    durations: _Range = field(default_factory=_Range)
    waits: _Range = field(default_factory=_Range)
    quantiles: Quantiles = field(default_factory=Quantiles)

    def add(self, event: PerformanceContract) -> None:
        self.durations.add(event.duration_ms)
        self.quantiles.add(event.duration_ms)
        if event.previous_timestamp is not None:
            self.waits.add(event.timestamp - event.previous_timestamp)

    def statistics(self, metric_type: PerformanceMetric) -> MetricStatistics:
        durations, waits = self.durations, self.waits
        median, p95, p99 = self.quantiles.at(50, 95, 99)
        assert median is not None
        assert p95 is not None
        assert p99 is not None
        has_waits = waits.moments.count > 0
        return MetricStatistics(
            metric_type=metric_type,
            count=durations.moments.count,
            total_duration=durations.total,
            avg_duration=durations.moments.mean,
            min_duration=durations.low,
            max_duration=durations.high,
            std_dev=durations.moments.deviation,
            median=median,
            p95=p95,
            p99=p99,
            percentile_error_percent=self.quantiles.error_percent,
            avg_wait_time=waits.moments.average,
            min_wait_time=waits.low if has_waits else None,
            max_wait_time=waits.high if has_waits else None,
        )


class PerformanceCollector:
    """Gathers performance events of one strategy."""

    def __init__(self, strategy_name: str, *, events_max: int = EVENTS_MAX) -> None:
        self._strategy_name = strategy_name
        self._newest: deque[PerformanceContract] = deque(maxlen=events_max)
        self._metrics: dict[PerformanceMetric, _Metric] = {}

    def add(self, event: Announcement) -> None:
        """Take `event` into account if it is a measurement."""
        if isinstance(event, PerformanceContract):
            self._newest.append(event)
            self._metrics.setdefault(event.metric_type, _Metric()).add(event)

    def statistics(self) -> PerformanceStatistics:
        """Return the figures of everything added so far, what took longest in all first."""
        rows = [metric.statistics(name) for name, metric in self._metrics.items()]
        rows.sort(key=lambda row: (-row.total_duration, row.metric_type))
        return PerformanceStatistics(
            strategy_name=self._strategy_name,
            total_events=sum(row.count for row in rows),
            total_duration=sum(row.total_duration for row in rows),
            events=tuple(reversed(self._newest)),
            metric_stats={row.metric_type: row for row in rows},
        )


def performance_statistics(
    strategy_name: str, events: Iterable[Announcement]
) -> PerformanceStatistics:
    """Return the figures of the measurements among `events`, in order of emission."""
    return gathered(PerformanceCollector(strategy_name), events)
