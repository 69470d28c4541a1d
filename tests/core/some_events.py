"""One of each event, for tests that need events and do not care which."""

from dataclasses import replace

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
    Transition,
)
from daemon.core.pnl import Position, ProfitLoss
from daemon.core.signal import Key, SignalRow

AT_MS = 1_700_000_460_000
KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="breakout")


def a_row(*, position: Position = "long", note: str = "a note", key: Key = KEY) -> SignalRow:
    return SignalRow(
        id="s1",
        label="",
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        position=position,
        price_open=100.0,
        price_take_profit=102.0 if position == "long" else 98.0,
        price_stop_loss=99.0 if position == "long" else 101.0,
        minute_estimated_time=20,
        note=note,
        scheduled_at=AT_MS - 660_000,
        pending_at=AT_MS - 600_000,
        is_scheduled=False,
    )


def an_idle(*, at_ms: int = AT_MS, key: Key = KEY) -> SignalIdle:
    return SignalIdle(key=key, current_price=100.0, at_ms=at_ms)


def an_active(*, at_ms: int = AT_MS, key: Key = KEY) -> SignalActive:
    return SignalActive(
        key=key,
        signal=a_row(key=key),
        current_price=101.0,
        percent_tp=50.0,
        percent_sl=0.0,
        revenue_percent=50.0,
        at_ms=at_ms,
    )


def a_scheduled(*, event_id: str = "e1", row: SignalRow | None = None) -> SignalScheduled:
    return SignalScheduled(
        id=event_id, key=KEY, signal=row or a_row(), current_price=101.0, at_ms=AT_MS
    )


def an_opened(
    *, event_id: str = "e2", row: SignalRow | None = None, key: Key = KEY
) -> SignalOpened:
    row = row or a_row(key=key)
    return SignalOpened(id=event_id, key=key, signal=row, current_price=row.price_open, at_ms=AT_MS)


def a_closed(*, event_id: str = "e3", pnl_percent: float = 0.5) -> SignalClosed:
    return SignalClosed(
        id=event_id,
        key=KEY,
        signal=a_row(),
        current_price=102.0,
        close_reason="take_profit",
        close_timestamp=AT_MS,
        pnl=ProfitLoss(pnl_percentage=pnl_percent, price_open=100.2, price_close=101.8),
        at_ms=AT_MS,
    )


def a_cancelled(*, event_id: str = "e4") -> SignalCancelled:
    return SignalCancelled(
        id=event_id,
        key=KEY,
        signal=a_row(),
        current_price=98.0,
        reason="timeout",
        close_timestamp=AT_MS,
        at_ms=AT_MS,
    )


def a_profit_level(*, event_id: str = "e5") -> PartialProfitContract:
    return PartialProfitContract(
        id=event_id,
        key=KEY,
        data=a_row(),
        current_price=101.0,
        level=50,
        revenue_percent=50.0,
        progress_percent=50.0,
        price_percent=1.0,
        at_ms=AT_MS,
    )


def a_loss_level(*, event_id: str = "e6") -> PartialLossContract:
    return PartialLossContract(
        id=event_id,
        key=KEY,
        data=a_row(),
        current_price=99.5,
        level=50,
        loss_percent=-50.0,
        progress_percent=-50.0,
        price_percent=-0.5,
        at_ms=AT_MS,
    )


def a_refusal(*, event_id: str = "e7", comment: str = "too many open") -> RiskContract:
    return RiskContract(
        id=event_id,
        key=KEY,
        pending_signal=a_row(),
        risk_name="calm",
        current_price=100.0,
        active_position_count=3,
        comment=comment,
        note="at most 3",
        at_ms=AT_MS,
    )


def an_error(
    *, event_id: str = "e8", where: str = "feed", message: str = "no answer"
) -> ErrorContract:
    return ErrorContract(
        id=event_id, key=KEY, where=where, error="TransientError", message=message, at_ms=AT_MS
    )


def an_exit(*, event_id: str = "e9", message: str = "no folder") -> ExitContract:
    return ExitContract(
        id=event_id, key=KEY, where="storage", error="FatalError", message=message, at_ms=AT_MS
    )


def a_done() -> DoneContract:
    return DoneContract(
        exchange_name=KEY.exchange_name,
        strategy_name=KEY.strategy_name,
        symbol=KEY.symbol,
        backtest=False,
    )


def a_performance() -> PerformanceContract:
    return PerformanceContract(
        timestamp=AT_MS,
        previous_timestamp=None,
        metric_type="live_tick",
        duration_ms=2.0,
        key=KEY,
    )


def a_progress() -> ProgressBacktestContract:
    return ProgressBacktestContract(
        exchange_name=KEY.exchange_name,
        strategy_name=KEY.strategy_name,
        symbol=KEY.symbol,
        total_frames=4,
        processed_frames=1,
        progress=0.25,
    )


def every_transition() -> tuple[Transition, ...]:
    return (
        a_scheduled(),
        an_opened(),
        a_closed(),
        a_cancelled(),
        a_profit_level(),
        a_loss_level(),
        a_refusal(),
        an_error(),
        an_exit(),
    )


def every_event() -> tuple[Announcement, ...]:
    return (an_idle(), an_active(), *every_transition(), a_done(), a_performance(), a_progress())


def a_short_row() -> SignalRow:
    return replace(a_row(position="short"), id="s2")
