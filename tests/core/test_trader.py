"""One key as every driver runs it: entries checked, slots taken and freed, orders answered."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from daemon.core.events import RiskContract, SignalCancelled, SignalClosed, SignalOpened
from daemon.core.lifecycle import MisuseError
from daemon.core.orders import Order, fill_at_rule_price
from daemon.core.risk import DayClose, RiskPayload, RiskProfile, RiskValidation, TradeHistory
from daemon.core.risk_limits import max_positions
from daemon.core.signal import Key, make_id
from daemon.core.states import (
    Active,
    Close,
    Closing,
    Filled,
    Given,
    Idle,
    Opening,
    Proposal,
    State,
    tick,
)
from daemon.core.trader import Desk, RefusedSignal, advance, history_after, propose, undo
from daemon.core.validation import InvalidSignalError
from tests.core.samples import (
    KEY,
    MINUTE,
    T0,
    WORST,
    a_bar,
    a_desk,
    a_moment,
    a_row,
    a_scheduled,
    a_signal,
    an_active,
)

ETH = Key(exchange_name="sandbox", symbol="ETH/USDT", strategy_name="breakout")
CALM = RiskProfile(risk_name="calm", validations=(max_positions(1),))
IMMEDIATE = Proposal(row=a_row(), seen=tick(T0, 100.0))


def a_profile(validate: Callable[[RiskPayload], str | None]) -> RiskProfile:
    return RiskProfile(
        risk_name="calm", validations=(RiskValidation(validate=validate, note="a note"),)
    )


def holders(desk: Desk) -> list[str]:
    return [item.symbol for item in desk.risk.positions("calm")]


def a_full_desk(desk: Desk | None = None) -> Desk:
    """The only slot of the profile is taken by another key."""
    desk = desk or a_desk(CALM)
    desk.risk.hold(["calm"], ETH, a_row(key=ETH), T0)
    return desk


# -- Proposals -------------------------------------------------------------------------------------


def test_a_sound_answer_becomes_a_proposal_at_the_moment_of_its_price() -> None:
    proposal = propose(a_signal(), a_moment(100.5), a_desk(CALM))

    assert isinstance(proposal, Proposal)
    assert proposal.seen == tick(T0, 100.5)
    assert proposal.row.price_open == 100.5


def test_a_proposal_takes_no_slot() -> None:
    desk = a_desk(CALM)

    propose(a_signal(), a_moment(), desk)
    propose(a_signal(price_open=99.9), a_moment(), desk)

    assert holders(desk) == []


def test_a_refused_signal_is_told_with_a_stable_id() -> None:
    refused = propose(a_signal(), a_moment(), a_full_desk())

    assert isinstance(refused, RefusedSignal)
    assert refused.event == RiskContract(
        id=make_id("risk", KEY, T0, "calm"),
        key=KEY,
        pending_signal=a_signal(),
        risk_name="calm",
        current_price=100.0,
        active_position_count=1,
        comment="1 of 1 positions are open",
        note="maximum of open positions",
        at_ms=T0,
    )


def test_what_is_told_of_a_refusal_is_no_object_that_the_strategy_holds() -> None:
    kept = a_signal()

    refused = propose(kept, a_moment(), a_full_desk())
    object.__setattr__(kept, "price_take_profit", math.nan)

    assert isinstance(refused, RefusedSignal)
    assert refused.event.pending_signal == a_signal()


def test_risk_is_asked_before_validation() -> None:
    """A signal that is well-formed and wrong is refused, as the document's order says."""
    wrong = replace(a_signal(), price_stop_loss=50.0)

    assert isinstance(propose(wrong, a_moment(), a_full_desk()), RefusedSignal)
    assert isinstance(propose(wrong, a_moment(), a_desk(CALM)), InvalidSignalError)


@pytest.mark.parametrize("price", [100.0, math.nan])
def test_nonsense_is_told_as_such_and_not_as_a_refusal(price: float) -> None:
    """A refusal is journaled with its signal: one of NaN could not be written."""
    nonsense = replace(a_signal(), price_take_profit=math.nan) if price == 100 else a_signal()

    assert isinstance(propose(nonsense, a_moment(price), a_full_desk()), InvalidSignalError)
    assert isinstance(propose("buy", a_moment(), a_full_desk()), InvalidSignalError)


