"""An event as flat fields, for logs and messages: one name, plain values, always in one order.

Prices are quote units, percents percent points, `at_ms` UTC epoch ms of market time.
"""

from typing import Literal, assert_never

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
    TickResult,
)
from daemon.core.signal import Key, Signal, SignalRow

Field = str | int | float | bool
Fields = dict[str, Field]

LogName = Literal[
    "signal_idle",
    "signal_scheduled",
    "signal_opened",
    "signal_active",
    "signal_closed",
    "signal_cancelled",
    "partial_profit",
    "partial_loss",
    "risk_refused",
    "error",
    "exit",
    "run_done",
    "performance",
    "backtest_progress",
]
MINUTE_MS = 60_000


def log_name(event: Announcement) -> LogName:
    """Return the fixed name under which `event` is logged."""
    match event:
        case SignalIdle() | SignalActive() | SignalScheduled() | SignalOpened():
            return _SIGNAL_NAMES[event.action]
        case SignalClosed() | SignalCancelled():
            return _SIGNAL_NAMES[event.action]
        case PartialProfitContract() | PartialLossContract() | ErrorContract() | ExitContract():
            return event.kind
        case RiskContract():
            return "risk_refused"
        case DoneContract():
            return "run_done"
        case PerformanceContract():
            return "performance"
        case ProgressBacktestContract():
            return "backtest_progress"
        case _:
            assert_never(event)


_SIGNAL_NAMES: dict[str, LogName] = {
    "idle": "signal_idle",
    "scheduled": "signal_scheduled",
    "opened": "signal_opened",
    "active": "signal_active",
    "closed": "signal_closed",
    "cancelled": "signal_cancelled",
}


def flat_fields(event: Announcement) -> Fields:
    """Return what `event` says as flat fields, who and what first, ids and times last."""
    match event:
        case SignalIdle() | SignalActive() | SignalScheduled() | SignalOpened():
            return _tick_result(event)
        case SignalClosed() | SignalCancelled():
            return _tick_result(event)
        case PartialProfitContract() | PartialLossContract():
            return _level(event)
        case RiskContract():
            return _risk(event)
        case ErrorContract() | ExitContract():
            trouble = {"where": event.where, "error": event.error, "message": event.message}
            return _identity(event.key) | _clean(trouble) | _ends(event.id, event.at_ms)
        case DoneContract():
            return _done(event)
        case PerformanceContract():
            return _identity(event.key) | {
                "metric": event.metric_type,
                "duration_ms": event.duration_ms,
                "at_ms": event.timestamp,
            }
        case ProgressBacktestContract():
            return _run(event) | {
                "progress": event.progress,
                "processed_frames": event.processed_frames,
                "total_frames": event.total_frames,
            }
        case _:
            assert_never(event)


def gain_percent(position: str, price_open: float, price: float) -> float:
    """Return what a position gains (or, negative, loses) from `price_open` to `price`, uncosted."""
    if price_open <= 0:
        return 0.0
    change = (price - price_open) / price_open * 100
    return change if position == "long" else -change


def _tick_result(event: TickResult) -> Fields:
    start = _identity(event.key)
    if isinstance(event, SignalIdle):
        return start | {"current_price": event.current_price, "at_ms": event.at_ms}
    row = event.signal
    middle: Fields = _signal(row, row.price_open) | {"current_price": event.current_price}
    match event:
        case SignalScheduled():
            middle["entry_percent"] = _change_percent(event.current_price, row.price_open)
        case SignalActive():
            middle |= {"percent_tp": event.percent_tp, "percent_sl": event.percent_sl}
            return start | middle | {"signal_id": row.id, "at_ms": event.at_ms}
        case SignalClosed():
            middle |= {
                "reason": event.close_reason,
                "pnl_percent": event.pnl.pnl_percentage,
                "held_minutes": _minutes(row.pending_at, event.close_timestamp),
            }
        case SignalCancelled():
            waited = _minutes(row.scheduled_at, event.close_timestamp)
            middle |= {"reason": event.reason, "waited_minutes": waited}
        case SignalOpened():
            pass
        case _:
            assert_never(event)
    return start | middle | _note(row.note) | {"signal_id": row.id} | _ends(event.id, event.at_ms)


def _level(event: PartialProfitContract | PartialLossContract) -> Fields:
    row = event.data
    reached: Fields = {
        "current_price": event.current_price,
        "level_percent": event.level,
        "progress_percent": event.progress_percent,
        "price_percent": event.price_percent,
    }
    if isinstance(event, PartialProfitContract):
        reached["revenue_percent"] = event.revenue_percent
    else:
        reached["loss_percent"] = event.loss_percent
    start = _identity(event.key) | _signal(row, row.price_open)
    return start | reached | {"signal_id": row.id} | _ends(event.id, event.at_ms)


def _risk(event: RiskContract) -> Fields:
    signal = event.pending_signal
    price_open = event.current_price if signal.price_open is None else signal.price_open
    refused: Fields = {
        "current_price": event.current_price,
        "risk": plain_field(event.risk_name),
        "reason": plain_field(event.comment),
        "active_position_count": event.active_position_count,
    }
    if isinstance(signal, SignalRow) and signal.pending_at > signal.scheduled_at:
        # It was accepted once, and refused when the price had reached its entry.
        refused["waited_minutes"] = _minutes(signal.scheduled_at, signal.pending_at)
    rule: Fields = {"rule": plain_field(event.note)} if event.note else {}
    start = _identity(event.key) | _signal(signal, price_open)
    return start | refused | rule | _note(signal.note) | _ends(event.id, event.at_ms)


def _run(event: DoneContract | ProgressBacktestContract) -> Fields:
    return {
        "symbol": plain_field(event.symbol),
        "strategy": plain_field(event.strategy_name),
        "exchange": plain_field(event.exchange_name),
    }


def _done(event: DoneContract) -> Fields:
    frame: Fields = {"frame": plain_field(event.frame_name)} if event.frame_name else {}
    start = _run(event)
    return start | frame | {"backtest": event.backtest}


def _identity(key: Key) -> Fields:
    return {
        "symbol": plain_field(key.symbol),
        "strategy": plain_field(key.strategy_name),
        "exchange": plain_field(key.exchange_name),
    }


def _signal(signal: Signal | SignalRow, price_open: float) -> Fields:
    take_profit, stop_loss = signal.price_take_profit, signal.price_stop_loss
    return {
        "position": signal.position,
        "price_open": price_open,
        "price_take_profit": take_profit,
        "price_stop_loss": stop_loss,
        "take_profit_percent": gain_percent(signal.position, price_open, take_profit),
        "stop_loss_percent": gain_percent(signal.position, price_open, stop_loss),
        "minute_estimated_time": signal.minute_estimated_time,
    }


def _note(note: str | None) -> Fields:
    return {"note": plain_field(note)} if note else {}


def _ends(event_id: str, at_ms: int) -> Fields:
    return {"id": event_id, "at_ms": at_ms}


def _change_percent(price_from: float, price_to: float) -> float:
    return (price_to - price_from) / price_from * 100 if price_from > 0 else 0.0


def _minutes(from_ms: int, to_ms: int) -> float:
    return round((to_ms - from_ms) / MINUTE_MS, 1)


def _clean(texts: dict[str, str]) -> Fields:
    return {name: plain_field(text) for name, text in texts.items()}


def plain_field(text: str) -> str:
    """Return `text` as it can be written to a file and sent to somebody."""
    # A lone surrogate can be written to no file and sent to nobody.
    return text.encode("utf-8", "replace").decode("utf-8")
