"""Quantiles: exact while few, within half a percent when many, in bounded memory."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.quantiles import ERROR_PERCENT_MAX, Quantiles

SIZES = st.lists(st.floats(0, 1e9), min_size=1, max_size=60)


def nearest_rank(sizes: list[float], percent: float) -> float:
    return sorted(sizes)[math.ceil(len(sizes) * percent / 100) - 1]


def filled(sizes: list[float], *, values_max: int) -> Quantiles:
    quantiles = Quantiles(values_max=values_max)
    for size in sizes:
        quantiles.add(size)
    return quantiles


def test_the_seeds_rank_by_hand() -> None:
    """Of 1..20: the 10th, the 19th and the 20th."""
    quantiles = filled([float(size) for size in range(20, 0, -1)], values_max=100)

    assert quantiles.at(50, 95, 99) == [10.0, 19.0, 20.0]
    assert quantiles.error_percent == 0.0


def test_no_sizes_have_no_quantiles() -> None:
    assert Quantiles().at(50, 99) == [None, None]


@given(SIZES, st.floats(1, 100))
def test_few_sizes_are_exact(sizes: list[float], percent: float) -> None:
    assert filled(sizes, values_max=100).at(percent) == [nearest_rank(sizes, percent)]


@given(SIZES, st.floats(1, 100))
def test_many_sizes_are_near(sizes: list[float], percent: float) -> None:
    quantiles = filled(sizes, values_max=1)

    [found] = quantiles.at(percent)

    expected = nearest_rank(sizes, percent)
    assert found == pytest.approx(expected, rel=ERROR_PERCENT_MAX / 100, abs=1e-9)
    assert quantiles.error_percent == (ERROR_PERCENT_MAX if len(sizes) > 1 else 0.0)


def test_memory_does_not_grow_with_the_number_of_sizes() -> None:
    quantiles = filled([1.0 + number % 1000 for number in range(30_000)], values_max=100)

    assert len(quantiles._values) == 0
    assert len(quantiles._buckets) < 800
