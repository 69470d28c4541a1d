"""Moments seen one number at a time are those of the whole list."""

import math
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daemon.core.moments import finite_or_none, moments_of

NUMBERS = st.lists(
    st.integers(-(10**9), 10**9).map(lambda thousandths: thousandths / 1000),
    min_size=2,
    max_size=60,
)


def standardised(numbers: list[float], power: int) -> float:
    mean, deviation = statistics.fmean(numbers), statistics.pstdev(numbers)
    return math.fsum(((number - mean) / deviation) ** power for number in numbers) / len(numbers)


def test_a_small_sample_by_hand() -> None:
    moments = moments_of([2.0, -1.0, 3.0, 0.0, -2.0])

    assert moments.average == pytest.approx(0.4)
    assert moments.deviation == pytest.approx(math.sqrt(17.2 / 5))
    assert moments_of([0.0, 0.0, 0.0, 1.0]).skewness == pytest.approx(2 / math.sqrt(3))
    assert moments_of([0.0, 0.0, 0.0, 1.0]).kurtosis == pytest.approx(7 / 3)


@given(NUMBERS)
def test_mean_and_deviation_are_those_of_the_list(numbers: list[float]) -> None:
    moments = moments_of(numbers)
    size = max(map(abs, numbers))

    assert moments.count == len(numbers)
    assert moments.average == pytest.approx(statistics.fmean(numbers), abs=1e-12 * size)
    assert moments.deviation == pytest.approx(statistics.pstdev(numbers), rel=1e-6, abs=2e-9 * size)


@given(NUMBERS)
def test_skewness_and_kurtosis_are_those_of_the_list(numbers: list[float]) -> None:
    moments = moments_of(numbers)
    assume(statistics.pstdev(numbers) > 1e-3 * max(map(abs, numbers)))

    assert moments.skewness == pytest.approx(standardised(numbers, 3), rel=1e-6, abs=1e-6)
    assert moments.kurtosis == pytest.approx(standardised(numbers, 4), rel=1e-6)


def test_what_too_few_numbers_cannot_carry_is_none() -> None:
    assert moments_of([]).average is None
    assert moments_of([5.0]).average == 5.0
    assert moments_of([5.0]).deviation is None
    assert moments_of([5.0]).skewness is None
    assert moments_of([5.0, 5.0]).kurtosis is None


@given(st.floats(-1e6, 1e6), st.integers(2, 500))
def test_equal_numbers_have_no_deviation_at_all(number: float, count: int) -> None:
    assert moments_of([number] * count).deviation == 0.0


def test_numbers_that_differ_by_rounding_have_no_deviation() -> None:
    assert moments_of([0.1 + 0.2, 0.3, 0.3, 0.1 * 3]).deviation == 0.0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_no_moment_is_ever_infinite_or_nan(numbers: list[float]) -> None:
    moments = moments_of(numbers)

    figures = (moments.average, moments.deviation, moments.skewness, moments.kurtosis)
    assert all(figure is None or math.isfinite(figure) for figure in figures)


def test_finite_or_none() -> None:
    assert finite_or_none(1.5) == 1.5
    assert finite_or_none(math.inf) is None
    assert finite_or_none(math.nan) is None
