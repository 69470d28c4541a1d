"""Whatever a strategy returns is refused with reasons or is a row that may trade."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS
from daemon.core.levels import progress_at
from daemon.core.pnl import profit_loss
from daemon.core.signal import Signal, SignalRow
from daemon.core.validation import InvalidSignalError, read_signal
from tests.core.samples import RULES, a_mapping, a_signal, faults_of, validated


class Side(StrEnum):
    LONG = "long"


class LyingFloat(float):
    """As numpy's scalars, a float of a subclass; and one that answers anything."""

    def __float__(self) -> float:
        return math.nan

    def __lt__(self, other: object) -> bool:
        raise SystemExit

    def __repr__(self) -> str:
        raise SystemExit


class LyingText(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise SystemExit

    def __hash__(self) -> int:
        raise SystemExit

    def __repr__(self) -> str:
        raise SystemExit

    def __len__(self) -> int:
        raise SystemExit


def harming(_self: object, *_others: object) -> NoReturn:
    raise SystemExit


Pretender = type("Pretender", (), {"__class__": property(lambda _: float)})
"""A proxy that claims to be a float and is none."""

Unbearable = type(
    "Unbearable", (), {"__class__": property(harming), "__repr__": harming, "__eq__": harming}
)
"""Even asking what it is does harm, as a test runner finds out: make them late."""


class Aloof(type):
    def __getattribute__(cls, name: str) -> object:
        raise SystemExit(name)


def nameless() -> object:
    """Return what does not even tell the name of its class: late, for a test runner asks, too."""
    return Aloof("Nameless", (), {})()


class HarmfulMapping(Mapping[str, object]):
    __getitem__ = harming
    __len__ = harming
    __iter__ = harming


class MovingSignal(Signal):
    """Another answer at every look."""

    def __getattribute__(self, name: str) -> object:
        value = object.__getattribute__(self, name)
        if name == "price_take_profit":
            object.__setattr__(self, name, math.nan)
        return value


def test_p13_subclasses_become_plain_values() -> None:
    returned = a_mapping(
        position=Side.LONG, price_take_profit=LyingFloat(102.0), note=LyingText("*note*")
    )

    row = validated(returned)

    assert row == replace(validated(a_signal()), note="note")
    assert {type(row.position), type(row.note), type(row.price_take_profit)} == {str, float}


def test_p13_a_signal_that_changes_its_mind_is_read_once() -> None:
    signal = a_signal()
    moving = MovingSignal(
        position="long",
        price_take_profit=signal.price_take_profit,
        price_stop_loss=signal.price_stop_loss,
        minute_estimated_time=signal.minute_estimated_time,
    )

    assert validated(moving) == validated(signal)


@pytest.mark.parametrize(
    "make",
    [int, str, list, object, HarmfulMapping, Unbearable, nameless, Pretender, lambda: iter(())],
)
def test_p13_what_is_no_signal_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(InvalidSignalError):
        read_signal(make())


def test_p13_a_coroutine_is_refused_and_closed() -> None:
    """An unclosed one would warn, and warnings are errors in these tests."""

    async def late() -> Signal:
        await asyncio.sleep(1)
        return a_signal()

    coroutine: Coroutine[object, object, Signal] = late()

    assert "not coroutine" in faults_of(coroutine)[0]


def test_p13_numbers_whose_result_would_overflow_are_refused() -> None:
    """A pnl of infinity could not be written to the state file."""
    huge = a_mapping(position="short", price_stop_loss=1e308, price_take_profit=49.0)
    off = replace(RULES, max_stoploss_distance_percent=0)

    assert faults_of(huge, price=50.0, rules=off) == (
        "the prices are too far apart to compute a result",
    )
    assert faults_of(a_mapping(price_take_profit=10**400)) != ()


PLAIN = st.sampled_from(
    [
        math.nan,
        math.inf,
        -math.inf,
        0.0,
        -0.0,
        -5.0,
        5e-324,
        1e308,
        -1e308,
        10**400,
        2**63,
        True,
        False,
        None,
        "",
        "102",
        "\ud800",
        b"long",
        Decimal(102),
        Fraction(102),
        102 + 0j,
        [],
        ["long"],
        {},
        (),
        object(),
        Side.LONG,
        float,
    ]
)
HARMFUL = (
    st.builds(Unbearable)
    | st.builds(Pretender)
    | st.builds(nameless)
    | st.builds(LyingText, st.just("long"))
)
VALUE = (
    PLAIN
    | HARMFUL
    | st.builds(LyingFloat, st.floats(min_value=90, max_value=110))
    | st.floats()
    | st.integers()
    | st.text(max_size=20)
    | st.floats(min_value=90, max_value=110)
    | st.sampled_from(["long", "short"])
)
NAME = st.sampled_from(
    [
        "position",
        "price_open",
        "price_take_profit",
        "price_stop_loss",
        "minute_estimated_time",
        "note",
        "id",
    ]
)
CHANGES = st.dictionaries(NAME | st.text(max_size=5) | st.integers(), VALUE, max_size=8)
DROPPED = st.sets(NAME, max_size=2)
PRICE = st.floats(min_value=95, max_value=105) | st.sampled_from([math.nan, -1.0, 0.0, 1e308])


@given(CHANGES, DROPPED, PRICE)
def test_p13_garbage_is_refused_with_reasons_or_is_a_sound_row(
    changes: dict[object, object], dropped: set[str], price: float
) -> None:
    returned: dict[object, object] = dict(a_mapping().items())
    returned.update(changes)
    for name in dropped:
        returned.pop(name, None)

    try:
        row = validated(returned, price)
    except InvalidSignalError as error:
        assert_told(error)
    else:
        assert_sound(row)


@given(VALUE | st.dictionaries(NAME, VALUE) | st.lists(VALUE, max_size=2))
def test_p13_anything_at_all_is_refused_or_sound(returned: object) -> None:
    try:
        row = validated(returned)
    except InvalidSignalError as error:
        assert_told(error)
    else:
        assert_sound(row)


def assert_told(error: InvalidSignalError) -> None:
    assert error.faults
    assert all(type(fault) is str and fault for fault in error.faults)
    assert str(error).encode("utf-8").decode("utf-8") == str(error)


def assert_sound(row: SignalRow) -> None:
    """What the state file and the lifecycle rely on."""
    prices = (row.price_open, row.price_take_profit, row.price_stop_loss)
    low, high = sorted(prices[1:])
    assert all(type(price) is float and 0 < price < math.inf for price in prices)
    assert low < row.price_open < high
    assert (row.price_take_profit > row.price_open) is (row.position == "long")
    assert row.position in ("long", "short")
    assert type(row.minute_estimated_time) is int
    assert MINUTE_MS <= row.minute_estimated_time * MINUTE_MS <= 1440 * MINUTE_MS
    assert (row.note + row.label).encode("utf-8") is not None
    for end in (low, high):
        pnl = profit_loss(row.position, row.price_open, end, RULES)
        assert math.isfinite(pnl.pnl_percentage)
        assert math.isfinite(progress_at(row, end).progress_percent)
    assert profit_loss(row.position, row.price_open, prices[1], RULES).pnl_percentage > 0
