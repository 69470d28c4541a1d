"""The price of every live decision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import Candle, Candles
from daemon.core.vwap import NoPriceError, vwap


def a_candle(low: float, high: float, close: float, volume: float, timestamp: int = 0) -> Candle:
    return Candle(timestamp, close, high, low, close, volume)


def test_typical_prices_are_weighted_by_volume() -> None:
    rows = [a_candle(97, 103, 100, 1), a_candle(109, 112, 109, 3)]

    assert vwap(rows) == pytest.approx((100 * 1 + 110 * 3) / 4)


def test_only_the_newest_candles_count() -> None:
    rows = [a_candle(1, 1, 1, 1e9)] + [a_candle(50, 50, 50, 1)] * 5

    assert vwap(rows) == 50
    assert vwap(rows, count=6) == pytest.approx(1, rel=1e-6)
    assert vwap(rows[:1]) == 1


def test_without_volume_it_is_the_mean_of_closes() -> None:
    rows = [a_candle(90, 110, 100, 0), a_candle(90, 110, 104, 0)]

    assert vwap(rows) == 102


def test_a_window_of_columns_is_read_as_rows_are() -> None:
    rows = [a_candle(97, 103, 100, 1), a_candle(109, 112, 109, 3)]

    assert vwap(Candles.of(rows)) == vwap(rows)


def test_no_candle_is_an_error_and_not_a_price() -> None:
    with pytest.raises(NoPriceError, match="no candle"):
        vwap([])


def test_sums_that_overflow_are_an_error_and_not_a_price() -> None:
    with pytest.raises(NoPriceError, match="too large"):
        vwap([a_candle(1e200, 1e200, 1e200, 1e200)])


@given(
    st.lists(
        st.builds(
            lambda ends, part, volume: a_candle(
                min(ends), max(ends), min(ends) + (max(ends) - min(ends)) * part, volume
            ),
            st.tuples(*[st.floats(min_value=1e-8, max_value=1e6)] * 2),
            st.floats(min_value=0, max_value=1),
            st.floats(min_value=0, max_value=1e12),
        ),
        min_size=1,
        max_size=7,
    )
)
def test_it_lies_within_its_candles(rows: list[Candle]) -> None:
    """Also where volumes are so small that their products round to nothing."""
    newest = rows[-5:]

    assert min(row.low for row in newest) <= vwap(rows) <= max(row.high for row in newest)
