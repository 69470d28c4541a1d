"""An open signal: how it closes, and the levels that it passes."""

from dataclasses import replace

import pytest

from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    SignalClosed,
)
from daemon.core.lifecycle import Step, step
from daemon.core.pnl import Position, profit_loss
from daemon.core.states import (
    Active,
    Close,
    Closing,
    Filled,
    Idle,
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
    an_active,
)

HOUR = 60 * MINUTE


def closing_of(after: Step) -> tuple[str, float, int]:
    assert isinstance(after.state, Closing), after
    assert after.events == ()
    return after.state.reason, after.state.price, after.state.at_ms


# -- While it is open ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "price", "outcome"),
    [
        ("long", 101.99, None),
        ("long", 102.0, ("take_profit", 102.0)),
        ("long", 105.0, ("take_profit", 102.0)),
        ("long", 99.01, None),
        ("long", 99.0, ("stop_loss", 99.0)),
        ("long", 90.0, ("stop_loss", 99.0)),
        ("short", 98.01, None),
        ("short", 98.0, ("take_profit", 98.0)),
        ("short", 90.0, ("take_profit", 98.0)),
        ("short", 101.0, ("stop_loss", 101.0)),
        ("short", 110.0, ("stop_loss", 101.0)),
    ],
)
def test_a_tick_of_an_open_signal(
    position: Position, price: float, outcome: tuple[str, float] | None
) -> None:
    """It closes at exactly the price of the target or the stop."""
    after = step(an_active(position), tick(T0 + MINUTE, price), RULES)

    assert not after.is_ambiguous
    if outcome is None:
        assert isinstance(after.state, Active)
    else:
        assert closing_of(after) == (*outcome, T0 + MINUTE)


def test_time_comes_before_target_and_stop() -> None:
    for price in (100.5, 103.0, 98.0):
        after = step(an_active(), tick(T0 + HOUR, price), RULES)
        assert closing_of(after) == ("time_expired", price, T0 + HOUR)

    assert step(an_active(), tick(T0 + HOUR - 1, 100.0), RULES).state == an_active()


def test_its_time_counts_from_its_activation() -> None:
    row = replace(a_row(), scheduled_at=T0 - HOUR, pending_at=T0)

    assert isinstance(step(Active(signal=row), tick(T0 + 1, 100.0), RULES).state, Active)
    assert isinstance(step(Active(signal=row), tick(T0 + HOUR, 100.0), RULES).state, Closing)


def test_a_bar_expires_at_its_open_at_the_price_of_that_moment() -> None:
    bar = a_bar(T0 + HOUR, low=90.0, high=110.0, price=105.0, price_start=100.7)

    assert closing_of(step(an_active(), bar, RULES)) == ("time_expired", 100.7, T0 + HOUR)


def test_a_bar_closes_when_it_is_known() -> None:
    bar = a_bar(T0 + MINUTE, high=102.0)

    assert closing_of(step(an_active(), bar, RULES)) == ("take_profit", 102.0, T0 + 2 * MINUTE)


@pytest.mark.parametrize("position", ["long", "short"])
def test_a_bar_that_touched_both_wins_by_the_document_and_loses_in_the_worst_order(
    position: Position,
) -> None:
    bar = a_bar(T0 + MINUTE, low=97.0, high=103.0)
    row = a_row(position)

    best = step(an_active(position), bar, RULES)
    worst = step(an_active(position), bar, WORST)

    assert closing_of(best) == ("take_profit", row.price_take_profit, T0 + 2 * MINUTE)
    assert closing_of(worst) == ("stop_loss", row.price_stop_loss, T0 + 2 * MINUTE)
    assert best.is_ambiguous
    assert worst.is_ambiguous


def test_a_person_or_the_end_of_data_closes_at_the_price_given() -> None:
    for reason in ("user", "time_expired"):
        close = Close(reason=reason, at_ms=T0 + 7, price=100.3)
        assert closing_of(step(an_active(), close, RULES)) == (reason, 100.3, T0 + 7)


@pytest.mark.parametrize("position", ["long", "short"])
def test_a_close_tells_the_result_after_costs(position: Position) -> None:
    row = a_row(position)
    closing = Closing(signal=row, reason="stop_loss", price=row.price_stop_loss, at_ms=T0 + 9)

    after = step(closing, Filled(price=row.price_stop_loss, at_ms=T0 + 9), RULES)

    event = SignalClosed(
        id=f"{row.id}-closed",
        key=KEY,
        signal=row,
        current_price=row.price_stop_loss,
        close_reason="stop_loss",
        close_timestamp=T0 + 9,
        pnl=profit_loss(position, 100.0, row.price_stop_loss, RULES),
        at_ms=T0 + 9,
    )
    assert after == Step(state=Idle(), events=(event,))


# -- Partial levels --------------------------------------------------------------------------------


def test_levels_are_told_once_and_ascend() -> None:
    first = step(an_active(), tick(T0 + 1, 100.5), RULES)
    second = step(first.state, tick(T0 + 2, 100.7), RULES)
    third = step(second.state, tick(T0 + 3, 100.2), RULES)

    assert [event.id for event in first.events] == [f"{a_row().id}-profit-{n}" for n in (10, 20)]
    assert [event.id for event in second.events] == [f"{a_row().id}-profit-30"]
    assert third.events == ()
    assert third.state == replace(an_active(), profit_levels=(10, 20, 30))


def test_a_level_of_profit_carries_its_numbers() -> None:
    (event,) = step(an_active("short"), tick(T0 + 1, 99.75), RULES).events

    assert event == PartialProfitContract(
        id=f"{a_row().id}-profit-10",
        key=KEY,
        data=a_row("short"),
        current_price=99.75,
        level=10,
        revenue_percent=12.5,
        progress_percent=12.5,
        price_percent=0.25,
        at_ms=T0 + 1,
    )


def test_a_level_of_loss_is_positive_and_its_percents_are_negative() -> None:
    after = step(an_active(), a_bar(T0, low=99.5, high=100.2, price=99.875), RULES)

    assert after.events == (
        PartialLossContract(
            id=f"{a_row().id}-loss-10",
            key=KEY,
            data=a_row(),
            current_price=99.875,
            level=10,
            loss_percent=-12.5,
            progress_percent=-12.5,
            price_percent=-0.125,
            at_ms=T0 + MINUTE,
        ),
    )
    assert after.state == replace(an_active(), loss_levels=(10,))


def test_levels_may_count_percents_of_price() -> None:
    by_price = replace(RULES, partial_basis="price", max_stoploss_distance_percent=0)
    row = replace(a_row(), price_take_profit=140.0, price_stop_loss=60.0)

    up = step(Active(signal=row), tick(T0 + 1, 125.0), by_price)
    down = step(Active(signal=row), tick(T0 + 1, 90.0), by_price)

    assert up.state == Active(signal=row, profit_levels=(10, 20))
    assert [event.id for event in down.events] == [f"{row.id}-loss-10"]


def test_the_closing_tick_tells_no_level() -> None:
    after = step(an_active(), tick(T0 + 1, 102.0), RULES)

    assert isinstance(after.state, Closing)
    assert after.events == ()
