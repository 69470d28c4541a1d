"""The report of how long things took."""

from dataclasses import replace

from daemon.core.collector import gathered
from daemon.core.performance_statistics import PerformanceCollector, performance_statistics
from daemon.reports.performance import render_performance
from tests.core.some_events import AT_MS, a_performance


def test_a_whole_report() -> None:
    fetch = replace(a_performance(), metric_type="exchange_fetch", duration_ms=96.0)
    tick = replace(a_performance(), previous_timestamp=AT_MS - 1000)

    report = render_performance(performance_statistics("s", [a_performance(), fetch, tick]))

    assert report == (
        "# Performance Report: s\n\n"
        "- **Total events:** 3\n"
        "- **Total execution time:** 100.00 ms\n"
        "- **Number of metric types:** 2\n\n"
        "## Time Distribution\n\n"
        "- **exchange_fetch:** 96.00% (96.00 ms)\n"
        "- **live_tick:** 4.00% (4.00 ms)\n\n"
        "## Detailed Metrics\n\n"
        "| Metric Type | Count | Total (ms) | Avg (ms) | Min (ms) | Max (ms) | Std Dev (ms)"
        " | Median (ms) | P95 (ms) | P99 (ms) | Avg Wait (ms) | Min Wait (ms) | Max Wait (ms) |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| exchange_fetch | 1 | 96.00 | 96.00 | 96.00 | 96.00 | N/A | 96.00 | 96.00 | 96.00"
        " | N/A | N/A | N/A |\n"
        "| live_tick | 2 | 4.00 | 2.00 | 2.00 | 2.00 | 0.00 | 2.00 | 2.00 | 2.00"
        " | 1000.00 | 1000.00 | 1000.00 |\n\n"
        "Waits are the market time from one event to the next.\n"
    )


def test_what_is_not_exact_or_not_kept_is_told() -> None:
    collector = PerformanceCollector("s", events_max=10)

    report = render_performance(gathered(collector, [a_performance()] * 10_001))

    assert "Median, P95 and P99 are within 0.5 %" in report
    assert "Listed are the newest 10 of 10,001 events as data" in report


def test_durations_of_zero_have_no_share() -> None:
    instant = replace(a_performance(), duration_ms=0.0)

    report = render_performance(performance_statistics("s", [instant]))

    assert "- **live_tick:** N/A (0.00 ms)" in report


def test_nothing_measured() -> None:
    assert "No performance metrics recorded yet." in render_performance(
        performance_statistics("s", [])
    )
