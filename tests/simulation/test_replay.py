"""A replayed market: the recorded minutes exactly, and a plain path inside each."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import DAY_MS, MINUTE_MS, Candle
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.market import KlineQuery, klines
from daemon.simulation.replay import (
    ReplayedMarket,
    fill_gaps,
    on_grid,
    parse_candles,
    spec_of_candles,
)
from tests.core.reference import aggregate

START_MS = 1_700_000_040_000
SYMBOL = "X/USD"


def a_row(minute: int, *prices: float, volume: float = 600.0) -> Candle:
    opened, high, low, closed = prices or (10.0, 12.0, 9.0, 11.0)
    return Candle(START_MS + minute * MINUTE_MS, opened, high, low, closed, volume)


def a_market(*rows: Candle) -> ReplayedMarket:
    return ReplayedMarket(spec_of_candles(SYMBOL, rows), rows)


def formed(market: ReplayedMarket, now_ms: int) -> Candle:
    return market.minutes(SYMBOL, START_MS, now_ms, now_ms)[-1]


def test_whole_minutes_are_told_as_recorded_and_nothing_of_the_future() -> None:
    rows = [a_row(minute) for minute in range(5)]
    market = a_market(*rows)

    assert market.minutes(SYMBOL, 0, START_MS + DAY_MS, START_MS + 2 * MINUTE_MS) == rows[:2]
    assert market.minutes(SYMBOL, START_MS + MINUTE_MS, START_MS + DAY_MS, 2**50) == rows[1:]
    assert market.start_ms == START_MS
    assert market.stop_ms == START_MS + 5 * MINUTE_MS


def test_a_rising_minute_goes_down_up_and_home() -> None:
    market = a_market(a_row(0, 10.0, 12.0, 9.0, 11.0))

    assert formed(market, START_MS + 1)[1:5] == (10.0, 10.0, 10.0, 10.0)
    assert formed(market, START_MS + 20_001)[1:5] == (10.0, 10.0, 9.0, 9.0)
    assert formed(market, START_MS + 40_001)[1:5] == (10.0, 12.0, 9.0, 12.0)
    assert formed(market, START_MS + 59_001)[1:5] == (10.0, 12.0, 9.0, 11.0)


def test_a_falling_minute_goes_up_down_and_home() -> None:
    market = a_market(a_row(0, 11.0, 12.0, 9.0, 10.0))

    assert formed(market, START_MS + 20_001)[1:5] == (11.0, 12.0, 11.0, 12.0)
    assert formed(market, START_MS + 40_001)[1:5] == (11.0, 12.0, 9.0, 9.0)


def test_volume_is_spread_evenly_and_ends_as_recorded() -> None:
    market = a_market(a_row(0, volume=600.0))

    assert formed(market, START_MS + 1).volume == 10.0
    assert formed(market, START_MS + 29_001).volume == 300.0
    trades = market.trades(SYMBOL, START_MS, START_MS + MINUTE_MS, START_MS + MINUTE_MS)
    assert sum(trade.quantity for trade in trades) == 600.0


def test_a_minute_without_volume_has_a_candle_and_no_trades() -> None:
    market = a_market(a_row(0, 10.0, 10.0, 10.0, 10.0, volume=0.0))

    assert formed(market, START_MS + 30_000) == a_row(0, 10.0, 10.0, 10.0, 10.0, volume=0.0)
    assert market.trades(SYMBOL, START_MS, START_MS + MINUTE_MS, 2**50) == []


def test_at_a_minute_s_turn_the_price_is_still_the_close_before() -> None:
    market = a_market(a_row(0), a_row(1, 20.0, 20.0, 20.0, 20.0))

    assert market.price(SYMBOL, START_MS + MINUTE_MS) == 11.0
    assert market.price(SYMBOL, START_MS + MINUTE_MS + 1) == 20.0


def test_in_a_gap_the_last_price_stays() -> None:
    market = a_market(a_row(0), a_row(3))

    assert market.price(SYMBOL, START_MS + 2 * MINUTE_MS) == 11.0
    assert market.minutes(SYMBOL, START_MS, 2**50, START_MS + 2 * MINUTE_MS) == [a_row(0)]


def test_after_the_end_nothing_is_traded_and_the_price_stays() -> None:
    market = a_market(a_row(0))

    assert market.price(SYMBOL, 2**50) == 11.0
    assert market.trades(SYMBOL, market.stop_ms, 2**50, 2**50) == []
    assert market.price(SYMBOL, 0) == 10.0


@given(st.integers(0, 10), st.permutations(range(0, 8 * MINUTE_MS, 7_777)))
def test_the_order_of_asking_changes_nothing(seed: int, asked: list[int]) -> None:
    made = GeneratedMarket(default_specs()[:1], seed, START_MS)
    rows = made.minutes("BTC/USDT", START_MS, START_MS + 9 * MINUTE_MS, 2**50)
    market = ReplayedMarket(spec_of_candles("BTC/USDT", rows), rows)
    fresh = {
        now: ReplayedMarket(market.specs["BTC/USDT"], rows).price("BTC/USDT", START_MS + now)
        for now in asked[:3]
    }

    told = {now: market.price("BTC/USDT", START_MS + now) for now in asked}

    assert {now: told[now] for now in fresh} == fresh
    assert market.minutes("BTC/USDT", 0, 2**50, 2**50) == rows


def test_the_spec_is_the_coarsest_grid_that_holds_the_candles() -> None:
    spec = spec_of_candles(SYMBOL, [a_row(0, 10.05, 10.5, 9.0, 10.0, volume=0.125)])

    assert (spec.price_tick, spec.quantity_step) == (0.01, 0.001)
    assert (spec.symbol, spec.base, spec.quote) == (SYMBOL, "X", "USD")
    assert spec_of_candles(SYMBOL, [a_row(0)]).price_tick == 1.0
    noisy = spec_of_candles(SYMBOL, [a_row(0, volume=218102.59507500002)])
    assert noisy.quantity_step == 1e-8


def test_what_is_finer_than_an_exchange_tells_is_rounded_away() -> None:
    told = on_grid([a_row(0, 10.1234567891, 10.5123456789, 9.98765432109, 10.0123456789)])

    assert told == [a_row(0, 10.12345679, 10.51234568, 9.98765432, 10.01234568)]
    assert ReplayedMarket(spec_of_candles(SYMBOL, told), told).specs[SYMBOL].price_tick == 1e-8
    with pytest.raises(ValueError, match="below 1e-8"):
        on_grid([a_row(0, 1e-10, 1e-10, 1e-10, 1e-10)])


def test_what_cannot_be_replayed_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to replay"):
        ReplayedMarket(default_specs()[0], [])
    with pytest.raises(ValueError, match="no multiple of price_tick"):
        ReplayedMarket(default_specs()[0], [a_row(0, 10.001, 12.0, 9.0, 11.0)])
    with pytest.raises(KeyError):
        a_market(a_row(0)).price("NO/PE", START_MS)
    with pytest.raises(ValueError, match="is not"):
        spec_of_candles("XUSD", [a_row(0)])


def test_a_recorded_month_aggregates_as_the_reference_does(recorded_candles: Path) -> None:
    text = (recorded_candles / "btc-perp-2022-01-1m.csv").read_text()
    rows = fill_gaps(parse_candles(text))
    market = ReplayedMarket(spec_of_candles("BTC/USDT", rows), rows)
    days = aggregate(rows, "1d")

    query = KlineQuery(symbol="BTC/USDT", interval="1d", start_ms=days[0].timestamp, limit=31)
    told = klines(market, query, market.stop_ms)

    assert len(told) == 31
    assert [row[:5] for row in told] == [row[:5] for row in days]
    assert [row.volume for row in told] == pytest.approx([row.volume for row in days])
