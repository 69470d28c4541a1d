"""Gauges that are read from the daemon's status when a scraper asks: they cost a tick nothing."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from daemon.adapters.sinks.prometheus.budget import OTHER, SERIES_MAX, LabelBudget
from daemon.adapters.sinks.prometheus.catalog import (
    BUILD,
    CONDITIONS,
    FOREIGN_TASKS,
    LIVE,
    MARKET_SPEED,
    MARKET_TIME,
    MEMORY,
    ORPHANS,
    READINGS,
    READY,
    SINK_EVENTS,
    SINK_QUEUE,
    TASK_GAUGES,
    TASK_RESTARTS,
    TASKS,
    UPTIME,
    Metric,
    ReadingName,
)
from daemon.ports import DaemonStatus, SinkStatus, TaskStatus

Task = tuple[str, str]


class StatusCollector(Collector):
    """Shows `snapshot`, which whoever renders sets before."""

    def __init__(
        self,
        tasks: LabelBudget[Task],
        strategies: LabelBudget[str],
        readings: Mapping[ReadingName, Callable[[], float]],
    ) -> None:
        self._tasks = tasks
        self._strategies = strategies
        self._readings = readings
        self.snapshot: DaemonStatus | None = None

    def collect(self) -> Iterator[Family]:
        if self.snapshot is not None:
            yield from _daemon(self.snapshot)
            yield from self._of_tasks(self.snapshot.tasks)
            yield from self._of_strategies(self.snapshot)
            yield from _of_sinks(self.snapshot.sinks)
        for name, metric in READINGS.items():
            read = self._readings.get(name)
            yield _family(metric, {(): read() if read else 0.0})

    def _of_tasks(self, tasks: tuple[TaskStatus, ...]) -> Iterator[Family]:
        labelled = [(self._tasks.label((task.symbol, task.strategy_name)), task) for task in tasks]
        for gauge in TASK_GAUGES:
            values: dict[tuple[str, ...], float] = {}
            for labels, task in labelled:
                value = float(gauge.read(task))
                values[labels] = gauge.worst(values[labels], value) if labels in values else value
            yield _family(gauge.metric, values)
        restarts: Tally[tuple[str, ...]] = Tally()
        for labels, task in labelled:
            restarts[labels] += task.restarts
        yield _family(TASK_RESTARTS, {labels: float(count) for labels, count in restarts.items()})

    def _of_strategies(self, now: DaemonStatus) -> Iterator[Family]:
        # Also those that were not looked at yet: a growth begins at 0.
        names = dict.fromkeys(task.strategy_name for task in now.tasks)
        memory: dict[tuple[str, ...], float] = {
            (self._strategies.label(name),): 0.0 for name in names
        }
        tasks = dict(memory)
        for holding in now.holdings:
            label = (self._strategies.label(holding.name),)
            memory[label] = memory.get(label, 0.0) + holding.memory_bytes
            tasks[label] = tasks.get(label, 0.0) + holding.tasks
        yield _family(MEMORY, memory)
        yield _family(FOREIGN_TASKS, tasks)


def _daemon(now: DaemonStatus) -> Iterator[Family]:
    yield _family(BUILD, {(now.version, now.exchange, now.mode): 1.0})
    yield _family(LIVE, {(): float(now.is_live)})
    yield _family(READY, {(): float(now.is_ready)})
    yield _family(UPTIME, {(): now.uptime_s})
    yield _family(MARKET_TIME, {(): now.market_time_ms / 1000})
    yield _family(MARKET_SPEED, {(): now.speed})
    yield _family(ORPHANS, {(): float(len(now.orphans))})
    conditions: Tally[str] = Tally(task.condition for task in now.tasks)
    yield _family(TASKS, {(name,): float(conditions[name]) for name in CONDITIONS})


def _of_sinks(sinks: tuple[SinkStatus, ...]) -> Iterator[Family]:
    events: dict[tuple[str, ...], float] = {}
    queues: dict[tuple[str, ...], float] = {}
    for number, sink in enumerate(sinks):
        name = sink.name if number < SERIES_MAX // 3 - 1 else OTHER
        queues[name,] = queues.get((name,), 0.0) + sink.queued
        outcomes = {"sent": sink.sent, "dropped": sink.dropped, "failed": sink.failed}
        for outcome, count in outcomes.items():
            events[name, outcome] = events.get((name, outcome), 0.0) + count
    yield _family(SINK_EVENTS, events)
    yield _family(SINK_QUEUE, queues)


def _family(metric: Metric, values: Mapping[tuple[str, ...], float]) -> Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.text, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
