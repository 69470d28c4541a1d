"""Counts transitions as they are announced."""

from collections.abc import Sequence

from daemon.adapters.sinks.prometheus.catalog import (
    CANCELLED,
    CLOSED,
    LOSS_LEVELS,
    OPENED,
    PROFIT_LEVELS,
    REFUSALS,
    SCHEDULED,
    Metric,
)
from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.core.events import (
    Announcement,
    DoneContract,
    ErrorContract,
    ExitContract,
    PartialLossContract,
    PartialProfitContract,
    PerformanceContract,
    ProgressBacktestContract,
    RiskContract,
    SignalActive,
    SignalCancelled,
    SignalClosed,
    SignalIdle,
    SignalOpened,
    SignalScheduled,
    SignalTransition,
)


class PrometheusSink:
    """Turns transitions into counters. Timings come through the meter, gauges from the status."""

    name = "prometheus"

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def wants(self, event: Announcement) -> bool:
        uncounted = PerformanceContract | DoneContract | ProgressBacktestContract
        return not isinstance(event, SignalIdle | SignalActive | uncounted)

    async def send(self, events: Sequence[Announcement]) -> None:
        for event in events:
            self._count(event)

    def _count(self, event: Announcement) -> None:
        metrics = self._metrics
        if isinstance(event, SignalTransition | RiskContract):
            metrics.count_for_task(_COUNTERS[type(event)], event.symbol, event.strategy_name)
        match event:
            case SignalClosed():
                metrics.count_close(event.strategy_name, event.close_reason)
                pnl_ratio = event.pnl.pnl_percentage / 100
                metrics.count_result(event.symbol, event.strategy_name, pnl_ratio)
            case SignalCancelled():
                metrics.count_cancel(event.strategy_name, event.reason)
            case ErrorContract():
                metrics.count_error(event.where)
            case ExitContract():
                metrics.count_exit()
            case _:
                return


_COUNTERS: dict[type[SignalTransition | RiskContract], Metric] = {
    SignalScheduled: SCHEDULED,
    SignalOpened: OPENED,
    SignalClosed: CLOSED,
    SignalCancelled: CANCELLED,
    PartialProfitContract: PROFIT_LEVELS,
    PartialLossContract: LOSS_LEVELS,
    RiskContract: REFUSALS,
}
