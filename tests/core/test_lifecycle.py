"""The life of one signal, transition by transition."""

from dataclasses import replace
from typing import Literal

import pytest

from daemon.core.events import (
    SignalCancelled,
    SignalOpened,
    SignalScheduled,
)
from daemon.core.lifecycle import MisuseError, Step, step
from daemon.core.pnl import Position
from daemon.core.states import (
    Active,
    Cancel,
    Close,
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
    tick,
)
from tests.core.samples import (
    KEY,
    MINUTE,
    RULES,
    T0,
    WORST,
    a_bar,
    a_row,
    a_scheduled,
    an_active,
)

HOUR = 60 * MINUTE
AWAIT = 120 * MINUTE


def an_opening(seen: Observation | None = None) -> Opening:
    return Opening(signal=a_row(), seen=seen or tick(T0, 100.0))


def a_closing() -> Closing:
    return Closing(signal=a_row(), reason="take_profit", price=102.0, at_ms=T0 + MINUTE)


def cancel_of(after: Step) -> tuple[str, float, int]:
    assert after.state == Idle()
    (event,) = after.events
    assert isinstance(event, SignalCancelled)
    assert event.close_timestamp == event.at_ms
    return event.reason, event.current_price, event.at_ms


# -- A new signal ----------------------------------------------------------------------------------


def test_a_signal_with_an_entry_price_waits() -> None:
    row = a_scheduled().signal

    after = step(Idle(), Proposal(row=row, seen=tick(T0, 101.0)), RULES)

    event = SignalScheduled(
        id=f"{row.id}-scheduled", key=KEY, signal=row, current_price=101.0, at_ms=T0
    )
    assert after == Step(state=Scheduled(signal=row), events=(event,))


def test_an_immediate_signal_is_opening_until_it_is_filled() -> None:
    seen = tick(T0, 100.0)

    opening = step(Idle(), Proposal(row=a_row(), seen=seen), RULES)
    opened = step(opening.state, Filled(price=100.5, at_ms=T0), RULES)

    assert opening == Step(state=Opening(signal=a_row(), seen=seen))
    row = replace(a_row(), price_open=100.5)
    event = SignalOpened(id=f"{row.id}-opened", key=KEY, signal=row, current_price=100.5, at_ms=T0)
    assert opened == Step(state=Active(signal=row), events=(event,))


def test_a_refused_entry_is_dropped_without_a_word() -> None:
    assert step(an_opening(), Refused(reason="no"), RULES) == Step(state=Idle())


# -- While it waits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "price", "outcome"),
    [
        ("long", 100.01, "waits"),
        ("long", 103.0, "waits"),
        ("long", 100.0, "opens"),
        ("long", 99.01, "opens"),
        ("long", 99.0, "stop_loss"),
        ("short", 99.99, "waits"),
        ("short", 97.0, "waits"),
        ("short", 100.0, "opens"),
        ("short", 100.99, "opens"),
        ("short", 101.0, "stop_loss"),
    ],
)
def test_a_tick_of_a_waiting_signal(position: Position, price: float, outcome: str) -> None:
    """A passed target changes nothing; the stop comes before the entry."""
    waiting = a_scheduled(position)
    seen = tick(T0 + MINUTE, price)

    after = step(waiting, seen, RULES)

    assert not after.is_ambiguous
    if outcome == "waits":
        assert after.state is waiting
        assert after.events == ()
    elif outcome == "opens":
        row = replace(waiting.signal, pending_at=T0 + MINUTE, is_scheduled=False)
        assert after == Step(state=Opening(signal=row, seen=seen))
    else:
        assert cancel_of(after) == ("stop_loss", price, T0 + MINUTE)


def test_waiting_ends_after_two_hours() -> None:
    last = step(a_scheduled(), tick(T0 + AWAIT - 1, 101.0), RULES)

    assert last.state == a_scheduled()
    for price in (101.0, 100.0, 98.0):
        after = step(a_scheduled(), tick(T0 + AWAIT, price), RULES)
        assert cancel_of(after) == ("timeout", price, T0 + AWAIT)


def test_a_bar_times_out_at_its_open_at_the_price_of_that_moment() -> None:
    bar = a_bar(T0 + AWAIT, low=90.0, high=110.0, price=105.0, price_start=101.5)

    assert cancel_of(step(a_scheduled(), bar, RULES)) == ("timeout", 101.5, T0 + AWAIT)


def test_a_bar_opens_when_it_is_known() -> None:
    bar = a_bar(T0 + MINUTE, low=99.5, high=101.0, price=100.4)

    after = step(a_scheduled(), bar, RULES)

    assert isinstance(after.state, Opening)
    assert after.state.signal.pending_at == T0 + 2 * MINUTE
    assert after.state.signal.scheduled_at == T0
    assert not after.is_ambiguous


