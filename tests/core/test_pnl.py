"""Profit and loss by the formula: slippage and fee each multiply both prices."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.pnl import Position, distance_percent_break_even, profit_loss
from tests.core.samples import RULES

FREE = replace(RULES, percent_slippage=0.0, percent_fee=0.0)
SIDES: tuple[tuple[Position, int], ...] = (("long", 1), ("short", -1))
PRICE = st.floats(min_value=1e-6, max_value=1e6)


def test_golden_long_from_100_to_101() -> None:
    result = profit_loss("long", 100, 101, RULES)

    assert f"{result.pnl_percentage:.9f}" == "0.596806790"


def test_the_document_prints_a_long_whose_exit_is_wrong() -> None:
    """Printed: entry 100.2001, exit 100.797999, result 0.597 %. The exit is 100.798101."""
    result = profit_loss("long", 100, 101, RULES)

    assert f"{result.price_open:.4f}" == "100.2001"
    assert f"{result.price_close:.6f}" == "100.798101"
    assert f"{result.pnl_percentage:.3f}" == "0.597"


def test_the_document_prints_a_short_whose_prices_are_wrong() -> None:
    """Printed: entry 99.7999, exit 99.198001. They are 99.8001 and 99.198099."""
    result = profit_loss("short", 100, 99, RULES)

    assert f"{result.price_open:.4f}" == "99.8001"
    assert f"{result.price_close:.6f}" == "99.198099"
    assert f"{result.pnl_percentage:.3f}" == "0.603"


def test_a_target_at_the_least_distance_of_the_document_loses_a_tenth_of_a_percent() -> None:
    assert f"{profit_loss('long', 100, 100.3, RULES).pnl_percentage:.2f}" == "-0.10"


def test_slippage_and_fee_are_two_costs() -> None:
    only_fee = replace(RULES, percent_slippage=0.0, percent_fee=1.0)

    assert profit_loss("long", 100, 100, only_fee).price_open == pytest.approx(101)
    assert profit_loss("long", 100, 100, only_fee).price_close == pytest.approx(99)
    assert profit_loss("short", 100, 100, only_fee).price_open == pytest.approx(99)
    assert profit_loss("short", 100, 100, only_fee).price_close == pytest.approx(101)


def test_break_even_distances() -> None:
    assert f"{distance_percent_break_even('long', RULES):.4f}" == "0.4008"
    assert f"{distance_percent_break_even('short', RULES):.4f}" == "0.3992"
    assert distance_percent_break_even("long", FREE) == 0


@given(PRICE, st.sampled_from(SIDES))
def test_at_break_even_nothing_is_won_or_lost(price: float, side: tuple[Position, int]) -> None:
    position, sign = side
    distance = distance_percent_break_even(position, RULES)

    result = profit_loss(position, price, price * (1 + sign * distance / 100), RULES)

    assert result.pnl_percentage == pytest.approx(0, abs=1e-9)


@given(PRICE, PRICE, PRICE)
def test_a_better_close_never_gives_a_worse_result(open_at: float, one: float, two: float) -> None:
    low, high = sorted((one, two))

    longs = [profit_loss("long", open_at, close, RULES).pnl_percentage for close in (low, high)]
    shorts = [profit_loss("short", open_at, close, RULES).pnl_percentage for close in (low, high)]

    assert longs[0] <= longs[1]
    assert shorts[0] >= shorts[1]


@given(PRICE, PRICE)
def test_costs_never_help(open_at: float, close: float) -> None:
    for position in ("long", "short"):
        paid = profit_loss(position, open_at, close, RULES).pnl_percentage
        free = profit_loss(position, open_at, close, FREE).pnl_percentage
        assert paid < free
