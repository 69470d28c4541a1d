"""The form of a signal's values: the short way of the usual ones ends where the long one does."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.form import (
    EXACT_MAX,
    exact,
    faults_of_form,
    faults_of_position,
    faults_of_price,
    minutes_or_zero,
    position_or_long,
    price_or_nan,
    words_or_none,
)


class OwnFloat(float):
    """A price of a class of its own: it has to go the long way."""


class OwnInt(int):
    """As is the number of minutes."""


class OwnText(str):
    """As is a side."""

    __slots__ = ()


NUMBERS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 5e-324, math.inf, -math.inf])
MINUTES = st.integers(-3, 3) | st.sampled_from([EXACT_MAX - 1, EXACT_MAX, EXACT_MAX + 1, 10**400])


@given(NUMBERS)
def test_a_price_is_judged_alike_whatever_its_class(price: float) -> None:
    assert faults_of_price("p", price) == faults_of_price("p", OwnFloat(price))
    assert repr(price_or_nan(price)) == repr(price_or_nan(OwnFloat(price)))


@given(MINUTES)
def test_minutes_are_judged_alike_whatever_their_class(minutes: int) -> None:
    own = {"minute_estimated_time": OwnInt(minutes)}
    assert faults_of_form({"minute_estimated_time": minutes}) == faults_of_form(own)
    assert minutes_or_zero(minutes) == minutes_or_zero(OwnInt(minutes))
    assert type(minutes_or_zero(OwnInt(minutes))) is int


@given(st.text(max_size=5) | st.sampled_from(["long", "short"]))
def test_a_side_and_a_note_are_judged_alike_whatever_their_class(text: str) -> None:
    assert faults_of_position(text) == faults_of_position(OwnText(text))
    assert position_or_long(text) == position_or_long(OwnText(text))
    assert words_or_none(text) == words_or_none(OwnText(text))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"price_open": None}, []),
        ({"price_stop_loss": None}, ["price_stop_loss must be a number, got None"]),
        ({"price_stop_loss": True}, ["price_stop_loss must be a number, got True"]),
        (
            {"minute_estimated_time": True},
            ["minute_estimated_time must be a whole number of minutes, got True"],
        ),
        ({"note": 5}, ["note must be text, got int"]),
        ({"id": b"x"}, ["id must be text, got bytes"]),
        ({"position": ["long"]}, ['position must be "long" or "short", got list']),
    ],
)
def test_what_is_wrong_is_told_without_the_value(values: dict[str, Any], told: list[str]) -> None:
    assert faults_of_form(values) == told


def test_a_value_of_a_subclass_becomes_a_plain_one() -> None:
    plain = [exact(value) for value in (OwnFloat(1.5), OwnInt(3), OwnText("x"))]

    assert [type(value) for value in plain] == [float, int, str]
    assert plain == [1.5, 3, "x"]
