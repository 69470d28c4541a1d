"""The lifecycle of a signal: one pure function for live, history and simulation alike.

`step(state, given, rules)` returns the next state and the facts that follow from it. Nothing
here knows in which mode it runs; time is inside the input. Every transition goes through it.

    idle -> scheduled -> opening -> active -> closing -> idle
             |  (waits)   (broker)           (broker)
             +-> idle: cancelled
"""

from dataclasses import replace
from typing import NamedTuple, assert_never

from daemon.core.candles import MINUTE_MS
from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    SignalTransition,
)
from daemon.core.levels import Progress, new_levels, progress_at
from daemon.core.pnl import profit_loss
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow, activated
from daemon.core.states import (
    Active,
    Cancel,
    CancelReason,
    Close,
    CloseReason,
    Closing,
    Filled,
    Given,
    Idle,
    Observation,
    Opening,
    Proposal,
    Refused,
    Scheduled,
    State,
)


class Step(NamedTuple):
    """The next state and what follows from it, in order.

    `is_ambiguous` says that one bar touched two prices whose order decides the outcome. It is made
    by the order of its fields: by their names that costs twice as much, at each step of history.
    """

    state: State
    events: tuple[SignalTransition, ...] = ()
    is_ambiguous: bool = False


IDLE = Idle()


class MisuseError(RuntimeError):
    """The driver gave a state something that it cannot take: a bug, never the market's doing."""


def step(state: State, given: Given, rules: Rules) -> Step:
    """Return what `given` makes of `state`. Raises MisuseError for a pair without meaning."""
    match state:
        case Idle():
            return _from_idle(state, given)
        case Scheduled():
            return _from_scheduled(state, given, rules)
        case Opening():
            return _from_opening(state, given, rules)
        case Active():
            return _from_active(state, given, rules)
        case Closing():
            return _from_closing(state, given, rules)
        case _:
            assert_never(state)


def _from_idle(state: Idle, given: Given) -> Step:
    match given:
        case Proposal(row=row, seen=seen) if row.is_scheduled:
            event = SignalScheduled(
                id=f"{row.id}-scheduled",
                key=row.key,
                signal=row,
                current_price=seen.price_start,
                at_ms=row.scheduled_at,
            )
            return Step(Scheduled(signal=row), (event,))
        case Proposal(row=row, seen=seen):
            return Step(Opening(signal=row, seen=seen))
        case Observation() | Cancel() | Close():
            return Step(state)
        case Refused() | Filled():
            raise _misuse(state, given)
        case _:
            assert_never(given)


def _from_scheduled(state: Scheduled, given: Given, rules: Rules) -> Step:
    match given:
        case Observation():
            return _observe_scheduled(state, given, rules)
        case Cancel(reason=reason, at_ms=at_ms, price=price):
            return _cancelled(state.signal, reason, at_ms, price)
        case Close():
            return Step(state)
        case Proposal() | Refused() | Filled():
            raise _misuse(state, given)
        case _:
            assert_never(given)


def _observe_scheduled(state: Scheduled, seen: Observation, rules: Rules) -> Step:
    row = state.signal
    if seen.at_ms - row.scheduled_at >= rules.schedule_await_ms:
        return _cancelled(row, "timeout", seen.at_ms, seen.price_start)
    is_stopped = _is_below(row, row.price_stop_loss, seen)
    is_reached = _is_below(row, row.price_open, seen)
    is_ambiguous = seen.span_ms > 0 and is_stopped and is_reached
    if is_stopped and not (is_ambiguous and rules.intrabar == "worst_case"):
        # The stop comes first: a bar that touched both must not open a lost position.
        after = _cancelled(row, "stop_loss", seen.known_at_ms, seen.price)
        return after._replace(is_ambiguous=is_ambiguous)
    if is_reached:
        opening = Opening(signal=activated(row, seen.known_at_ms), seen=seen)
        return Step(opening, (), is_ambiguous)
    return Step(state)


def _from_opening(state: Opening, given: Given, rules: Rules) -> Step:
    match given:
        case Refused():
            return Step(IDLE)
        case Filled(price=price):
            return _opened(state, price, rules)
        case Observation() | Cancel() | Close():
            return Step(state)
        case Proposal():
            raise _misuse(state, given)
        case _:
            assert_never(given)


def _opened(state: Opening, price: float, rules: Rules) -> Step:
    row = state.signal
    if price != row.price_open:
        row = replace(row, price_open=price)
    event = SignalOpened(
        id=f"{row.id}-opened",
        key=row.key,
        signal=row,
        current_price=price,
        at_ms=row.pending_at,
    )
    seen = state.seen
    is_same_bar = seen.span_ms > 0 and row.pending_at == seen.known_at_ms
    if rules.intrabar == "worst_case" and is_same_bar and _is_below(row, row.price_stop_loss, seen):
        stopped = _closing(row, "stop_loss", row.price_stop_loss, seen.known_at_ms)
        return Step(stopped, (event,), is_ambiguous=True)
    return Step(Active(signal=row), (event,))


