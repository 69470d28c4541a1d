"""What a tick is told as, and which callbacks hear it."""

from dataclasses import fields, replace

import pytest

from daemon.core.events import SignalActive, SignalIdle, TickResult
from daemon.core.results import Callback, callbacks_of, results_of, stamped, standing_result
from daemon.core.states import Active, Closing, Idle, Opening, State, tick
from tests.core import some_events
from tests.core.samples import KEY, MINUTE, RULES, T0, a_bar, a_row, a_scheduled, an_active


def called(result: TickResult, *, is_waiting: bool = False, is_live_tick: bool = True) -> list[str]:
    calls = callbacks_of(result, is_waiting=is_waiting, is_live_tick=is_live_tick)
    return [call.name for call in calls]


def an_active_result(revenue_percent: float) -> SignalActive:
    return replace(some_events.an_active(), revenue_percent=revenue_percent)


# -- Standing results ------------------------------------------------------------------------------


def test_idle_is_told_at_the_price_and_time_of_the_observation() -> None:
    result = standing_result(Idle(), KEY, a_bar(price=100.3), RULES)

    assert result == SignalIdle(key=KEY, current_price=100.3, at_ms=T0 + MINUTE)


def test_an_open_signal_is_active_with_its_progress() -> None:
    result = standing_result(an_active(), KEY, tick(T0, 101.0), RULES)

    assert result == SignalActive(
        key=KEY,
        signal=a_row(),
        current_price=101.0,
        percent_tp=50.0,
        percent_sl=0.0,
        revenue_percent=50.0,
        at_ms=T0,
    )


def test_revenue_follows_the_basis_of_levels_and_the_two_percents_do_not() -> None:
    by_price = replace(RULES, partial_basis="price")

    result = standing_result(an_active(), KEY, tick(T0, 99.5), by_price)

    assert isinstance(result, SignalActive)
    assert (result.percent_tp, result.percent_sl) == (0.0, 50.0)
    assert result.revenue_percent == -0.5


@pytest.mark.parametrize(
    "state",
    [
        a_scheduled(),
        Opening(signal=a_row(), seen=tick(T0, 100.0)),
        Closing(signal=a_row(), reason="user", price=100.0, at_ms=T0),
    ],
)
def test_while_it_waits_both_percents_are_zero(state: State) -> None:
    result = standing_result(state, KEY, tick(T0 + 1, 101.0), RULES)

    assert isinstance(result, SignalActive)
    assert (result.percent_tp, result.percent_sl, result.revenue_percent) == (0.0, 0.0, 0.0)
    assert (result.action, result.current_price, result.at_ms) == ("active", 101.0, T0 + 1)


# -- Results among events --------------------------------------------------------------------------


def test_levels_and_refusals_are_no_tick_results() -> None:
    results: list[TickResult] = [
        some_events.a_scheduled(),
        some_events.an_opened(),
        some_events.a_closed(),
    ]

    found = results_of(
        [
            some_events.a_loss_level(),
            some_events.a_scheduled(),
            some_events.an_opened(),
            some_events.a_closed(),
            some_events.a_refusal(),
            some_events.a_cancelled(),
            some_events.a_profit_level(),
        ]
    )

    assert found == [*results, some_events.a_cancelled()]


def test_history_is_stamped_on_a_copy() -> None:
    event = some_events.a_closed()

    assert stamped(event).backtest
    assert not event.backtest
    assert replace(stamped(event), backtest=False) == event


def test_the_short_way_to_stamp_a_closed_signal_forgets_no_field() -> None:
    event = some_events.a_closed()
    for number, field in enumerate(fields(event)):
        # Whatever the type: a default in its place would be seen.
        object.__setattr__(event, field.name, f"value {number}")

    assert stamped(event) == replace(event, backtest=True, action="closed")


# -- Callbacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "names"),
    [
        (some_events.an_idle(), ["on_idle", "on_tick"]),
        (some_events.a_scheduled(), ["on_schedule", "on_tick"]),
        (some_events.an_opened(), ["on_open", "on_tick"]),
        (some_events.a_closed(), ["on_close", "on_tick"]),
        (some_events.a_cancelled(), ["on_cancel", "on_tick"]),
        (an_active_result(50.0), ["on_active", "on_partial_profit", "on_tick"]),
        (an_active_result(-50.0), ["on_active", "on_partial_loss", "on_tick"]),
        (an_active_result(0.0), ["on_active", "on_tick"]),
    ],
)
def test_each_result_calls_its_own_callbacks_and_on_tick_last(
    result: TickResult, names: list[str]
) -> None:
    assert called(result) == names


def test_while_a_signal_waits_only_on_tick_is_called() -> None:
    assert called(an_active_result(0.0), is_waiting=True) == ["on_tick"]


def test_a_fast_forwarded_bar_calls_the_partial_callbacks_alone() -> None:
    assert called(an_active_result(5.0), is_live_tick=False) == ["on_partial_profit"]
    assert called(an_active_result(-5.0), is_live_tick=False) == ["on_partial_loss"]
    assert called(an_active_result(0.0), is_live_tick=False) == []
    assert called(an_active_result(0.0), is_waiting=True, is_live_tick=False) == []
    assert called(some_events.a_closed(), is_live_tick=False) == ["on_close", "on_tick"]


def test_callbacks_carry_the_documents_arguments() -> None:
    active = stamped(an_active_result(-5.0))
    row = active.signal

    assert callbacks_of(active, is_waiting=False, is_live_tick=True) == [
        Callback(name="on_active", arguments=("BTC/USDT", row, 101.0, True)),
        Callback(name="on_partial_loss", arguments=("BTC/USDT", row, 101.0, -5.0, True)),
        Callback(name="on_tick", arguments=("BTC/USDT", active, True)),
    ]
    profit = callbacks_of(an_active_result(5.0), is_waiting=False, is_live_tick=True)[1]
    assert profit.arguments == ("BTC/USDT", row, 101.0, 5.0, False)
    idle = callbacks_of(some_events.an_idle(), is_waiting=False, is_live_tick=True)[0]
    assert idle.arguments == ("BTC/USDT", 100.0, False)


@pytest.mark.parametrize(
    "result",
    [
        some_events.a_scheduled(),
        some_events.an_opened(),
        some_events.a_closed(),
        some_events.a_cancelled(),
    ],
)
def test_the_callbacks_of_transitions_carry_row_and_price(result: TickResult) -> None:
    call = callbacks_of(result, is_waiting=False, is_live_tick=True)[0]

    assert call.arguments == ("BTC/USDT", result.signal, result.current_price, False)


def test_reached_levels_do_not_change_what_is_told() -> None:
    reached = Active(signal=a_row(), profit_levels=(10, 20))

    assert standing_result(reached, KEY, tick(T0, 101.0), RULES) == standing_result(
        an_active(), KEY, tick(T0, 101.0), RULES
    )
