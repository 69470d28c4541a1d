"""From ccxt's lists to candles: whatever an answer holds, it becomes candles or one clear error."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.exchange.rows import read_row, read_rows, regrouped
from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import UntrustedDataError
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import KlineQuery, klines
from tests.adapters.exchange.conftest import NOW_MS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def test_rows_become_candles() -> None:
    assert read_rows([[60_000, 1, 3.0, 0.5, 2, 7.0]], "x") == [
        Candle(60_000, 1.0, 3.0, 0.5, 2.0, 7.0)
    ]


def test_an_empty_answer_is_no_candles() -> None:
    assert read_rows([], "x") == []


@given(JSON)
def test_x8_any_answer_is_candles_or_not_to_be_trusted(answer: object) -> None:
    try:
        rows = read_rows(answer, "BTC/USDT 1m candles")
    except UntrustedDataError as error:
        rows, words = [], str(error)
    else:
        words = "BTC/USDT 1m candles: fine"
    assert words.startswith("BTC/USDT 1m candles: ")
    assert len(words) < 200
    assert all(type(value) is float for row in rows for value in row[1:])
    assert all(type(row.timestamp) is int for row in rows)


@pytest.mark.parametrize("value", [None, "1.5", True, {}, [1], 10**400])
def test_x9_a_value_that_is_no_number_is_not_a_number(value: object) -> None:
    row = read_row([60_000, 1.0, 1.0, 1.0, value, 1.0])

    assert row is not None
    assert isnan(row.close)


@pytest.mark.parametrize("row", [[], [60_000, 1, 1, 1, 1], [None] * 6, [True] * 6, ["9"] * 6])
def test_a_row_without_a_time_or_whole_width_is_none(row: list[object]) -> None:
    assert read_row(row) is None


@given(st.sampled_from(["3m", "5m", "15m", "1h"]), st.integers(1, 200), st.integers(0, 3_600_000))
def test_finer_candles_make_what_the_exchange_would_have_told(
    market: GeneratedMarket, interval: str, limit: int, back_ms: int
) -> None:
    now_ms = NOW_MS - back_ms
    fine = klines(market, KlineQuery(symbol="BTC/USDT", interval="1m", limit=limit), now_ms)

    made = regrouped(fine, interval)

    told = klines(market, KlineQuery(symbol="BTC/USDT", interval=interval, limit=limit), now_ms)
    whole = [row for row in told if row.timestamp >= fine[0].timestamp]
    assert [row[:5] for row in made] == [row[:5] for row in whole]
    assert [row.volume for row in made] == pytest.approx([row.volume for row in whole])


def test_a_candle_whose_beginning_is_missing_is_left_out() -> None:
    rows = [Candle(minute * MINUTE_MS, 1.0, 1.0, 1.0, 1.0, 1.0) for minute in (4, 5, 6)]

    assert [row.timestamp for row in regrouped(rows, "5m")] == [5 * MINUTE_MS]
    assert regrouped([], "5m") == []
