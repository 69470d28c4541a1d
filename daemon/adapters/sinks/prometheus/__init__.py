"""Prometheus: what a scraper reads, gathered without cost to the ticks."""

from daemon.adapters.sinks.prometheus.equity import Equity
from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.adapters.sinks.prometheus.sink import PrometheusSink

__all__ = ["Equity", "Metrics", "PrometheusSink"]