def _from_active(state: Active, given: Given, rules: Rules) -> Step:
    match given:
        case Observation():
            return _observe_active(state, given, rules)
        case Close(reason=reason, at_ms=at_ms, price=price):
            return Step(_closing(state.signal, reason, price, at_ms))
        case Cancel():
            return Step(state)
        case Proposal() | Refused() | Filled():
            raise _misuse(state, given)
        case _:
            assert_never(given)


def _observe_active(state: Active, seen: Observation, rules: Rules) -> Step:
    row = state.signal
    if seen.at_ms - row.pending_at >= row.minute_estimated_time * MINUTE_MS:
        return Step(_closing(row, "time_expired", seen.price_start, seen.at_ms))
    is_won = _is_above(row, row.price_take_profit, seen)
    is_lost = _is_below(row, row.price_stop_loss, seen)
    is_ambiguous = is_won and is_lost
    is_worst = is_ambiguous and rules.intrabar == "worst_case"
    if is_won and not is_worst:
        won = _closing(row, "take_profit", row.price_take_profit, seen.known_at_ms)
        return Step(won, (), is_ambiguous)
    if is_lost:
        lost = _closing(row, "stop_loss", row.price_stop_loss, seen.known_at_ms)
        return Step(lost, (), is_ambiguous)
    return _levels_reached(state, seen, rules)


def _levels_reached(state: Active, seen: Observation, rules: Rules) -> Step:
    row = state.signal
    progress = progress_at(row, seen.price)
    size = progress.on(rules.partial_basis)
    if size >= 0:
        levels = new_levels(size, state.profit_levels)
        after = replace(state, profit_levels=state.profit_levels + levels) if levels else state
    else:
        levels = new_levels(-size, state.loss_levels)
        after = replace(state, loss_levels=state.loss_levels + levels) if levels else state
    events = tuple(_level_event(row, level, progress, seen, rules) for level in levels)
    return Step(after, events)


def _level_event(
    row: SignalRow, level: int, progress: Progress, seen: Observation, rules: Rules
) -> PartialProfitContract | PartialLossContract:
    size = progress.on(rules.partial_basis)
    if size >= 0:
        return PartialProfitContract(
            id=f"{row.id}-profit-{level}",
            key=row.key,
            data=row,
            current_price=seen.price,
            level=level,
            revenue_percent=size,
            progress_percent=progress.progress_percent,
            price_percent=progress.price_percent,
            at_ms=seen.known_at_ms,
        )
    return PartialLossContract(
        id=f"{row.id}-loss-{level}",
        key=row.key,
        data=row,
        current_price=seen.price,
        level=level,
        loss_percent=size,
        progress_percent=progress.progress_percent,
        price_percent=progress.price_percent,
        at_ms=seen.known_at_ms,
    )


def _from_closing(state: Closing, given: Given, rules: Rules) -> Step:
    match given:
        case Filled(price=price):
            row = state.signal
            event = SignalClosed(
                id=f"{row.id}-closed",
                key=row.key,
                signal=row,
                current_price=price,
                close_reason=state.reason,
                close_timestamp=state.at_ms,
                pnl=profit_loss(row.position, row.price_open, price, rules),
                at_ms=state.at_ms,
            )
            return Step(IDLE, (event,))
        case Observation() | Close() | Cancel():
            return Step(state)
        case Proposal() | Refused():
            raise _misuse(state, given)
        case _:
            assert_never(given)


def _cancelled(row: SignalRow, reason: CancelReason, at_ms: int, price: float) -> Step:
    event = SignalCancelled(
        id=f"{row.id}-cancelled",
        key=row.key,
        signal=row,
        current_price=price,
        reason=reason,
        close_timestamp=at_ms,
        at_ms=at_ms,
    )
    return Step(IDLE, (event,))


def _closing(row: SignalRow, reason: CloseReason, price: float, at_ms: int) -> Closing:
    return Closing(signal=row, reason=reason, price=price, at_ms=at_ms)


def _is_below(row: SignalRow, level: float, seen: Observation) -> bool:
    """Say whether the market went as far against the position as `level` (entry or stop)."""
    return seen.low <= level if row.position == "long" else seen.high >= level


def _is_above(row: SignalRow, level: float, seen: Observation) -> bool:
    """Say whether the market went as far in favour of the position as `level` (the target)."""
    return seen.high >= level if row.position == "long" else seen.low <= level


def _misuse(state: State, given: Given) -> MisuseError:
    return MisuseError(f"{type(given).__name__} cannot be given to {type(state).__name__}")
