"""Every metric that the daemon shows: its name, kind, labels and meaning. The docs come from here.

Base units throughout: seconds, ratios from 0 to 1. Task labels (symbol, strategy) stand on gauges
and counters only; a histogram per task would cost a dozen series each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from daemon.ports import CounterName, MeterName, TaskStatus

PREFIX = "tickd_"
NEVER = float("inf")
"""An age where nothing has happened yet: an alert on old prices must fire for it too."""

Kind = Literal["counter", "gauge", "histogram"]
TASK = ("symbol", "strategy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric as it is exposed. A counter's name ends in `_total`."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGauge:
    """A gauge with task labels. Tasks beyond the budget share one series, which is the `worst`."""

    metric: Metric
    read: Callable[[TaskStatus], float]
    worst: Callable[[float, float], float]


def _gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    return Metric(name=PREFIX + name, kind="gauge", text=text, labels=labels)


def _counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Metric:
    return Metric(name=f"{PREFIX}{name}_total", kind="counter", text=text, labels=labels)


def _histogram(name: str, text: str) -> Metric:
    return Metric(name=f"{PREFIX}{name}_seconds", kind="histogram", text=text)


def _task(
    name: str,
    text: str,
    read: Callable[[TaskStatus], float],
    worst: Callable[[float, float], float],
) -> TaskGauge:
    return TaskGauge(metric=_gauge(f"task_{name}", text, TASK), read=read, worst=worst)


def _age(seconds: float | None) -> float:
    return NEVER if seconds is None else seconds


def _position(task: TaskStatus) -> float:
    if task.state not in ("active", "closing"):
        return 0.0
    return 1.0 if task.position == "long" else -1.0


def _sum(one: float, other: float) -> float:
    return one + other


# -- From the daemon's status, at the moment of the scrape ----------------------------------------

BUILD = _gauge("build_info", "Always 1; the labels say what runs.", ("version", "exchange", "mode"))
LIVE = _gauge("live", "1 while the event loop answers.")
READY = _gauge("ready", "1 while every task trades on fresh data; 0 if anything is stale or off.")
UPTIME = _gauge("uptime_seconds", "How long the daemon has run.")
MARKET_TIME = _gauge("market_time_seconds", "Market time, as seconds since the epoch.")
MARKET_SPEED = _gauge("market_speed_ratio", "Market seconds per second: 1 outside the sandbox.")
TASKS = _gauge("tasks", "Tasks by the condition that they are in.", ("condition",))
ORPHANS = _gauge("orphans", "Open signals whose strategy is no longer configured.")
SINK_QUEUE = _gauge("sink_queue_events", "Events that wait for a sink.", ("sink",))
SINK_EVENTS = _counter(
    "sink_events",
    "Events by what became of them: sent, dropped (the queue was full), failed.",
    ("sink", "outcome"),
)
TASK_RESTARTS = _counter("task_restarts", "Restarts of a task after it failed.", TASK)

TASK_GAUGES: tuple[TaskGauge, ...] = (
    _task("ready", "1 while the task trades on fresh data.", lambda task: task.is_ready, min),
    _task(
        "circuit_open",
        "1 while the task asks for no signals because it failed too often.",
        lambda task: task.condition == "circuit_open",
        max,
    ),
    _task("paused", "1 while a person has paused the task.", lambda task: task.is_paused, max),
    _task(
        "blocked",
        "1 while a damaged state file keeps the task from entering.",
        lambda task: task.is_blocked,
        max,
    ),
    _task(
        "position",
        "1 while a long position is open, -1 while a short one is, else 0.",
        _position,
        _sum,
    ),
    _task(
        "progress_ratio",
        "The way of an open signal: up to 1 to its target, down to -1 to its stop.",
        lambda task: (task.percent_tp - task.percent_sl) / 100,
        min,
    ),
    _task(
        "price_age_seconds",
        "Since the price was last confirmed; +Inf before the first price.",
        lambda task: _age(task.price_age_s),
        max,
    ),
    _task(
        "tick_age_seconds",
        "Since the last tick; +Inf before the first.",
        lambda task: _age(task.tick_age_s),
        max,
    ),
    _task(
        "last_decision_timestamp_seconds",
        "Market time of the last call of the strategy, 0 before the first.",
        lambda task: (task.last_decision_ms or 0) / 1000,
        min,
    ),
)


# -- From events -----------------------------------------------------------------------------------

SCHEDULED = _counter("signals_scheduled", "Signals that began to wait for their entry.", TASK)
OPENED = _counter("signals_opened", "Signals that became a position.", TASK)
CLOSED = _counter("signals_closed", "Positions that were closed.", TASK)
CANCELLED = _counter("signals_cancelled", "Waiting signals that ended without a position.", TASK)
PROFIT_LEVELS = _counter("profit_levels", "Profit levels that open signals reached.", TASK)
LOSS_LEVELS = _counter("loss_levels", "Loss levels that open signals reached.", TASK)
WON = _counter("signals_won", "Positions that were closed with a gain after costs.", TASK)
REFUSALS = _counter("risk_refusals", "Signals that a risk profile refused.", TASK)
CLOSES = _counter("closes", "Closed positions by reason.", ("strategy", "reason"))
CANCELS = _counter("cancels", "Cancelled signals by reason.", ("strategy", "reason"))
PNL = _gauge(
    "strategy_pnl_ratio",
    "Gains less losses of closed positions after costs, each as a share of its position, added up"
    " over as much of the journal as a start reads.",
    ("strategy",),
)
DRAWDOWN = _gauge(
    "strategy_drawdown_ratio",
    "How far tickd_strategy_pnl_ratio stands below the highest that it has been.",
    ("strategy",),
)
MEMORY = _gauge(
    "strategy_memory_bytes",
    "Memory that hangs on a strategy's attributes, class and module, estimated once a minute.",
    ("strategy",),
)
FOREIGN_TASKS = _gauge(
    "strategy_tasks", "Tasks of the event loop that a strategy has started.", ("strategy",)
)
ERRORS = _counter("errors", "Errors that the daemon goes on after, by where.", ("where",))
EXITS = _counter("exits", "Errors that ended a run.")

TASK_COUNTERS = (SCHEDULED, OPENED, CLOSED, CANCELLED, PROFIT_LEVELS, LOSS_LEVELS, REFUSALS, WON)

CLOSE_REASONS = ("time_expired", "take_profit", "stop_loss", "user")
CANCEL_REASONS = ("timeout", "stop_loss", "user", "stopped", "data_end")
CONDITIONS = ("starting", "running", "backing_off", "circuit_open", "off", "stopped")
ERROR_PLACES = (
    "callback",
    "event_loop",
    "exchange",
    "feed",
    "get_signal",
    "growth",
    "listener",
    "sink",
    "state",
    "storage",
    "strategy",
    "task",
    "validation",
)

# -- From the parts, as they measure ---------------------------------------------------------------

TIMINGS: Mapping[MeterName, Metric] = {
    "live_tick": _histogram("tick_duration", "How long a tick of one task takes."),
    "tick_lateness": _histogram("tick_lateness", "How late a tick begins."),
    "strategy_execution": _histogram("get_signal_duration", "How long get_signal takes."),
    "exchange_fetch": _histogram(
        "exchange_fetch_duration", "How long a request for candles takes."
    ),
    "risk_validation": _histogram("risk_check_duration", "How long a risk check takes."),
    "persistence_write": _histogram("state_write_duration", "How long a durable write takes."),
    "journal_append": _histogram("journal_append_duration", "How long a durable append takes."),
    "loop_lag": _histogram("event_loop_lag", "How late the event loop runs its timers."),
}
"""Backtests have no scraper: their timings are listeners' business."""

