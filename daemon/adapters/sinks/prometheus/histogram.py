"""A histogram without labels that costs a tick next to nothing.

The library's own takes a lock for each of its numbers and looks through all buckets; a thousand
tasks that measure themselves twice a second feel it.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from math import inf
from threading import Lock

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from daemon.adapters.sinks.prometheus.catalog import Metric

BUCKETS_S = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0, 180.0,
)  # fmt: skip
"""The upper bounds of the buckets, in seconds; a last one takes what is above them all."""


class Histogram(Collector):
    """Counts seconds by buckets; any thread may observe, and any may collect."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._counts = [0] * (len(BUCKETS_S) + 1)
        self._sum = 0.0
        self._lock = Lock()

    def observe(self, seconds: float) -> None:
        """Count one measurement."""
        place = bisect_left(BUCKETS_S, seconds)
        with self._lock:
            self._counts[place] += 1
            self._sum += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram as a scraper reads it: each bucket holds those below it too."""
        with self._lock:
            counts, total = tuple(self._counts), self._sum
        bounds = map(floatToGoString, (*BUCKETS_S, inf))
        buckets = list(zip(bounds, accumulate(counts), strict=True))
        yield HistogramMetricFamily(
            self._metric.name, self._metric.text, buckets=buckets, sum_value=total
        )
