"""How series are chosen and called, on more than one dashboard."""

from daemon.adapters.sinks.prometheus import catalog as c
from deploy.grafana.panels import OF_STRATEGY, Query, select

GAUGES = {gauge.metric.name.removeprefix("tickd_task_"): gauge.metric for gauge in c.TASK_GAUGES}
INSTANCE = "{{instance}}"
STRATEGY = "{{strategy}}"
TASK = "{{symbol}} {{strategy}}"


def one(expr: str, legend: str) -> tuple[Query, ...]:
    """Return a single query."""
    return (Query(expr=expr, legend=legend),)


def of_strategy(metric: c.Metric, more: str = "") -> str:
    """Return the selector of `metric` for the chosen instances and strategies."""
    return select(metric, more, OF_STRATEGY)