def test_a_rule_that_breaks_on_a_wrong_signal_is_no_news_beside_it() -> None:
    desk = a_desk(a_profile(lambda _: 1 / 0))  # type: ignore[arg-type,return-value]  # it breaks
    wrong = replace(a_signal(), price_stop_loss=50.0)

    assert isinstance(propose(wrong, a_moment(), desk), InvalidSignalError)
    refused = propose(a_signal(), a_moment(), desk)
    assert isinstance(refused, RefusedSignal)
    assert refused.refusal.fault is not None


# -- Entries ---------------------------------------------------------------------------------------


def test_an_immediate_signal_opens_at_once_and_holds_a_slot() -> None:
    desk = a_desk(CALM)

    after = advance(Idle(), IMMEDIATE, desk)

    assert after.state == an_active()
    assert [type(event) for event in after.events] == [SignalOpened]
    assert [item.signal for item in desk.risk.positions("calm")] == [a_row()]


def test_a_waiting_signal_holds_no_slot_until_it_opens() -> None:
    desk = a_desk(CALM)

    waiting = advance(Idle(), Proposal(row=a_scheduled().signal, seen=tick(T0, 101.0)), desk)
    before = holders(desk)
    opened = advance(waiting.state, tick(T0 + 9, 100.0), desk)

    assert before == []
    assert isinstance(opened.state, Active)
    (position,) = desk.risk.positions("calm")
    assert position.open_timestamp == T0 + 9
    assert position.signal == opened.state.signal


@pytest.mark.parametrize(
    ("state", "given", "at_ms", "price"),
    [
        (Idle(), IMMEDIATE, T0, 100.0),
        (a_scheduled(), a_bar(T0 + MINUTE, low=99.5, price=100.2), T0 + 2 * MINUTE, 100.2),
    ],
)
def test_an_entry_refused_when_it_is_due_is_dropped_and_leaves_no_slot(
    state: State, given: Given, at_ms: int, price: float
) -> None:
    """Someone else took the slot between the check and the entry."""
    desk = a_full_desk()

    after = advance(state, given, desk)

    assert after.state == Idle()
    assert after.refusal is not None
    (event,) = after.events
    assert isinstance(event, RiskContract)
    assert (event.at_ms, event.current_price) == (at_ms, price)
    assert event.id == make_id("risk", KEY, at_ms, "calm")
    assert holders(desk) == ["ETH/USDT"]


def test_an_entry_without_profiles_is_free() -> None:
    assert advance(Idle(), IMMEDIATE, a_desk()).state == an_active()


def test_in_the_worst_order_one_bar_opens_closes_and_frees_its_slot() -> None:
    desk = a_desk(CALM, rules=WORST)

    after = advance(a_scheduled(), a_bar(T0 + MINUTE, low=98.0), desk)

    assert after.state == Idle()
    assert [type(event) for event in after.events] == [SignalOpened, SignalClosed]
    assert after.is_ambiguous
    assert holders(desk) == []


# -- Exits -----------------------------------------------------------------------------------------


def test_a_close_frees_the_slot() -> None:
    desk = a_desk(CALM)
    state = advance(Idle(), IMMEDIATE, desk).state

    after = advance(state, tick(T0 + 1, 102.0), desk)

    assert after.state == Idle()
    assert [type(event) for event in after.events] == [SignalClosed]
    assert holders(desk) == []


def test_a_cancelled_signal_frees_nobody_elses_slot() -> None:
    desk = a_full_desk()

    after = advance(a_scheduled(), tick(T0 + 1, 98.0), desk)

    assert [type(event) for event in after.events] == [SignalCancelled]
    assert holders(desk) == ["ETH/USDT"]


def test_a_key_whose_state_is_not_trusted_keeps_its_slot_while_it_stands_idle() -> None:
    desk = a_desk(CALM)
    desk.risk.hold(["calm"], KEY, None, T0)

    advance(Idle(), tick(T0 + 1, 100.0), desk)
    advance(a_scheduled(), tick(T0 + 1, 101.0), desk)

    assert holders(desk) == ["BTC/USDT"]


