"""How long things took, by hand and against plain lists."""

import math
import pickle
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.collector import gathered
from daemon.core.events import PerformanceContract, PerformanceMetric
from daemon.core.performance_statistics import PerformanceCollector, performance_statistics
from tests.core.some_events import AT_MS, a_performance, an_idle


def took(
    duration_ms: float, metric: PerformanceMetric = "live_tick", *, since_ms: int | None = None
) -> PerformanceContract:
    previous = None if since_ms is None else AT_MS - since_ms
    return replace(
        a_performance(), duration_ms=duration_ms, metric_type=metric, previous_timestamp=previous
    )


def test_a_small_sample_by_hand() -> None:
    stats = performance_statistics(
        "breakout",
        [
            took(2.0),
            took(50.0, "exchange_fetch"),
            took(4.0, since_ms=1000),
            an_idle(),
            took(9.0, since_ms=3000),
        ],
    )

    assert (stats.strategy_name, stats.total_events, stats.total_duration) == ("breakout", 4, 65.0)
    assert list(stats.metric_stats) == ["exchange_fetch", "live_tick"]
    ticks = stats.metric_stats["live_tick"]
    assert (ticks.count, ticks.total_duration, ticks.avg_duration) == (3, 15.0, 5.0)
    assert (ticks.min_duration, ticks.max_duration, ticks.median) == (2.0, 9.0, 4.0)
    assert (ticks.p95, ticks.p99, ticks.percentile_error_percent) == (9.0, 9.0, 0.0)
    assert ticks.std_dev == pytest.approx(math.sqrt((9 + 1 + 16) / 3))
    assert (ticks.avg_wait_time, ticks.min_wait_time, ticks.max_wait_time) == (2000, 1000, 3000)


def test_one_measurement_has_no_deviation_and_no_waits() -> None:
    fetch = performance_statistics("s", [took(50.0)]).metric_stats["live_tick"]

    assert (fetch.std_dev, fetch.avg_wait_time) == (None, None)
    assert (fetch.min_wait_time, fetch.max_wait_time) == (None, None)


def test_nothing_measured() -> None:
    stats = performance_statistics("s", [])

    assert (stats.total_events, stats.total_duration, stats.metric_stats) == (0, 0, {})


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=40))
def test_figures_agree_with_the_whole_list(durations: list[float]) -> None:
    stats = performance_statistics("s", [took(duration) for duration in durations])

    ticks = stats.metric_stats["live_tick"]
    assert ticks.avg_duration == pytest.approx(statistics.fmean(durations), abs=1e-9)
    assert ticks.std_dev == pytest.approx(statistics.pstdev(durations), rel=1e-6, abs=1e-2)
    assert (ticks.min_duration, ticks.max_duration) == (min(durations), max(durations))


def test_the_newest_are_kept_and_the_figures_cover_all() -> None:
    collector = PerformanceCollector("s", events_max=2)

    stats = gathered(collector, [took(1.0), took(2.0), took(3.0)])

    assert [event.duration_ms for event in stats.events] == [3.0, 2.0]
    assert (stats.total_events, stats.total_duration) == (3, 6.0)


def test_the_record_travels_between_processes() -> None:
    record = performance_statistics("s", [took(1.0)])

    assert pickle.loads(pickle.dumps(record)) == record
