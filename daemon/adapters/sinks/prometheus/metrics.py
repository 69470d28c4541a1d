"""The registry: what events and parts count, and what the status says when a scraper asks."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Lock

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from daemon.adapters.sinks.prometheus.budget import OTHER, SERIES_MAX, LabelBudget
from daemon.adapters.sinks.prometheus.catalog import (
    CANCEL_REASONS,
    CANCELS,
    CLOSE_REASONS,
    CLOSES,
    COUNTS,
    DRAWDOWN,
    ERROR_PLACES,
    ERRORS,
    EXITS,
    PNL,
    READINGS,
    TASK_COUNTERS,
    TIMINGS,
    WON,
    Metric,
    ReadingName,
)
from daemon.adapters.sinks.prometheus.collector import StatusCollector, Task
from daemon.adapters.sinks.prometheus.equity import Equity
from daemon.adapters.sinks.prometheus.histogram import Histogram
from daemon.ports import CounterName, DaemonStatus, MeterName

# A second series for each counter, saying when it began, would double what a scrape costs.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types


class Metrics:
    """Takes measurements (`Meter`) and shows everything (`Exposition`).

    `readings` are asked at each scrape, from the thread that renders: they may only read.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, readings: Mapping[ReadingName, Callable[[], float]] | None = None) -> None:
        self._readings = dict(readings or {})
        self._registry = CollectorRegistry(auto_describe=False)
        self._tasks: LabelBudget[Task] = LabelBudget(SERIES_MAX - 1, (OTHER, OTHER))
        # Each strategy has a series for each reason.
        strategies_max = SERIES_MAX // len(CANCEL_REASONS) - 1
        self._strategies: LabelBudget[str] = LabelBudget(strategies_max, OTHER)
        self._places: LabelBudget[str] = LabelBudget(SERIES_MAX // 10, OTHER)
        self._known: set[Task] = set()
        self._lock = Lock()
        self._collector = StatusCollector(self._tasks, self._strategies, self._readings)
        self._registry.register(self._collector)
        ProcessCollector(registry=self._registry)
        self._task_counters = {metric: self._counter(metric) for metric in TASK_COUNTERS}
        self._closes = self._counter(CLOSES)
        self._cancels = self._counter(CANCELS)
        self._pnl, self._drawdown = (
            Gauge(metric.name, metric.text, metric.labels, registry=self._registry)
            for metric in (PNL, DRAWDOWN)
        )
        self._equities: defaultdict[str, Equity] = defaultdict(Equity)
        self._errors = self._counter(ERRORS)
        self._exits = self._counter(EXITS)
        self._counts = {name: self._counter(metric) for name, metric in COUNTS.items()}
        self._timings = {name: self._histogram(metric) for name, metric in TIMINGS.items()}
        for place in ERROR_PLACES:
            self._errors.labels(self._places.label(place))

    def watch(self, name: ReadingName, read: Callable[[], float]) -> None:
        """Ask `read` for `name` at each scrape from now on."""
        assert name in READINGS, name
        self._readings[name] = read

    def observe(self, name: MeterName, seconds: float) -> None:
        if (timing := self._timings.get(name)) is not None:
            timing.observe(seconds)

    def count(self, name: CounterName, amount: float = 1.0) -> None:
        self._counts[name].inc(amount)

    def render(self, snapshot: DaemonStatus) -> bytes:
        for task in snapshot.tasks:
            self._introduce((task.symbol, task.strategy_name))
        self._collector.snapshot = snapshot
        return generate_latest(self._registry)

    def count_for_task(self, metric: Metric, symbol: str, strategy: str) -> None:
        """Add one to a counter that has task labels."""
        task = (symbol, strategy)
        self._introduce(task)
        self._task_counters[metric].labels(*self._tasks.label(task)).inc()

    def count_close(self, strategy: str, reason: str) -> None:
        self._closes.labels(self._strategies.label(strategy), reason).inc()

    def count_result(self, symbol: str, strategy: str, pnl_ratio: float) -> None:
        """Take a closed position into account: its gain or loss after costs, 0.01 for 1 %."""
        if pnl_ratio > 0:
            self.count_for_task(WON, symbol, strategy)
        label = self._strategies.label(strategy)
        self._equities[label].add(pnl_ratio)
        self._show_equity(label)

    def begin_after(self, past: Mapping[str, Equity]) -> None:
        """Put what strategies came to before this start in front of what they came to since."""
        for strategy, equity in past.items():
            label = self._strategies.label(strategy)
            self._equities[label] = equity.followed_by(self._equities[label])
            self._show_equity(label)

    def count_cancel(self, strategy: str, reason: str) -> None:
        self._cancels.labels(self._strategies.label(strategy), reason).inc()

    def count_error(self, where: str) -> None:
        self._errors.labels(self._places.label(where)).inc()

    def count_exit(self) -> None:
        self._exits.inc()

    def _introduce(self, task: Task) -> None:
        """Give a new task all its series at 0: a rate over a series that appears at 1 misses it."""
        if task in self._known:
            return
        # A scrape renders in another thread and may meet a new task at the same time.
        with self._lock:
            self._known.add(task)
            labels = self._tasks.label(task)
            for counter in self._task_counters.values():
                counter.labels(*labels)
            strategy = self._strategies.label(task[1])
            for reason in CLOSE_REASONS:
                self._closes.labels(strategy, reason)
            for reason in CANCEL_REASONS:
                self._cancels.labels(strategy, reason)
            for gauge in (self._pnl, self._drawdown):
                gauge.labels(strategy)

    def _show_equity(self, label: str) -> None:
        equity = self._equities[label]
        self._pnl.labels(label).set(equity.total)
        self._drawdown.labels(label).set(equity.drawdown)

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.text, metric.labels, registry=self._registry)

    def _histogram(self, metric: Metric) -> Histogram:
        histogram = Histogram(metric)
        self._registry.register(histogram)
        return histogram
