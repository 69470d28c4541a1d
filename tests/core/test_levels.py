"""Progress between entry and target or stop, and the levels on the way."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.levels import LEVELS, PartialLevel, new_levels, price_of_level, progress_at
from daemon.core.pnl import Position
from daemon.core.rules import PartialBasis
from daemon.core.signal import SignalRow
from tests.core.samples import a_row

POSITION = st.sampled_from(["long", "short"])
BASIS = st.sampled_from(["progress", "price"])


@pytest.mark.parametrize(
    ("position", "price", "expected"),
    [
        ("long", 100.0, (0.0, 0.0, 0.0, 0.0)),
        ("long", 101.0, (1.0, 50.0, 50.0, 0.0)),
        ("long", 103.0, (3.0, 150.0, 100.0, 0.0)),
        ("long", 99.75, (-0.25, -25.0, 0.0, 25.0)),
        ("long", 98.0, (-2.0, -200.0, 0.0, 100.0)),
        ("short", 99.0, (1.0, 50.0, 50.0, 0.0)),
        ("short", 100.25, (-0.25, -25.0, 0.0, 25.0)),
    ],
)
def test_progress(position: Position, price: float, expected: tuple[float, ...]) -> None:
    """The target is 2 % away and the stop 1 %."""
    found = progress_at(a_row(position), price)

    assert expected == pytest.approx(
        (found.price_percent, found.progress_percent, found.percent_tp, found.percent_sl)
    )
    assert found.on("progress") == found.progress_percent
    assert found.on("price") == found.price_percent


@pytest.mark.parametrize(
    ("size", "reached", "expected"),
    [
        (9.99, (), ()),
        (10, (), (10,)),
        (25, (), (10, 20)),
        (25, (10,), (20,)),
        (25, (10, 20), ()),
        (100, (10, 30), (20, 40, 50, 60, 70, 80, 90, 100)),
        (250, LEVELS, ()),
        (-50, (), ()),
        (float("nan"), (), ()),
    ],
)
def test_new_levels(
    size: float, reached: tuple[int, ...], expected: tuple[PartialLevel, ...]
) -> None:
    assert new_levels(size, reached) == expected


@given(st.floats(min_value=0, max_value=200), st.sets(st.sampled_from(LEVELS)))
def test_levels_ascend_and_none_comes_twice(size: float, reached: set[int]) -> None:
    found = new_levels(size, tuple(sorted(reached)))

    assert list(found) == sorted(set(found))
    assert not reached & set(found)
    assert reached | set(found) >= {level for level in LEVELS if level <= size}


def a_far_row(position: Position, entry: float, target: float, stop: float) -> SignalRow:
    sign = 1 if position == "long" else -1
    return replace(
        a_row(position),
        price_open=entry,
        price_take_profit=entry * (1 + sign * target / 100),
        price_stop_loss=entry * (1 - sign * stop / 100),
    )


ROW = st.builds(
    a_far_row,
    POSITION,
    st.floats(min_value=1e-6, max_value=1e6),
    st.floats(min_value=0.4, max_value=50),
    st.floats(min_value=0.1, max_value=20),
)


@given(ROW, BASIS, st.sampled_from(LEVELS), st.sampled_from([1, -1]))
def test_at_the_price_of_a_level_the_level_is_reached(
    row: SignalRow, basis: PartialBasis, level: int, sign: int
) -> None:
    """A task that is woken at that price must find the level there, or it would wake for ever."""
    price = price_of_level(row, sign * level, basis)

    size = sign * progress_at(row, price).on(basis)

    assert level in new_levels(size, ())
    assert size == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize(
    ("position", "percent", "basis", "price"),
    [
        ("long", 50, "progress", 101.0),
        ("long", -50, "progress", 99.5),
        ("long", 50, "price", 150.0),
        ("long", -50, "price", 50.0),
        ("short", 50, "progress", 99.0),
        ("short", -50, "progress", 100.5),
        ("short", 50, "price", 50.0),
        ("short", -50, "price", 150.0),
    ],
)
def test_prices_of_levels(
    position: Position, percent: float, basis: PartialBasis, price: float
) -> None:
    assert price_of_level(a_row(position), percent, basis) == price


def test_the_price_of_a_level_does_not_overflow_before_its_target_does() -> None:
    row = replace(a_row(), price_take_profit=1e308)

    assert price_of_level(row, 90, "progress") == pytest.approx(9e307)