@pytest.mark.parametrize("position", ["long", "short"])
def test_a_bar_that_touched_stop_and_entry_cancels_and_is_counted(position: Position) -> None:
    """The document's example: low 98, high 100 must not open a lost position."""
    bar = a_bar(T0 + MINUTE, low=98.0, high=102.0, price=99.5)

    after = step(a_scheduled(position), bar, RULES)

    assert cancel_of(after) == ("stop_loss", 99.5, T0 + 2 * MINUTE)
    assert after.is_ambiguous


@pytest.mark.parametrize("position", ["long", "short"])
def test_in_the_worst_order_that_bar_opens_and_loses(position: Position) -> None:
    waiting = a_scheduled(position)
    bar = a_bar(T0 + MINUTE, low=98.0, high=102.0, price=99.5)

    opening = step(waiting, bar, WORST)
    opened = step(opening.state, Filled(price=100.0, at_ms=bar.known_at_ms), WORST)

    assert isinstance(opening.state, Opening)
    assert opening.is_ambiguous
    assert [type(event) for event in opened.events] == [SignalOpened]
    assert isinstance(opened.state, Closing)
    assert opened.state.reason == "stop_loss"
    assert opened.state.price == waiting.signal.price_stop_loss
    assert opened.state.at_ms == T0 + 2 * MINUTE
    assert opened.is_ambiguous


@pytest.mark.parametrize("price", [99.0, 98.0])
def test_in_the_worst_order_a_tick_at_the_stop_still_cancels(price: float) -> None:
    """A tick is one moment: nothing in it has an order."""
    after = step(a_scheduled(), tick(T0 + MINUTE, price), WORST)

    assert cancel_of(after)[0] == "stop_loss"


def test_in_the_worst_order_a_later_bar_at_the_stop_is_judged_as_any_other() -> None:
    """A fill that comes late belongs to no bar that it could have been stopped in."""
    bar = a_bar(T0, low=98.0)
    late = replace(a_row(), pending_at=T0 + 2 * MINUTE)

    after = step(Opening(signal=late, seen=bar), Filled(price=100.0, at_ms=T0), WORST)

    assert isinstance(after.state, Active)


def test_an_immediate_entry_is_not_stopped_by_the_tick_that_made_it() -> None:
    after = step(an_opening(tick(T0, 98.0)), Filled(price=100.0, at_ms=T0), WORST)

    assert after.state == an_active()


@pytest.mark.parametrize("reason", ["user", "stopped", "data_end"])
def test_a_waiting_signal_can_be_cancelled(
    reason: Literal["user", "stopped", "data_end"],
) -> None:
    cancel = Cancel(reason=reason, at_ms=T0 + 5, price=100.7)

    assert cancel_of(step(a_scheduled(), cancel, RULES)) == (reason, 100.7, T0 + 5)


# -- What changes nothing, and what cannot be ------------------------------------------------------

COMMANDS: tuple[Given, ...] = (
    Cancel(reason="user", at_ms=T0, price=100.0),
    Close(reason="user", at_ms=T0, price=100.0),
)
ANSWERS: tuple[Given, ...] = (Filled(price=100.0, at_ms=T0), Refused(reason="no"))
PROPOSAL = Proposal(row=a_row(), seen=tick(T0, 100.0))


@pytest.mark.parametrize(
    ("state", "given"),
    [
        (Idle(), tick(T0, 100.0)),
        *((Idle(), command) for command in COMMANDS),
        (a_scheduled(), COMMANDS[1]),
        (an_active(), COMMANDS[0]),
        *((an_opening(), command) for command in COMMANDS),
        *((a_closing(), command) for command in COMMANDS),
        (an_opening(), tick(T0 + HOUR, 90.0)),
        (a_closing(), tick(T0 + HOUR, 90.0)),
    ],
)
def test_what_does_not_concern_a_state_leaves_it_as_it_is(state: State, given: Given) -> None:
    after = step(state, given, RULES)

    assert after.state is state
    assert after == Step(state=state)


@pytest.mark.parametrize(
    ("state", "given"),
    [
        *((Idle(), answer) for answer in ANSWERS),
        *((a_scheduled(), answer) for answer in ANSWERS),
        *((an_active(), answer) for answer in ANSWERS),
        (a_closing(), ANSWERS[1]),
        *((state, PROPOSAL) for state in (a_scheduled(), an_opening(), an_active(), a_closing())),
    ],
)
def test_a_driver_that_gives_nonsense_is_told(state: State, given: Given) -> None:
    message = f"{type(given).__name__} cannot be given to {type(state).__name__}"

    with pytest.raises(MisuseError, match=message):
        step(state, given, RULES)
