"""A histogram reads as the library's own does."""

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest

from daemon.adapters.sinks.prometheus.catalog import TIMINGS
from daemon.adapters.sinks.prometheus.histogram import BUCKETS_S, Histogram

METRIC = next(iter(TIMINGS.values()))


@given(st.lists(st.sampled_from(BUCKETS_S) | st.floats(min_value=0.0, max_value=1000.0)))
def test_it_shows_what_the_librarys_own_histogram_shows(measured_s: list[float]) -> None:
    ours, theirs = (prometheus_client.CollectorRegistry(auto_describe=False) for _ in range(2))
    histogram = Histogram(METRIC)
    ours.register(histogram)
    library = prometheus_client.Histogram(
        METRIC.name, METRIC.text, registry=theirs, buckets=BUCKETS_S
    )

    for seconds in measured_s:
        histogram.observe(seconds)
        library.observe(seconds)

    assert generate_latest(ours) == generate_latest(theirs)
