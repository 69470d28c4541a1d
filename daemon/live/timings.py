"""How long things take: histograms for operators, `performance` events for whoever listens."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from daemon.core.events import Announcement, PerformanceContract, PerformanceMetric
from daemon.core.signal import Key
from daemon.core.subjects import Subject
from daemon.ports import Clock, Meter


class Timings:
    """Measures machine time. An event that nobody listens for is not made."""

    def __init__(
        self,
        meter: Meter,
        clock: Clock,
        subject: Subject[PerformanceContract],
        announce: Callable[[Sequence[Announcement]], None],
    ) -> None:
        self._meter = meter
        self._clock = clock
        self._subject = subject
        self._announce = announce
        self._previous: dict[tuple[str, Key], int] = {}

    @contextmanager
    def of(self, metric: PerformanceMetric, key: Key) -> Iterator[None]:
        """Measure the block as `metric` of `key`, whether it returns or raises."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            yield
        finally:
            self.took(metric, key, loop.time() - started_s)

    def took(self, metric: PerformanceMetric, key: Key, seconds: float) -> None:
        """Note that `metric` of `key` took `seconds`."""
        self._meter.observe(metric, seconds)
        if not self._subject.listeners:
            return
        now_ms = self._clock.now_ms()
        event = PerformanceContract(
            timestamp=now_ms,
            previous_timestamp=self._previous.get((metric, key)),
            metric_type=metric,
            duration_ms=seconds * 1000,
            key=key,
        )
        self._previous[metric, key] = now_ms
        self._announce((event,))

    def late(self, seconds: float) -> None:
        """Note how late a tick began."""
        self._meter.observe("tick_lateness", seconds)
