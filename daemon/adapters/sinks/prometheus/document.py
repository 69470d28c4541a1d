"""The documentation of the metrics, made from their catalog."""

from daemon.adapters.sinks.prometheus.catalog import CATALOG, Metric

_START = """\
# Metrics

What `GET /metrics` shows. This page is made from the catalog of metrics; do not edit it. A test
fails when it is out of date and says how to write it anew.

Names begin with `tickd_`, units are base units (seconds, ratios from 0 to 1). Every series is there
from the first scrape on, at 0 where nothing has happened: a rate over it misses nothing. A metric
with the labels `symbol` and `strategy` has one series for each task, for at most 999 tasks; what
comes after them shares the labels `other`, with the sum of counters and the worst of gauges.
Histograms have no task labels. `process_*` are the usual metrics of the process.

The rules and alerts that ask for them are in `deploy/prometheus` (what to do about each alert:
[runbook.md](runbook.md)), the dashboards in `deploy/grafana/dashboards`.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def metrics_document() -> str:
    """Return the text of `docs/metrics.md`."""
    return _START + "".join(map(_row, CATALOG))


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |\n"
