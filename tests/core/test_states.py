"""The states, and what can be asked of each."""

from typing import get_args

import pytest

from daemon.core.states import (
    Closing,
    Idle,
    Observation,
    Opening,
    State,
    at_risk,
    row_of,
    tick,
)
from tests.core.samples import MINUTE, T0, a_bar, a_row, a_scheduled, an_active

OPENING = Opening(signal=a_row(), seen=tick(T0, 100.0))
CLOSING = Closing(signal=a_row(), reason="user", price=100.0, at_ms=T0)


def test_a_tick_has_no_span_and_one_price() -> None:
    assert tick(T0, 100.5) == Observation(
        at_ms=T0, span_ms=0, price_start=100.5, price=100.5, low=100.5, high=100.5
    )
    assert tick(T0, 1.0).known_at_ms == T0


def test_a_bar_is_known_when_its_minute_is_over() -> None:
    assert a_bar(T0).known_at_ms == T0 + MINUTE


@pytest.mark.parametrize(
    ("state", "is_at_risk"),
    [
        (Idle(), False),
        (a_scheduled(), False),
        (OPENING, True),
        (an_active(), True),
        (CLOSING, True),
    ],
)
def test_money_is_at_risk_from_the_decision_to_enter_to_the_answer_of_the_exit(
    state: State, is_at_risk: bool
) -> None:
    assert at_risk(state) is is_at_risk


def test_every_state_but_idle_carries_its_signal() -> None:
    assert row_of(Idle()) is None
    for state in (a_scheduled(), OPENING, an_active(), CLOSING):
        assert row_of(state) is state.signal


def test_every_state_is_told_apart_by_its_kind() -> None:
    kinds = [state.__dataclass_fields__["kind"].default for state in get_args(State)]

    assert kinds == ["idle", "scheduled", "opening", "active", "closing"]
