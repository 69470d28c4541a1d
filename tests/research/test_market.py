"""Bulk numbers are, bit for bit, what the core computes from the same candles one by one."""

import random  # noqa: TID251 (seeded)

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.core.candles import INTERVAL_MS, Candle
from daemon.research import market as market_module
from daemon.research.columns import minutes_of
from daemon.research.market import Column, Market, Markets
from tests.core.reference import aggregate, bar_at
from tests.core.samples import MINUTE, T0


def some_rows(seed: int, count: int) -> list[Candle]:
    """Return minutes of odd numbers, many of them without trades, from an odd minute on."""
    rng = random.Random(seed)
    rows = []
    start_ms = T0 + rng.randrange(60) * MINUTE
    for index in range(count):
        low, opened, close, high = sorted(rng.uniform(90, 110) for _ in range(4))
        volume = 0.0 if rng.random() < 0.5 else rng.choice([1e-320, 1.0, 3.7, 1e12])
        rows.append(Candle(start_ms + index * MINUTE, opened, high, low, close, volume))
    return rows


ROWS = st.builds(some_rows, st.integers(0, 2**32), st.integers(2, 60))


@given(ROWS, st.integers(min_value=1, max_value=70))
def test_each_bar_is_the_one_that_the_core_makes(rows: list[Candle], count: int) -> None:
    market = Market(minutes_of(rows), count)

    for index in range(1, len(rows)):
        assert market.bar(index) == bar_at(rows, index, count)
        assert market.price_at(rows[index].timestamp) == bar_at(rows, index, count).price_start


@given(ROWS, st.data())
def test_prices_of_many_moments_are_those_of_each(rows: list[Candle], data: st.DataObject) -> None:
    market = Market(minutes_of(rows), 5)
    first = data.draw(st.integers(1, len(rows) - 1))
    stop = data.draw(st.integers(first + 1, len(rows)))
    start_ms = rows[0].timestamp
    step_ms = data.draw(st.integers(1, 9)) * MINUTE
    moments = range(start_ms + first * MINUTE, start_ms + stop * MINUTE, step_ms)

    assert list(market.prices_at(moments)) == [market.price_at(at_ms) for at_ms in moments]


def test_a_market_is_worked_out_once_for_all_runs_on_the_same_candles() -> None:
    minutes, others = minutes_of(some_rows(1, 9)), minutes_of(some_rows(1, 9))
    markets = Markets()

    assert markets.of(minutes, 5) is markets.of(minutes, 5)
    assert markets.of(minutes, 5) is not markets.of(minutes, 3)
    assert markets.of(minutes, 5) is not markets.of(others, 5)


@given(st.integers(0, 2**32), st.sampled_from(sorted(INTERVAL_MS)), st.integers(0, 1))
def test_wider_candles_are_the_ones_that_the_core_makes(
    seed: int, interval: str, is_long: int
) -> None:
    rows = some_rows(seed, 200)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(market_module, "TUPLE_LENGTH_MAX", 0 if is_long else 1000)
        table = Market(minutes_of(rows), 5).table(interval)

    count = len(table.columns[0])
    window = table.window(count, count)
    assert list(window) == aggregate(rows, interval)
    assert all(isinstance(column, tuple) for column in (window.close, window.timestamp))
    if count:
        assert type(window[0].close) is float
        assert type(window[-1].timestamp) is int


BOUND = st.none() | st.integers(-50, 50)


@given(st.lists(st.tuples(BOUND, BOUND, st.sampled_from([None, 1, 2, -1])), max_size=20))
@example([(-5, -2, None)])
@example([(5, 10, None), (6, 3, None), (4, 6, None), (11, 14, None), (3, 20, None), (38, 41, None)])
def test_a_slice_of_a_long_column_is_that_of_a_tuple_wherever_the_one_before_was(
    cuts: list[tuple[int | None, int | None, int | None]],
) -> None:
    plain = tuple(float(number) for number in range(40))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(market_module, "NEAR_LENGTH", 8)
        column = Column(np.array(plain))

        for start, stop, step in cuts:
            assert column[start:stop:step] == plain[start:stop:step]


def test_an_unknown_interval_is_named() -> None:
    with pytest.raises(ValueError, match="unknown candle interval '2m'"):
        Market(minutes_of(some_rows(1, 9)), 5).table("2m")
