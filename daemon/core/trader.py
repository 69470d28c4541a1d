"""One (symbol, strategy) as every driver runs it: `step`, the risk desk and the broker together.

Live, backtest and simulation all call `advance` and `propose`; none has a text of its own for
what a reached entry, a refusal or a fill means.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from daemon.core.events import RiskContract, SignalClosed, SignalTransition
from daemon.core.lifecycle import step
from daemon.core.orders import Order, order_due
from daemon.core.risk import DayClose, Refusal, RiskDesk, RiskRequest, TradeHistory
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal, make_id
from daemon.core.states import (
    Filled,
    Given,
    Opening,
    Proposal,
    Refused,
    State,
    at_risk,
    row_of,
    tick,
)
from daemon.core.validation import InvalidSignalError, Moment, form_faults, make_row, read_signal

Broker = Callable[[Order], Filled | None]
"""Answers an order at once, or None where the answer comes later as a given of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a driver hands to every step of one key.

    `redact` takes secrets out of what a strategy says of a signal, before anything keeps it.
    """

    key: Key
    rules: Rules
    risk: RiskDesk
    risk_names: tuple[str, ...]
    broker: Broker
    redact: Callable[[str], str] = str


class Advance(NamedTuple):
    """What came of one given: the state, the facts in order, and whether risk refused."""

    state: State
    events: tuple[SignalTransition | RiskContract, ...] = ()
    refusal: Refusal | None = None
    is_ambiguous: bool = False


def advance(state: State, given: Given, desk: Desk) -> Advance:
    """Return what `given` makes of `state`, with slots taken and freed and orders answered.

    A decided entry is checked and its slot taken here, in one call without anything between.
    The caller saves the result before anybody hears of it, and calls `undo` if it cannot.
    """
    first = step(state, given, desk.rules)
    if first.state is state and order_due(state) is None:
        return Advance(state)
    events: tuple[SignalTransition | RiskContract, ...] = first.events
    now, is_ambiguous, refusal = first.state, first.is_ambiguous, None
    if isinstance(now, Opening) and not isinstance(state, Opening) and desk.risk_names:
        refusal, request = _take_slot(now, given, desk)
        if refusal is not None:
            now = step(now, Refused(reason=refusal.comment), desk.rules).state
            events = (*events, refusal_event(refusal, request))
    while (order := order_due(now)) and (filled := desk.broker(order)):
        done = step(now, filled, desk.rules)
        now, events = done.state, events + done.events
        is_ambiguous = is_ambiguous or done.is_ambiguous
    if desk.risk_names:
        _settle(state, first.state, now, desk)
    return Advance(now, events, refusal, is_ambiguous)


def _settle(before: State, decided: State, after: State, desk: Desk) -> None:
    """Let the slots of the key follow the step. One that no step took is not given back."""
    row = row_of(after)
    if row is not None and at_risk(after):
        if row is not row_of(before):
            desk.risk.hold(desk.risk_names, desk.key, row, row.pending_at)
    elif at_risk(before) or at_risk(decided):
        desk.risk.release(desk.risk_names, desk.key)


def undo(state: State, desk: Desk) -> None:
    """Put the slots of the key back to what `state` holds: the step after it was not saved."""
    row = row_of(state)
    if row is not None and at_risk(state):
        desk.risk.hold(desk.risk_names, desk.key, row, row.pending_at)
    else:
        desk.risk.release(desk.risk_names, desk.key)


def _take_slot(opening: Opening, given: Given, desk: Desk) -> tuple[Refusal | None, RiskRequest]:
    """Return why the slots of `opening` are refused, or None: they are taken."""
    row = opening.signal
    price = opening.seen.price_start if isinstance(given, Proposal) else opening.seen.price
    request = RiskRequest(
        key=desk.key, pending_signal=row, current_price=price, timestamp=row.pending_at
    )
    return desk.risk.reserve(desk.risk_names, request, row), request


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSignal:
    """Risk refused a signal before it was made."""

    refusal: Refusal
    event: RiskContract


def propose(
    returned: object, moment: Moment, desk: Desk
) -> Proposal | RefusedSignal | InvalidSignalError:
    """Return what becomes of a strategy's answer: risk first, then kind and validation.

    `moment` is the price read after the answer came, and its time: the signal's `scheduled_at`.
    """
    try:
        signal = _without_secrets(read_signal(returned), desk.redact)
    except InvalidSignalError as error:
        return error
    refused = None
    if desk.risk_names:
        # What is told of a refusal lasts, and a strategy may change by force what it returned.
        signal = replace(signal)
        refused = _refused(signal, moment, desk)
    # A refusal comes first, but not one of nonsense: that must not reach the journal, and a rule
    # that broke on it is no news beside what is wrong with the signal.
    is_plain = refused is not None and refused.refusal.fault is None
    if refused is not None and is_plain and not form_faults(signal, moment.price):
        return refused
    try:
        row = make_row(signal, moment, desk.rules)
    except InvalidSignalError as error:
        return error
    if refused is not None:
        return refused
    return Proposal(row, tick(moment.at_ms, moment.price))


def _refused(signal: Signal, moment: Moment, desk: Desk) -> RefusedSignal | None:
    """Return the first refusal of the profiles of `desk`, or None: all allow."""
    request = RiskRequest(
        key=moment.key,
        pending_signal=signal,
        current_price=moment.price,
        timestamp=moment.at_ms,
    )
    refusal = desk.risk.check(desk.risk_names, request)
    if refusal is None:
        return None
    return RefusedSignal(refusal=refusal, event=refusal_event(refusal, request))


def _without_secrets(signal: Signal, redact: Callable[[str], str]) -> Signal:
    # Both are still unchecked here: what is no text is found out later. Their types and not
    # isinstance, which would ask them: a foreign __class__ may raise.
    note = redact(signal.note) if type(signal.note) is str else signal.note
    label = redact(signal.id) if type(signal.id) is str else signal.id
    if note is signal.note and label is signal.id:
        return signal
    return replace(signal, note=note, id=label)


def refusal_event(refusal: Refusal, request: RiskRequest) -> RiskContract:
    """Return the durable event of a refusal."""
    return RiskContract(
        id=make_id("risk", request.key, request.timestamp, refusal.risk_name),
        key=request.key,
        pending_signal=request.pending_signal,
        risk_name=refusal.risk_name,
        current_price=request.current_price,
        active_position_count=refusal.active_position_count,
        comment=refusal.comment,
        note=refusal.note,
        at_ms=request.timestamp,
    )


def history_after(
    history: TradeHistory, events: Sequence[SignalTransition | RiskContract]
) -> TradeHistory:
    """Return `history` with the closes among `events`."""
    for event in events:
        if isinstance(event, SignalClosed):
            close = DayClose(at_ms=event.at_ms, pnl_percentage=event.pnl.pnl_percentage)
            history = history.with_close(close)
    return history
