"""Armed levels are where `step` acts, no nearer and no farther."""

import math

from hypothesis import assume, given
from hypothesis import event as note_event
from hypothesis import strategies as st

from daemon.core.arming import Armed, Bounds, armed_of, bounds_of, deadline_ms
from daemon.core.candles import MINUTE_MS
from daemon.core.lifecycle import step
from daemon.core.pnl import Position
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow
from daemon.core.states import Active, Idle, Opening, Scheduled, tick

RULES = Rules()


def a_row(
    *, position: Position = "long", price_open: float = 100.0, distance: float = 2.0
) -> SignalRow:
    sign = 1 if position == "long" else -1
    return SignalRow(
        id="a",
        label="",
        symbol="BTC/USDT",
        strategy_name="s",
        exchange_name="sandbox",
        position=position,
        price_open=price_open,
        price_take_profit=price_open + sign * distance,
        price_stop_loss=price_open - sign * distance,
        minute_estimated_time=60,
        note="",
        scheduled_at=0,
        pending_at=0,
        is_scheduled=False,
    )


levels = st.sets(st.sampled_from(range(10, 101, 10))).map(lambda found: tuple(sorted(found)))
prices = st.floats(min_value=90.0, max_value=110.0)
positions = st.sampled_from(["long", "short"])


@given(position=positions, profit=levels, loss=levels, price=prices, basis=st.booleans())
def test_inside_the_bounds_an_open_signal_is_quiet_and_outside_it_is_not(
    position: Position, profit: tuple[int, ...], loss: tuple[int, ...], price: float, basis: bool
) -> None:
    rules = Rules(partial_basis="price" if basis else "progress")
    state = Active(signal=a_row(position=position), profit_levels=profit, loss_levels=loss)
    bounds = bounds_of(state, rules)
    # On the very edge the two roundings of one formula may differ.
    assume(not any(math.isclose(price, edge, rel_tol=1e-12) for edge in (bounds.low, bounds.high)))

    after = step(state, tick(1, price), rules)

    assert bounds.is_crossed(price) == (after.state != state)


@given(position=positions, price=prices)
def test_a_waiting_signal_is_armed_at_its_entry(position: Position, price: float) -> None:
    state = Scheduled(signal=a_row(position=position))

    after = step(state, tick(1, price), RULES)

    assert bounds_of(state, RULES).is_crossed(price) == (after.state != state)


def test_an_idle_state_is_armed_nowhere() -> None:
    assert bounds_of(Idle(), RULES) == Bounds()
    assert deadline_ms(Idle(), RULES) is None


def test_the_deadlines_are_those_at_which_step_acts() -> None:
    waiting = Scheduled(signal=a_row())
    opened = Active(signal=a_row())

    for state in (waiting, opened):
        due_ms = deadline_ms(state, RULES)
        assert due_ms is not None
        assert step(state, tick(due_ms - 1, 100.1), RULES).state == state
        assert step(state, tick(due_ms, 100.1), RULES).state != state
        assert armed_of(state, RULES).is_quiet(due_ms - 1, 100.1)
        assert not armed_of(state, RULES).is_quiet(due_ms, 100.1)


@given(position=positions, profit=levels, loss=levels, price=prices, at_min=st.integers(0, 100))
def test_a_tick_is_left_unjudged_only_where_step_would_stay(
    position: Position, profit: tuple[int, ...], loss: tuple[int, ...], price: float, at_min: int
) -> None:
    row = a_row(position=position)
    states = (Active(signal=row, profit_levels=profit, loss_levels=loss), Scheduled(signal=row))
    for state in states:
        at_ms = row.scheduled_at + at_min * MINUTE_MS
        is_quiet = armed_of(state, RULES).is_quiet(at_ms, price)
        after = step(state, tick(at_ms, price), RULES)

        note_event(f"{type(state).__name__}: quiet {is_quiet}, stays {after.state is state}")
        assert after.state is state or not is_quiet


def test_no_tick_is_left_unjudged_where_a_question_or_an_order_may_be_due() -> None:
    row = a_row()
    for state in (Idle(), Opening(signal=row, seen=tick(1, 100.0))):
        assert armed_of(state, RULES) == Armed()
    assert not Armed().is_quiet(0, 100.0)
