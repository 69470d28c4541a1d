"""What an exchange answers from any market: klines, the book and the ticker."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import DAY_MS, INTERVAL_MS, MINUTE_MS, merge
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.market import (
    Grid,
    KlineQuery,
    MarketSpec,
    depth,
    klines,
    ticker,
)
from tests.core.reference import aggregate

START_MS = 1_700_000_040_000  # 22:14, inside every interval but the minute
SYMBOL = "ETH/USDT"
MARKET = GeneratedMarket(default_specs(), 11, START_MS)
NOW_MS = START_MS + 2 * DAY_MS + 12_345


def a_query(interval: str = "1m", **changes: int) -> KlineQuery:
    return KlineQuery(symbol=SYMBOL, interval=interval, **changes)


def test_without_times_the_newest_candles_come_and_the_last_one_forms() -> None:
    rows = klines(MARKET, a_query(limit=3), NOW_MS)

    newest_ms = NOW_MS // MINUTE_MS * MINUTE_MS
    assert [row.timestamp for row in rows] == [newest_ms - 120_000, newest_ms - 60_000, newest_ms]
    whole = MARKET.minutes(SYMBOL, newest_ms, NOW_MS, newest_ms + MINUTE_MS)[0]
    assert rows[-1].volume < whole.volume


def test_with_a_start_the_first_candles_at_or_after_it_come() -> None:
    rows = klines(MARKET, a_query("5m", start_ms=START_MS + 1, limit=2), NOW_MS)

    first_ms = -(-START_MS // 300_000) * 300_000
    assert [row.timestamp for row in rows] == [first_ms, first_ms + 300_000]


def test_a_start_before_the_market_gives_its_first_candles() -> None:
    rows = klines(MARKET, a_query("1h", start_ms=0, limit=2), NOW_MS)

    hour_ms = START_MS // 3_600_000 * 3_600_000
    assert [row.timestamp for row in rows] == [hour_ms, hour_ms + 3_600_000]
    assert rows[0].open == 3000.0


def test_the_end_is_an_open_time_and_included() -> None:
    end_ms = START_MS + 10 * MINUTE_MS

    exact = klines(MARKET, a_query(end_ms=end_ms, limit=2), NOW_MS)
    early = klines(MARKET, a_query(end_ms=end_ms - 1, limit=2), NOW_MS)
    both = klines(MARKET, a_query(start_ms=end_ms - MINUTE_MS, end_ms=end_ms), NOW_MS)

    assert [row.timestamp for row in exact] == [end_ms - MINUTE_MS, end_ms]
    assert early[-1].timestamp == end_ms - MINUTE_MS
    assert both == exact


@pytest.mark.parametrize(
    "query",
    [
        a_query(start_ms=NOW_MS + DAY_MS),
        a_query("1h", start_ms=NOW_MS + DAY_MS),
        a_query(end_ms=START_MS - 1),
        a_query("1d", end_ms=START_MS - 2 * DAY_MS),
        a_query(start_ms=NOW_MS, end_ms=START_MS),
    ],
)
def test_where_there_is_nothing_nothing_comes(query: KlineQuery) -> None:
    assert klines(MARKET, query, NOW_MS) == []


@settings(max_examples=60)
@given(
    interval=st.sampled_from(list(INTERVAL_MS)),
    now_ms=st.integers(START_MS + 1, START_MS + 3 * DAY_MS),
    limit=st.integers(1, 30),
)
def test_every_candle_is_exactly_the_minutes_that_it_covers(
    interval: str, now_ms: int, limit: int
) -> None:
    rows = klines(MARKET, a_query(interval, limit=limit), now_ms)

    assert 1 <= len(rows) <= limit
    assert rows[-1].timestamp + INTERVAL_MS[interval] >= now_ms
    for row in rows:
        stop_ms = row.timestamp + INTERVAL_MS[interval]
        parts = merge(MARKET.minutes(SYMBOL, row.timestamp, stop_ms, now_ms), row.timestamp)
        assert row[:5] == parts[:5]
        assert row.volume == pytest.approx(parts.volume, rel=1e-12)
        assert Grid(0.0001).holds(row.volume)


def test_whole_candles_are_the_core_s_aggregation() -> None:
    minutes = MARKET.minutes(SYMBOL, START_MS, NOW_MS, NOW_MS)
    whole = aggregate(minutes, "1h")

    rows = klines(MARKET, a_query("1h", start_ms=whole[0].timestamp, limit=len(whole)), NOW_MS)

    assert [row[:5] for row in rows] == [row[:5] for row in whole]


def test_what_is_remembered_of_one_symbol_is_not_told_of_another() -> None:
    end_ms = NOW_MS - DAY_MS
    rows = [
        klines(MARKET, KlineQuery(symbol=symbol, interval="1d", end_ms=end_ms), NOW_MS)[-1]
        for symbol in MARKET.specs
    ]

    for spec, row in zip(MARKET.specs.values(), rows, strict=True):
        assert 0.5 < row.low / spec.price_start < 2


def test_an_unknown_interval_or_symbol_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown candle interval '7m'"):
        klines(MARKET, a_query("7m"), NOW_MS)
    for interval in ("1m", "1h"):
        with pytest.raises(KeyError):
            klines(MARKET, KlineQuery(symbol="NO/PE", interval=interval), NOW_MS)


@settings(max_examples=40)
@given(now_ms=st.integers(START_MS, NOW_MS), limit=st.integers(1, 200))
def test_the_book_is_sorted_uncrossed_on_the_grid_and_repeats(now_ms: int, limit: int) -> None:
    bids, asks = depth(MARKET, SYMBOL, now_ms, limit)

    assert (bids, asks) == depth(MARKET, SYMBOL, now_ms, limit)
    assert len(asks) == limit
    assert [level.price for level in bids] == sorted({b.price for b in bids}, reverse=True)
    assert [level.price for level in asks] == sorted({a.price for a in asks})
    assert bids[0].price == MARKET.price(SYMBOL, now_ms)
    assert asks[0].price == pytest.approx(bids[0].price + 0.01)
    for level in bids + asks:
        assert Grid(0.01).holds(level.price)
        assert Grid(0.0001).holds(level.quantity)
        assert level.quantity > 0


def test_a_deep_book_of_a_cheap_coin_ends_above_zero() -> None:
    spec = MarketSpec(
        symbol="X/USD",
        base="X",
        quote="USD",
        price_tick=0.01,
        quantity_step=1.0,
        notional_min=1.0,
        price_start=0.05,
        volatility_percent=0.1,
    )
    market = GeneratedMarket([spec], 1, START_MS)

    bids, asks = depth(market, "X/USD", START_MS, limit=100)

    assert 1 <= len(bids) <= 6
    assert bids[-1].price == 0.01
    assert len(asks) == 100


def test_the_ticker_covers_the_last_day() -> None:
    told = ticker(MARKET, SYMBOL, NOW_MS)

    since_ms = (NOW_MS - DAY_MS) // MINUTE_MS * MINUTE_MS
    rows = MARKET.minutes(SYMBOL, since_ms, NOW_MS, NOW_MS)
    assert told.open_ms == since_ms
    assert (told.price_open, told.price_last) == (rows[0].open, rows[-1].close)
    assert (told.price_high, told.price_low) == (
        max(r.high for r in rows),
        min(r.low for r in rows),
    )
    assert told.volume == pytest.approx(sum(row.volume for row in rows))
    assert told.price_low <= told.price_vwap <= told.price_high
    assert told.change_percent == pytest.approx((rows[-1].close / rows[0].open - 1) * 100)
    assert told == ticker(MARKET, SYMBOL, NOW_MS)


def test_the_ticker_of_a_market_that_just_began_is_flat() -> None:
    told = ticker(MARKET, SYMBOL, START_MS)

    assert (told.price_open, told.price_high, told.price_last) == (3000.0, 3000.0, 3000.0)
    assert (told.volume, told.price_change, told.price_vwap) == (0.0, 0.0, 3000.0)


@given(count=st.integers(0, 10**12), step=st.sampled_from([0.01, 0.05, 0.1, 1e-8, 0.25, 1.0, 10.0]))
def test_a_grid_counts_without_drift(count: int, step: float) -> None:
    grid = Grid(step)

    value = grid.value(count)

    assert grid.count(value) == count
    assert grid.holds(value)
    assert not grid.holds(value + step / 2 + value / 1e6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price_tick", 0.0),
        ("quantity_step", -1.0),
        ("price_start", float("nan")),
        ("notional_min", float("inf")),
        ("volatility_percent", -0.1),
        ("symbol", "BTCUSDT"),
    ],
)
def test_an_impossible_spec_is_refused(name: str, value: object) -> None:
    spec = default_specs()[0]
    fields = {key: getattr(spec, key) for key in MarketSpec.__dataclass_fields__}

    with pytest.raises(ValueError, match="BTC"):
        MarketSpec(**{**fields, name: value})