# -- A broker that answers later -------------------------------------------------------------------


def waiting_broker(_: Order) -> Filled | None:
    return None


def test_an_entry_waits_for_its_broker_and_holds_its_slot() -> None:
    slow = replace(a_desk(CALM), broker=waiting_broker)

    opening = advance(Idle(), IMMEDIATE, slow)
    still = advance(opening.state, tick(T0 + 1, 90.0), slow)
    opened = advance(still.state, Filled(price=100.2, at_ms=T0 + 2), slow)

    assert isinstance(opening.state, Opening)
    assert opening.events == ()
    assert still.state is opening.state
    assert opened.state == Active(signal=replace(a_row(), price_open=100.2))
    (position,) = slow.risk.positions("calm")
    assert position.signal == replace(a_row(), price_open=100.2)


def test_a_restored_entry_is_answered_without_a_second_check() -> None:
    """Its slot was taken before the crash and restored: asking again would refuse it."""
    desk = a_desk(CALM)
    opening = Opening(signal=a_row(), seen=tick(T0, 100.0))
    desk.risk.hold(["calm"], KEY, a_row(), T0)

    after = advance(opening, tick(T0 + MINUTE, 100.0), desk)

    assert after.state == an_active()


def test_an_exit_waits_for_its_broker_and_keeps_its_slot() -> None:
    desk = a_desk(CALM)
    state = advance(Idle(), IMMEDIATE, desk).state
    slow = replace(desk, broker=waiting_broker)

    closing = advance(state, tick(T0 + 1, 102.0), slow)
    before = holders(desk)
    closed = advance(closing.state, Filled(price=101.9, at_ms=T0 + 2), slow)

    assert isinstance(closing.state, Closing)
    assert before == ["BTC/USDT"]
    assert closed.state == Idle()
    assert holders(desk) == []


def test_a_fill_that_nobody_waits_for_is_a_bug() -> None:
    with pytest.raises(MisuseError):
        advance(Idle(), Filled(price=1.0, at_ms=T0), a_desk())


# -- When a step was not saved ---------------------------------------------------------------------


def test_undoing_an_entry_frees_its_slot() -> None:
    desk = a_desk(CALM)
    advance(Idle(), IMMEDIATE, desk)

    undo(Idle(), desk)

    assert holders(desk) == []


def test_undoing_an_exit_takes_the_slot_again() -> None:
    desk = a_desk(CALM)
    state = advance(Idle(), IMMEDIATE, desk).state
    before = desk.risk.positions("calm")

    advance(state, Close(reason="user", at_ms=T0 + 1, price=100.0), desk)
    undo(state, desk)

    assert desk.risk.positions("calm") == before


def test_undoing_an_activation_leaves_a_waiting_signal_without_a_slot() -> None:
    desk = a_desk(CALM)
    advance(a_scheduled(), tick(T0 + 1, 100.0), desk)

    undo(a_scheduled(), desk)

    assert holders(desk) == []


# -- What risk remembers ---------------------------------------------------------------------------


def test_closes_among_events_are_remembered() -> None:
    state = an_active()
    after = advance(state, tick(T0 + 1, 99.0), a_desk())
    (closed,) = after.events
    assert isinstance(closed, SignalClosed)

    history = history_after(TradeHistory(), [*advance(Idle(), IMMEDIATE, a_desk()).events, closed])

    pnl = closed.pnl.pnl_percentage
    close = DayClose(at_ms=T0 + 1, pnl_percentage=pnl)
    assert history == TradeHistory(closes=(close,), last_loss_at=T0 + 1)
    assert pnl < 0


def test_the_virtual_broker_fills_at_the_price_of_the_rule() -> None:
    desk = a_desk()

    after = advance(an_active(), tick(T0 + 1, 150.0), desk)

    assert desk.broker is fill_at_rule_price
    (closed,) = after.events
    assert isinstance(closed, SignalClosed)
    assert closed.current_price == 102.0
