"""A gap's candles name the levels they touched, on both sides, waiting or open."""

from dataclasses import replace

import pytest

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.missed import Touch, touches
from daemon.core.pnl import Position
from daemon.core.rules import Rules
from daemon.core.states import Active, Idle, Scheduled
from tests.core.test_arming import a_row

RULES = Rules()


def candles(*ranges: tuple[float, float]) -> list[Candle]:
    return [
        Candle(number * MINUTE_MS, low, high, low, high, 1.0)
        for number, (low, high) in enumerate(ranges)
    ]


def named(found: tuple[Touch, ...]) -> list[tuple[str, int]]:
    return [(touch.name, touch.at_ms // MINUTE_MS) for touch in found]


@pytest.mark.parametrize(
    ("position", "ranges", "expected"),
    [
        ("long", [(99.9, 100.1), (97.5, 100.0)], [("stop loss", 1), ("100 % of loss", 1)]),
        ("long", [(100.0, 102.5)], [("take profit", 0), ("100 % of profit", 0)]),
        ("short", [(100.0, 102.5)], [("stop loss", 0), ("100 % of loss", 0)]),
        ("long", [(99.9, 100.1), (100.0, 100.9)], [("40 % of profit", 1)]),
        ("long", [(99.9, 100.1)], []),
    ],
)
def test_an_open_signal_names_its_target_its_stop_and_the_farthest_new_levels(
    position: Position, ranges: list[tuple[float, float]], expected: list[tuple[str, int]]
) -> None:
    state = Active(signal=a_row(position=position))

    assert named(touches(state, candles(*ranges), RULES)) == expected


def test_a_level_that_was_told_is_not_named_again() -> None:
    state = Active(signal=a_row(), profit_levels=(10, 20, 30, 40))

    assert touches(state, candles((100.0, 100.9)), RULES) == ()


@pytest.mark.parametrize(("position", "low", "high"), [("long", 97.0, 99.9), ("short", 100.1, 103)])
def test_a_waiting_signal_names_its_entry_and_its_stop(
    position: Position, low: float, high: float
) -> None:
    row = a_row(position=position)

    found = touches(Scheduled(signal=row), candles((low, high)), RULES)

    assert [touch.name for touch in found] == ["entry", "stop loss"]
    assert [touch.price for touch in found] == [row.price_open, row.price_stop_loss]


def test_nothing_is_named_where_nothing_waits_and_nothing_is_open() -> None:
    assert touches(Idle(), candles((1.0, 1000.0)), RULES) == ()


def test_the_price_basis_counts_levels_from_the_entry_price() -> None:
    rules = replace(RULES, partial_basis="price")
    state = Active(signal=a_row(distance=50.0))

    assert named(touches(state, candles((100.0, 121.0)), rules)) == [("20 % of profit", 0)]
