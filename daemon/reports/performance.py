"""The report of how long things took."""

from daemon.core.performance_statistics import MetricStatistics, PerformanceStatistics
from daemon.reports.text import Column, bullets, cut_note, document, number, percent, plain, table

NOTHING_MEASURED = "No performance metrics recorded yet."


def _ms(value: float | None) -> str:
    return number(value, 2)


COLUMNS: tuple[Column[MetricStatistics], ...] = (
    Column("Metric Type", lambda row: row.metric_type),
    Column("Count", lambda row: f"{row.count:,}"),
    Column("Total (ms)", lambda row: _ms(row.total_duration)),
    Column("Avg (ms)", lambda row: _ms(row.avg_duration)),
    Column("Min (ms)", lambda row: _ms(row.min_duration)),
    Column("Max (ms)", lambda row: _ms(row.max_duration)),
    Column("Std Dev (ms)", lambda row: _ms(row.std_dev)),
    Column("Median (ms)", lambda row: _ms(row.median)),
    Column("P95 (ms)", lambda row: _ms(row.p95)),
    Column("P99 (ms)", lambda row: _ms(row.p99)),
    Column("Avg Wait (ms)", lambda row: _ms(row.avg_wait_time)),
    Column("Min Wait (ms)", lambda row: _ms(row.min_wait_time)),
    Column("Max Wait (ms)", lambda row: _ms(row.max_wait_time)),
)


def render_performance(stats: PerformanceStatistics) -> str:
    """Return the report of durations as Markdown, what took longest in all first."""
    title = f"# Performance Report: {plain(stats.strategy_name)}"
    if not stats.total_events:
        return document(title, NOTHING_MEASURED)
    rows = tuple(stats.metric_stats.values())
    return document(
        title,
        bullets(
            [
                ("Total events", f"{stats.total_events:,}"),
                ("Total execution time", f"{_ms(stats.total_duration)} ms"),
                ("Number of metric types", str(len(rows))),
            ]
        ),
        "## Time Distribution",
        bullets([(row.metric_type, _share(row, stats.total_duration)) for row in rows]),
        "## Detailed Metrics",
        table(COLUMNS, rows),
        "Waits are the market time from one event to the next.",
        _error_note(rows),
        cut_note(len(stats.events), stats.total_events, "events as data"),
    )


def _share(row: MetricStatistics, total_ms: float) -> str:
    share = percent(row.total_duration / total_ms * 100 if total_ms > 0 else None)
    return f"{share} ({_ms(row.total_duration)} ms)"


def _error_note(rows: tuple[MetricStatistics, ...]) -> str:
    error = max(row.percentile_error_percent for row in rows)
    if error == 0:
        return ""
    return f"Median, P95 and P99 are within {error:g} % where there are too many to keep each."