COUNTS: Mapping[CounterName, Metric] = {
    "task_restarts": _counter("restarts", "Restarts after a failure, all tasks together."),
    "quarantined_files": _counter("quarantined_files", "State files that could not be trusted."),
    "leaked_threads": _counter("leaked_threads", "Threads of strategies that never came back."),
    "clock_steps": _counter("clock_steps", "Jumps of the wall clock that were noticed."),
}

ReadingName = Literal[
    "log_drops", "journal_entries", "rate_limit_weight_used", "rate_limit_refusals", "flat_minutes",
    "callbacks_left_behind", "storage_failing", "exchange_clock_skew", "memory_limit",
]  # fmt: skip

READINGS: Mapping[ReadingName, Metric] = {
    "log_drops": _counter("log_drops", "Log lines that could not be written."),
    "journal_entries": _counter("journal_entries", "Entries of the journal since it began."),
    "rate_limit_weight_used": _gauge(
        "rate_limit_weight_used_ratio", "Share of the exchange's request budget that is spent."
    ),
    "rate_limit_refusals": _counter(
        "rate_limit_refusals", "Requests that the exchange refused because there were too many."
    ),
    "flat_minutes": _counter(
        "flat_candles", "One-minute candles without trades that were filled flat."
    ),
    "callbacks_left_behind": _counter(
        "callbacks_left_behind", "Callbacks that went on although they were cancelled."
    ),
    "storage_failing": _gauge(
        "storage_failing_writers",
        "State files and journal writers whose last write did not get through.",
    ),
    "exchange_clock_skew": _gauge(
        "exchange_clock_skew_seconds",
        "How far the exchange's time was ahead of ours when last compared; 0 in a sandbox.",
    ),
    "memory_limit": _gauge(
        "memory_limit_bytes",
        "Memory at which the kernel ends the process; +Inf without a limit.",
    ),
}

# One list, in the order of the docs.
CATALOG: tuple[Metric, ...] = (
    BUILD,
    LIVE,
    READY,
    UPTIME,
    MARKET_TIME,
    MARKET_SPEED,
    TASKS,
    ORPHANS,
    *(gauge.metric for gauge in TASK_GAUGES),
    TASK_RESTARTS,
    *TASK_COUNTERS,
    CLOSES,
    CANCELS,
    PNL,
    DRAWDOWN,
    MEMORY,
    FOREIGN_TASKS,
    ERRORS,
    EXITS,
    SINK_EVENTS,
    SINK_QUEUE,
    *TIMINGS.values(),
    *COUNTS.values(),
    *READINGS.values(),
)
