"""The `listen_*` functions: subscribe to an emitter, get back how to unsubscribe.

A listener hears its events one at a time and in order, also when its function is async; what it
raises goes to `listen_error` and harms nobody. The `..._once` functions call theirs for the first
event that the condition accepts and then unsubscribe by themselves.
"""

from daemon.app.registry import REGISTRY
from daemon.core.events import (
    DoneContract,
    ErrorContract,
    ExitContract,
    PartialLossContract,
    PartialProfitContract,
    PerformanceContract,
    ProgressBacktestContract,
    RiskContract,
    TickResult,
)
from daemon.core.research_events import (
    ProgressOptimizerContract,
    ProgressWalkerContract,
    WalkerCompleteContract,
    WalkerContract,
)
from daemon.core.subjects import Handler, Predicate, Unsubscribe


def listen_signal(handle: Handler[TickResult]) -> Unsubscribe:
    """Hear every tick result, live and backtest: idle, scheduled, opened, active, closed ..."""
    return REGISTRY.subjects.signal.subscribe(handle)


def listen_signal_once(accepts: Predicate[TickResult], handle: Handler[TickResult]) -> Unsubscribe:
    """Hear the first tick result that `accepts`."""
    return REGISTRY.subjects.signal.once(accepts, handle)


def listen_signal_live(handle: Handler[TickResult]) -> Unsubscribe:
    """Hear every tick result of live runs."""
    return REGISTRY.subjects.signal_live.subscribe(handle)


def listen_signal_live_once(
    accepts: Predicate[TickResult], handle: Handler[TickResult]
) -> Unsubscribe:
    """Hear the first tick result of a live run that `accepts`."""
    return REGISTRY.subjects.signal_live.once(accepts, handle)


def listen_signal_backtest(handle: Handler[TickResult]) -> Unsubscribe:
    """Hear every tick result of backtests. Whoever listens is told of idle moments, too."""
    return REGISTRY.subjects.signal_backtest.subscribe(handle)


def listen_signal_backtest_once(
    accepts: Predicate[TickResult], handle: Handler[TickResult]
) -> Unsubscribe:
    """Hear the first tick result of a backtest that `accepts`."""
    return REGISTRY.subjects.signal_backtest.once(accepts, handle)


def listen_error(handle: Handler[ErrorContract]) -> Unsubscribe:
    """Hear of recoverable errors: the daemon goes on."""
    return REGISTRY.subjects.error.subscribe(handle)


def listen_exit(handle: Handler[ExitContract]) -> Unsubscribe:
    """Hear of what ended a run."""
    return REGISTRY.subjects.exit.subscribe(handle)


def listen_validation(handle: Handler[ErrorContract]) -> Unsubscribe:
    """Hear of risk validations that broke instead of answering."""
    return REGISTRY.subjects.validation.subscribe(handle)


def listen_done_live(handle: Handler[DoneContract]) -> Unsubscribe:
    """Hear of live runs that have ended."""
    return REGISTRY.subjects.done_live.subscribe(handle)


def listen_done_live_once(
    accepts: Predicate[DoneContract], handle: Handler[DoneContract]
) -> Unsubscribe:
    """Hear of the first live run to end that `accepts`."""
    return REGISTRY.subjects.done_live.once(accepts, handle)


def listen_done_backtest(handle: Handler[DoneContract]) -> Unsubscribe:
    """Hear of backtests that have ended."""
    return REGISTRY.subjects.done_backtest.subscribe(handle)


def listen_done_backtest_once(
    accepts: Predicate[DoneContract], handle: Handler[DoneContract]
) -> Unsubscribe:
    """Hear of the first backtest to end that `accepts`."""
    return REGISTRY.subjects.done_backtest.once(accepts, handle)


def listen_done_walker(handle: Handler[DoneContract]) -> Unsubscribe:
    """Hear of walkers that have ended; `strategy_name` is the walker's name."""
    return REGISTRY.subjects.done_walker.subscribe(handle)


def listen_done_walker_once(
    accepts: Predicate[DoneContract], handle: Handler[DoneContract]
) -> Unsubscribe:
    """Hear of the first walker to end that `accepts`."""
    return REGISTRY.subjects.done_walker.once(accepts, handle)


def listen_walker(handle: Handler[WalkerContract]) -> Unsubscribe:
    """Hear of each strategy that a walker has tested."""
    return REGISTRY.subjects.walker.subscribe(handle)


def listen_walker_once(
    accepts: Predicate[WalkerContract], handle: Handler[WalkerContract]
) -> Unsubscribe:
    """Hear of the first tested strategy that `accepts`."""
    return REGISTRY.subjects.walker.once(accepts, handle)


def listen_walker_complete(handle: Handler[WalkerCompleteContract]) -> Unsubscribe:
    """Hear what walkers came to, after their last strategy."""
    return REGISTRY.subjects.walker_complete.subscribe(handle)


def listen_walker_progress(handle: Handler[ProgressWalkerContract]) -> Unsubscribe:
    """Hear how far walkers have come, after each strategy."""
    return REGISTRY.subjects.progress_walker.subscribe(handle)


def listen_optimizer_progress(handle: Handler[ProgressOptimizerContract]) -> Unsubscribe:
    """Hear how far optimizers have come: before each source, and a last time at 1.0."""
    return REGISTRY.subjects.progress_optimizer.subscribe(handle)


def listen_backtest_progress(handle: Handler[ProgressBacktestContract]) -> Unsubscribe:
    """Hear how far backtests have come: before each moment, and a last time at 1.0."""
    return REGISTRY.subjects.progress_backtest.subscribe(handle)


def listen_performance(handle: Handler[PerformanceContract]) -> Unsubscribe:
    """Hear how long ticks, strategies, fetches, risk checks and writes take."""
    return REGISTRY.subjects.performance.subscribe(handle)


def listen_partial_profit(handle: Handler[PartialProfitContract]) -> Unsubscribe:
    """Hear of profit levels, each once per signal."""
    return REGISTRY.subjects.partial_profit.subscribe(handle)


def listen_partial_profit_once(
    accepts: Predicate[PartialProfitContract], handle: Handler[PartialProfitContract]
) -> Unsubscribe:
    """Hear of the first profit level that `accepts`."""
    return REGISTRY.subjects.partial_profit.once(accepts, handle)


def listen_partial_loss(handle: Handler[PartialLossContract]) -> Unsubscribe:
    """Hear of loss levels, each once per signal."""
    return REGISTRY.subjects.partial_loss.subscribe(handle)


def listen_partial_loss_once(
    accepts: Predicate[PartialLossContract], handle: Handler[PartialLossContract]
) -> Unsubscribe:
    """Hear of the first loss level that `accepts`."""
    return REGISTRY.subjects.partial_loss.once(accepts, handle)


def listen_risk(handle: Handler[RiskContract]) -> Unsubscribe:
    """Hear of signals that risk refused; an approval is never told."""
    return REGISTRY.subjects.risk.subscribe(handle)


def listen_risk_once(
    accepts: Predicate[RiskContract], handle: Handler[RiskContract]
) -> Unsubscribe:
    """Hear of the first refusal that `accepts`."""
    return REGISTRY.subjects.risk.once(accepts, handle)
