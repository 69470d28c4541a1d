"""What is believed of a candle, and what is not."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.rules import Rules
from daemon.core.trust import (
    fill_gaps,
    find_fault,
    find_row_fault,
    flat_between,
    is_jump,
    jump_percent,
    usual_price,
)

RULES = Rules()
START_MS = 1_700_000_040_000


def a_row(minute: int = 0, price: float = 100.0, **changed: Any) -> Candle:
    row = Candle(
        START_MS + minute * MINUTE_MS, price, price * 1.01, price * 0.99, price * 1.005, 3.0
    )
    return row._replace(**changed)


def fault_of(*rows: Candle, latest_ms: int | None = None) -> str | None:
    return find_fault(rows, RULES, interval_ms=MINUTE_MS, latest_ms=latest_ms)


prices = st.floats(min_value=10.0, max_value=1_000.0)


@st.composite
def good_rows(draw: st.DrawFn, *, with_gaps: bool = False) -> list[Candle]:
    minute, rows = 0, []
    for _ in range(draw(st.integers(1, 12))):
        four = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
        opened, closed = draw(st.permutations(four[1:3]))
        volume = draw(st.floats(min_value=0.0, max_value=1e9))
        rows.append(Candle(START_MS + minute * MINUTE_MS, opened, four[3], four[0], closed, volume))
        minute += draw(st.integers(1, 4)) if with_gaps else 1
    return rows


@given(good_rows(with_gaps=True))
def test_good_candles_have_no_fault(rows: list[Candle]) -> None:
    assert fault_of(*rows) is None


def test_no_candles_are_no_fault() -> None:
    assert fault_of() is None


NOT_NUMBERS = [math.nan, math.inf, -math.inf, None, "100", True, 10**400]


@given(
    good_rows(), st.integers(0, 11), st.sampled_from(Candle._fields), st.sampled_from(NOT_NUMBERS)
)
def test_x9_what_is_no_finite_number_is_refused(
    rows: list[Candle], index: int, field: str, value: Any
) -> None:
    index %= len(rows)
    rows[index] = rows[index]._replace(**{field: value})

    assert fault_of(*rows) is not None


@given(good_rows(), st.integers(0, 11), st.sampled_from(["open", "high", "low", "close"]))
def test_x9_a_price_of_nothing_is_refused(rows: list[Candle], index: int, field: str) -> None:
    for value in (0.0, -1.0):
        changed: dict[str, Any] = {field: value}
        broken = list(rows)
        broken[index % len(rows)] = broken[index % len(rows)]._replace(**changed)

        assert fault_of(*broken) is not None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (a_row(volume=-0.1), "negative volume"),
        (a_row(high=99.0), "enclose"),
        (a_row(low=101.0), "enclose"),
        (a_row(high=100.2), "enclose"),  # below the close
        (a_row(timestamp=START_MS + 1), "multiple"),
        (a_row(timestamp=float(START_MS)), "finite number"),
    ],
)
def test_x9_a_candle_that_contradicts_itself_is_refused(row: Candle, words: str) -> None:
    fault = find_row_fault(row, MINUTE_MS)

    assert fault is not None
    assert words in fault


def test_x9_repeated_and_unordered_candles_are_refused() -> None:
    assert "after the candle" in (fault_of(a_row(0), a_row(0)) or "")
    assert "after the candle" in (fault_of(a_row(2), a_row(1)) or "")


def test_x9_a_candle_from_the_future_is_refused() -> None:
    assert fault_of(a_row(0), a_row(1), latest_ms=START_MS + MINUTE_MS) is None
    assert "future" in (fault_of(a_row(0), a_row(1), latest_ms=START_MS + MINUTE_MS - 1) or "")


def test_a_price_far_below_the_usual_is_refused() -> None:
    rows = [a_row(minute) for minute in range(5)]
    rows[3] = a_row(3, price=0.1)

    assert "usual" in (fault_of(*rows) or "")


def test_one_tiny_candle_of_few_is_weighed_by_the_mean() -> None:
    """Of two candles the tiny one is a middle price too; the mean still shows it up."""
    rows = [a_row(0), a_row(1, price=0.04)]

    assert usual_price(rows, 5) == pytest.approx(50, rel=0.01)
    assert "usual" in (fault_of(*rows) or "")


def test_the_anomaly_factor_is_a_setting() -> None:
    rows = [a_row(minute) for minute in range(5)] + [a_row(5, price=1.0)]
    strict = Rules(get_candles_price_anomaly_threshold_factor=50)

    assert find_fault(rows, RULES, interval_ms=MINUTE_MS) is None
    assert find_fault(rows, strict, interval_ms=MINUTE_MS) is not None


@given(good_rows(with_gaps=True))
def test_gaps_are_filled_flat_and_counted(rows: list[Candle]) -> None:
    filled, count = fill_gaps(rows, MINUTE_MS)

    stamps = [row.timestamp for row in filled]
    assert stamps == list(range(rows[0].timestamp, rows[-1].timestamp + 1, MINUTE_MS))
    assert count == len(filled) - len(rows)
    assert [row for row in filled if row in rows] == rows
    known = {row.timestamp for row in rows}
    for before, row in pairwise(filled):
        if row.timestamp not in known:
            assert row[1:] == (before.close,) * 4 + (0.0,)


def test_no_candles_have_no_gaps() -> None:
    assert fill_gaps([], MINUTE_MS) == ([], 0)


def test_flat_candles_reach_up_to_the_next_known_one() -> None:
    assert flat_between(a_row(0), START_MS + MINUTE_MS, MINUTE_MS) == []
    assert [row.timestamp for row in flat_between(a_row(0), a_row(3).timestamp, MINUTE_MS)] == [
        START_MS + MINUTE_MS,
        START_MS + 2 * MINUTE_MS,
    ]


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [
        (150.0, 100.0, False),
        (150.1, 100.0, True),
        (100.0, 50.0, False),
        (100.0, 49.9, True),
        (1_000.0, 100.0, True),
        (100.0, 1.0, True),
    ],
)
def test_a_move_of_more_than_half_is_a_jump(high: float, low: float, expected: bool) -> None:
    previous = Candle(START_MS, 90.0, 120.0, 80.0, 100.0, 1.0)
    row = Candle(START_MS + MINUTE_MS, 100.0, high, low, 100.0, 1.0)

    assert is_jump(previous, row, RULES) is expected


def test_the_furthest_move_is_told_in_percent() -> None:
    previous = Candle(START_MS, 100.0, 100.0, 100.0, 100.0, 1.0)

    up = jump_percent(previous, Candle(START_MS, 100.0, 180.0, 90.0, 100.0, 1.0))
    down = jump_percent(previous, Candle(START_MS, 100.0, 110.0, 40.0, 100.0, 1.0))

    assert up == pytest.approx(80.0)
    assert down == pytest.approx(-60.0)
