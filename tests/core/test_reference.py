"""The plain reference is right: one-minute candles as observations, and exact aggregation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS, Candle, interval_ms, merge
from daemon.core.states import Observation
from daemon.core.vwap import NoPriceError, vwap
from tests.core.reference import aggregate, bar_at
from tests.core.samples import MINUTE, T0
from tests.core.test_candles import START, minutes


def rows_of(*closes: float) -> list[Candle]:
    return [
        Candle(T0 + index * MINUTE, close, close + 1, close - 1, close, 1.0 + index)
        for index, close in enumerate(closes)
    ]


def test_a_bar_starts_with_the_price_before_it_and_ends_with_its_own() -> None:
    rows = rows_of(100, 101, 102, 103, 104, 105, 106, 107)

    assert bar_at(rows, 6, 5) == Observation(
        at_ms=T0 + 6 * MINUTE,
        span_ms=MINUTE,
        price_start=vwap(rows[1:6]),
        price=vwap(rows[2:7]),
        low=105,
        high=107,
    )


def test_a_bar_never_sees_the_minute_that_follows() -> None:
    rows = rows_of(100, 101, 102, 103)
    changed = [*rows[:3], rows[3]._replace(high=1e9, close=1e9, volume=1e9)]

    assert bar_at(rows, 2, 5) == bar_at(changed, 2, 5)
    assert bar_at(rows, 2, 5) == bar_at(rows[:3], 2, 5)


def test_near_the_beginning_fewer_minutes_make_the_price() -> None:
    rows = rows_of(100, 200)

    bar = bar_at(rows, 1, 5)

    assert bar.price_start == 100
    assert bar.price == vwap(rows)


def test_before_the_first_minute_there_is_no_price() -> None:
    with pytest.raises(NoPriceError):
        bar_at(rows_of(100), 0, 5)


def test_only_whole_candles_are_made_and_they_start_at_multiples() -> None:
    rows = minutes(14, START - 2 * MINUTE_MS)

    whole = aggregate(rows, "5m")

    assert whole == [merge(rows[2:7], START), merge(rows[7:12], START + 5 * MINUTE_MS)]
    assert aggregate(rows[:1], "1m") == rows[:1]
    assert aggregate([], "5m") == []
    assert aggregate(rows[3:11], "5m") == []


def test_an_interval_that_misses_a_minute_is_left_out() -> None:
    rows = minutes(15)

    whole = aggregate(rows[:7] + rows[8:], "5m")

    assert whole == [merge(rows[:5], START), merge(rows[10:], START + 10 * MINUTE_MS)]


@given(
    st.integers(min_value=0, max_value=40),
    st.integers(min_value=0, max_value=20),
    st.sampled_from(["1m", "3m", "5m", "15m"]),
)
def test_aggregation_keeps_extremes_and_volume(count: int, offset: int, interval: str) -> None:
    rows = minutes(count, START + offset * MINUTE_MS)

    for candle in aggregate(rows, interval):
        end_ms = candle.timestamp + interval_ms(interval)
        covered = [row for row in rows if candle.timestamp <= row.timestamp < end_ms]
        assert candle.timestamp % interval_ms(interval) == 0
        assert len(covered) == interval_ms(interval) // MINUTE_MS
        assert candle == merge(covered, candle.timestamp)
