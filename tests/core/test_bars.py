"""A one-minute candle as an observation, and the end of data."""

import pytest

from daemon.core.bars import bar_at, given_at_data_end
from daemon.core.candles import Candle
from daemon.core.states import Cancel, Close, Closing, Idle, Observation, Opening, tick
from daemon.core.vwap import NoPriceError, vwap
from tests.core.samples import MINUTE, T0, a_bar, a_row, a_scheduled, an_active


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


def test_at_the_end_of_data_an_open_signal_expires_and_a_waiting_one_is_cancelled() -> None:
    last = a_bar(price=100.4)

    assert given_at_data_end(an_active(), last) == Close(
        reason="time_expired", at_ms=T0 + MINUTE, price=100.4
    )
    assert given_at_data_end(a_scheduled(), last) == Cancel(
        reason="data_end", at_ms=T0 + MINUTE, price=100.4
    )


def test_at_the_end_of_data_nothing_else_needs_an_end() -> None:
    opening = Opening(signal=a_row(), seen=tick(T0, 100.0))
    closing = Closing(signal=a_row(), reason="user", price=100.0, at_ms=T0)

    for state in (Idle(), opening, closing):
        assert given_at_data_end(state, a_bar()) is None
