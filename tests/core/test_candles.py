"""Candles: windows that cannot change, intervals, and exact aggregation."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import (
    INTERVAL_MS,
    MINUTE_MS,
    SIGNAL_INTERVALS,
    Candle,
    Candles,
    interval_ms,
    merge,
)

START = 1_700_000_400_000
"""A multiple of five minutes, and of twenty, since the epoch."""


def minutes(count: int, start_ms: int = START) -> list[Candle]:
    return [
        Candle(
            start_ms + n * MINUTE_MS,
            100.0 + n,
            102.0 + n,
            98.0 + n,
            101.0 + n,
            1.0 + n,
        )
        for n in range(count)
    ]


# -- Windows ---------------------------------------------------------------------------------------


def test_a_window_reads_as_its_rows() -> None:
    rows = minutes(4)
    window = Candles.of(rows)

    assert list(window) == rows
    assert len(window) == 4
    assert window[0] == rows[0]
    assert window[-1] == rows[3]
    assert isinstance(window[1], Candle)
    assert (window.open[1], window.high[1], window.low[1]) == (101.0, 103.0, 99.0)
    assert (window.timestamp[1], window.close[1], window.volume[1]) == (START + 60_000, 102.0, 2.0)


def test_an_empty_window_is_a_window() -> None:
    empty = Candles.of([])

    assert (len(empty), list(empty), list(empty.close)) == (0, [], [])
    assert empty == Candles.of(minutes(3))[1:1]
    assert repr(empty) == "Candles(0 rows from -)"
    with pytest.raises(IndexError):
        empty[0]


@given(
    st.integers(min_value=0, max_value=8),
    st.none() | st.integers(min_value=-10, max_value=10),
    st.none() | st.integers(min_value=-10, max_value=10),
    st.none() | st.integers(min_value=-10, max_value=10),
)
def test_a_slice_of_a_slice_is_that_of_a_list(
    count: int, start: int | None, stop: int | None, again: int | None
) -> None:
    rows = minutes(count)
    window = Candles.of(rows)

    assert list(window[start:stop]) == rows[start:stop]
    assert list(window[start:stop][again:]) == rows[start:stop][again:]
    assert list(window[start:stop].close) == [row.close for row in rows[start:stop]]


def test_a_slice_has_step_one() -> None:
    with pytest.raises(ValueError, match="step 1"):
        Candles.of(minutes(4))[::2]


def test_an_index_outside_the_window_is_an_error_although_the_columns_go_on() -> None:
    window = Candles.of(minutes(5))[1:3]

    for index in (2, -3):
        with pytest.raises(IndexError):
            window[index]


def test_windows_compare_by_their_rows() -> None:
    rows = minutes(5)

    assert Candles.of(rows)[1:3] == Candles.of(rows[1:3])
    assert hash(Candles.of(rows)[1:3]) == hash(Candles.of(rows[1:3]))
    assert Candles.of(rows) != Candles.of(rows[1:])
    assert Candles.of(rows) != rows
    assert repr(Candles.of(rows)) == f"Candles(5 rows from {START})"
    assert pickle.loads(pickle.dumps(Candles.of(rows))) == Candles.of(rows)


def test_a_window_cannot_be_changed() -> None:
    window = Candles.of(minutes(3))

    with pytest.raises(AttributeError):
        window.close = (1.0,)  # type: ignore[misc]  # what a strategy might try
    with pytest.raises(TypeError):
        window.close[0] = 1.0  # type: ignore[index]  # what a strategy might try


# -- Intervals -------------------------------------------------------------------------------------


def test_intervals_have_lengths() -> None:
    lengths = {
        "1m": 1,
        "3m": 3,
        "5m": 5,
        "15m": 15,
        "30m": 30,
        "1h": 60,
        "2h": 120,
        "4h": 240,
        "6h": 360,
        "8h": 480,
        "12h": 720,
        "1d": 1440,
    }

    assert {name: length // MINUTE_MS for name, length in INTERVAL_MS.items()} == lengths
    assert set(SIGNAL_INTERVALS) < set(INTERVAL_MS)
    assert interval_ms("2h") == 7_200_000


def test_an_unknown_interval_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown candle interval '7m': use one of 1m, 3m"):
        interval_ms("7m")


# -- Aggregation -----------------------------------------------------------------------------------


def test_a_merged_candle_covers_its_rows() -> None:
    rows = minutes(3)

    assert merge(rows, START) == Candle(START, 100.0, 104.0, 98.0, 103.0, 6.0)
    assert merge(rows[:1], START) == rows[0]
