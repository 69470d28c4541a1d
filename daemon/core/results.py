"""What a tick is told as, and which of the author's callbacks it calls, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, assert_never, cast, get_args

from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalActive,
    SignalCancelled,
    SignalClosed,
    SignalIdle,
    SignalOpened,
    SignalScheduled,
    SignalTransition,
    TickResult,
    Transition,
)
from daemon.core.levels import progress_at
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import Active, Closing, Idle, Observation, Opening, Scheduled, State

CallbackName = Literal[
    "on_tick",
    "on_open",
    "on_active",
    "on_idle",
    "on_close",
    "on_schedule",
    "on_cancel",
    "on_partial_profit",
    "on_partial_loss",
    "on_write",
]
CALLBACK_NAMES: tuple[CallbackName, ...] = get_args(CallbackName)
E_ = TypeVar("E_", bound=Transition | TickResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One call of an author's callback: `on_open(*arguments)`."""

    name: CallbackName
    arguments: tuple[object, ...]


def stamped(event: E_) -> E_:
    """Return `event` marked as history's: `backtest` is data, and only a driver knows it."""
    if isinstance(event, SignalClosed):
        return cast(E_, _closed_in_history(event))
    return replace(event, backtest=True)


def _closed_in_history(event: SignalClosed) -> SignalClosed:
    # Each position has one, and `replace` takes three times as long.
    return SignalClosed(
        id=event.id,
        key=event.key,
        signal=event.signal,
        current_price=event.current_price,
        close_reason=event.close_reason,
        close_timestamp=event.close_timestamp,
        pnl=event.pnl,
        at_ms=event.at_ms,
        backtest=True,
    )


def standing_result(state: State, key: Key, seen: Observation, rules: Rules) -> TickResult:
    """Return the result of a tick at which nothing happened: idle or active."""
    match state:
        case Idle():
            return SignalIdle(key=key, current_price=seen.price, at_ms=seen.known_at_ms)
        case Active(signal=row):
            progress = progress_at(row, seen.price)
            return SignalActive(
                key=key,
                signal=row,
                current_price=seen.price,
                percent_tp=progress.percent_tp,
                percent_sl=progress.percent_sl,
                revenue_percent=progress.on(rules.partial_basis),
                at_ms=seen.known_at_ms,
            )
        case Scheduled(signal=row) | Opening(signal=row) | Closing(signal=row):
            return SignalActive(
                key=key,
                signal=row,
                current_price=seen.price,
                percent_tp=0.0,
                percent_sl=0.0,
                revenue_percent=0.0,
                at_ms=seen.known_at_ms,
            )
        case _:
            assert_never(state)


def results_of(events: Sequence[SignalTransition | RiskContract]) -> list[TickResult]:
    """Return those of `events` that are tick results, in order."""
    kept: list[TickResult] = []
    for event in events:
        match event:
            case SignalScheduled() | SignalOpened() | SignalClosed() | SignalCancelled():
                kept.append(event)
            case PartialProfitContract() | PartialLossContract() | RiskContract():
                continue
            case _:
                assert_never(event)
    return kept


def callbacks_of(result: TickResult, *, is_waiting: bool, is_live_tick: bool) -> list[Callback]:
    """Return the author's callbacks that `result` calls, `on_tick` last.

    `on_active` fires at each live tick of an open signal, and not in a fast-forward; the two
    partial callbacks fire at each tick and each fast-forwarded bar in profit or in loss. A bar
    at which a signal just goes on is no tick, so `on_tick` does not hear of it.
    """
    symbol, past = result.key.symbol, result.backtest
    price = result.current_price
    calls: list[Callback] = []
    match result:
        case SignalIdle():
            calls.append(Callback(name="on_idle", arguments=(symbol, price, past)))
        case SignalScheduled(signal=row):
            calls.append(Callback(name="on_schedule", arguments=(symbol, row, price, past)))
        case SignalOpened(signal=row):
            calls.append(Callback(name="on_open", arguments=(symbol, row, price, past)))
        case SignalClosed(signal=row):
            calls.append(Callback(name="on_close", arguments=(symbol, row, price, past)))
        case SignalCancelled(signal=row):
            calls.append(Callback(name="on_cancel", arguments=(symbol, row, price, past)))
        case SignalActive() if not is_waiting:
            calls += _callbacks_of_active(result, is_live_tick=is_live_tick)
        case SignalActive():
            pass
        case _:
            assert_never(result)
    if isinstance(result, SignalActive) and not is_live_tick:
        return calls
    calls.append(Callback(name="on_tick", arguments=(symbol, result, past)))
    return calls


def _callbacks_of_active(result: SignalActive, *, is_live_tick: bool) -> list[Callback]:
    symbol, past = result.key.symbol, result.backtest
    row, price, percent = result.signal, result.current_price, result.revenue_percent
    calls: list[Callback] = []
    if is_live_tick:
        calls.append(Callback(name="on_active", arguments=(symbol, row, price, past)))
    if percent > 0:
        arguments = (symbol, row, price, percent, past)
        calls.append(Callback(name="on_partial_profit", arguments=arguments))
    elif percent < 0:
        arguments = (symbol, row, price, percent, past)
        calls.append(Callback(name="on_partial_loss", arguments=arguments))
    return calls
