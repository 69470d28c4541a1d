"""A generated market is a pure function of its seed: laws, and what it looks like."""

import json
import math
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import DAY_MS, MINUTE_MS, Candle
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.market import Grid, MarketSpec, Trade
from daemon.simulation.walk import SEGMENT_MINUTES, Regime

START_MS = 1_700_000_040_000
SYMBOL = "BTC/USDT"
YEAR_MS = 365 * DAY_MS

seeds = st.integers(0, 2**64)
moments = st.integers(START_MS, START_MS + 30 * DAY_MS)


def a_market(seed: int = 1, *specs: MarketSpec) -> GeneratedMarket:
    return GeneratedMarket(specs or default_specs(), seed, START_MS)


def a_spec(*, price_tick: float, price_start: float, volatility_percent: float) -> MarketSpec:
    return MarketSpec(
        symbol="X/USD",
        base="X",
        quote="USD",
        price_tick=price_tick,
        quantity_step=0.5,
        notional_min=1.0,
        price_start=price_start,
        volatility_percent=volatility_percent,
    )


def glance(market: GeneratedMarket, symbol: str, now_ms: int) -> tuple[object, ...]:
    """Return all that can be asked about one moment."""
    return (
        market.minutes(symbol, now_ms - 3 * MINUTE_MS, now_ms, now_ms),
        market.trades(symbol, now_ms - 3_000, now_ms, now_ms),
        market.price(symbol, now_ms),
    )


@settings(max_examples=30)
@given(seed=seeds, asked=st.lists(moments, min_size=2, max_size=8), data=st.data())
def test_the_same_seed_is_the_same_market_in_any_order(
    seed: int, asked: list[int], data: st.DataObject
) -> None:
    other_order = data.draw(st.permutations(asked))
    one, two = a_market(seed), a_market(seed)

    seen = {now_ms: glance(one, SYMBOL, now_ms) for now_ms in asked}

    assert {now_ms: glance(two, SYMBOL, now_ms) for now_ms in other_order} == seen
    assert {now_ms: glance(one, SYMBOL, now_ms) for now_ms in other_order} == seen


def test_another_seed_and_another_symbol_are_another_market() -> None:
    span = (START_MS, START_MS + 60 * MINUTE_MS, START_MS + DAY_MS)
    rows = a_market(1).minutes(SYMBOL, *span)

    assert a_market(2).minutes(SYMBOL, *span) != rows
    eth = a_market(1).minutes("ETH/USDT", *span)
    moves = [row.close / row.open for row in rows]
    assert moves != pytest.approx([row.close / row.open for row in eth])


@settings(max_examples=30)
@given(seed=seeds, minute=st.integers(0, 5_000))
def test_a_forming_candle_only_widens_and_ends_as_the_whole_one(seed: int, minute: int) -> None:
    market = a_market(seed)
    opened_ms = START_MS + minute * MINUTE_MS
    whole = market.minutes(SYMBOL, opened_ms, opened_ms + MINUTE_MS, opened_ms + MINUTE_MS)[0]

    def at(now_ms: int) -> Candle:
        return market.minutes(SYMBOL, opened_ms, opened_ms + MINUTE_MS, now_ms)[0]

    before = at(opened_ms + 1)
    assert before.open == before.high == before.low == before.close == whole.open
    for now_ms in range(opened_ms + 1, opened_ms + MINUTE_MS + 1, 250):
        row = at(now_ms)
        assert (row.timestamp, row.open) == (whole.timestamp, whole.open)
        assert whole.high >= row.high >= before.high
        assert whole.low <= row.low <= before.low
        assert row.low <= row.close <= row.high
        assert whole.volume >= row.volume >= before.volume
        assert market.price(SYMBOL, now_ms) == row.close
        before = row
    assert at(opened_ms + MINUTE_MS) == whole
    assert market.minutes(SYMBOL, opened_ms, opened_ms + MINUTE_MS, opened_ms) == []


@settings(max_examples=30)
@given(seed=seeds, now_ms=moments | moments.map(lambda now_ms: now_ms // MINUTE_MS * MINUTE_MS))
def test_trades_make_up_the_candle_forming_or_whole(seed: int, now_ms: int) -> None:
    market = a_market(seed)
    opened_ms = (now_ms - 1) // MINUTE_MS * MINUTE_MS
    if opened_ms < START_MS:
        return

    trades = market.trades(SYMBOL, opened_ms, opened_ms + MINUTE_MS, now_ms)
    row = market.minutes(SYMBOL, opened_ms, opened_ms + MINUTE_MS, now_ms)[0]

    prices = [trade.price for trade in trades]
    assert (prices[0], max(prices), min(prices), prices[-1]) == row[1:5]
    assert math.isclose(sum(trade.quantity for trade in trades), row.volume)
    assert all(opened_ms <= trade.timestamp < now_ms for trade in trades)


@given(cuts=st.lists(st.integers(0, 600_000), max_size=5))
def test_trades_asked_in_pieces_are_the_trades_asked_at_once(cuts: list[int]) -> None:
    market, stop_ms = a_market(), START_MS + 600_000
    edges = [START_MS, *sorted(START_MS + cut for cut in cuts), stop_ms]

    pieces: list[Trade] = []
    for begun_ms, ended_ms in pairwise(edges):
        pieces += market.trades(SYMBOL, begun_ms, ended_ms, stop_ms)

    assert pieces == market.trades(SYMBOL, START_MS, stop_ms, stop_ms)
    assert [trade.id for trade in pieces] == list(range(600))


@settings(max_examples=20)
@given(
    seed=seeds,
    day=st.integers(0, 400),
    tick=st.sampled_from([0.01, 0.05, 1e-6, 1.0]),
    ticks_start=st.integers(1, 10**7),
    volatility_percent=st.sampled_from([0.0, 0.2, 3.0, 50.0]),
)
def test_candles_are_sound_on_the_grid_and_without_absurd_jumps(
    seed: int, day: int, tick: float, ticks_start: int, volatility_percent: float
) -> None:
    spec = a_spec(
        price_tick=tick,
        price_start=ticks_start * tick,
        volatility_percent=volatility_percent,
    )
    market = a_market(seed, spec)
    begun_ms = START_MS + day * DAY_MS

    rows = market.minutes("X/USD", begun_ms, begun_ms + 300 * MINUTE_MS, begun_ms + DAY_MS)

    prices, quantities = Grid(tick), Grid(0.5)
    assert [row.timestamp for row in rows] == [begun_ms + i * MINUTE_MS for i in range(300)]
    for row in rows:
        assert 0 < row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high
        assert all(map(prices.holds, row[1:5]))
        assert quantities.holds(row.volume)
        assert row.volume > 0
        assert abs(row.close - row.open) <= 0.2 * row.open + tick
    for before, after in pairwise(rows):
        assert after.open == before.close


@settings(max_examples=30)
@given(
    seed=seeds,
    saved_ms=st.integers(START_MS - DAY_MS, START_MS + 90 * DAY_MS),
    later_ms=st.integers(-90 * DAY_MS, 90 * DAY_MS),
)
def test_a_restored_market_is_the_uninterrupted_one(
    seed: int, saved_ms: int, later_ms: int
) -> None:
    market = a_market(seed)
    market.price(SYMBOL, saved_ms)

    data = json.loads(json.dumps(market.checkpoint(saved_ms)))
    restored = GeneratedMarket.restore(data)

    assert restored.specs == market.specs
    now_ms = saved_ms + later_ms
    for symbol in market.specs:
        assert glance(restored, symbol, now_ms) == glance(market, symbol, now_ms)
    assert restored.checkpoint(saved_ms) == market.checkpoint(saved_ms)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(version=99),
        lambda data: data.pop("seed"),
        lambda data: data.update(levels={"BTC/USDT": 3}),
        lambda data: data.update(levels={"NO/PE": [0, 0.0]}),
        lambda data: data["specs"][0].update(price_tick=-1.0),
        lambda data: data["specs"][0].update(surprise=1),
    ],
)
def test_what_is_no_checkpoint_is_refused(change: Callable[[dict[str, object]], None]) -> None:
    data = a_market().checkpoint(START_MS)
    change(data)

    with pytest.raises(ValueError, match="checkpoint"):
        GeneratedMarket.restore(data)


def test_before_its_start_a_market_has_a_price_and_no_candles() -> None:
    market = a_market()

    assert market.price(SYMBOL, START_MS - DAY_MS) == 60_000.0
    assert market.minutes(SYMBOL, 0, START_MS + DAY_MS, START_MS) == []
    assert market.trades(SYMBOL, 0, START_MS + DAY_MS, START_MS) == []
    assert len(market.minutes(SYMBOL, 0, START_MS + DAY_MS, START_MS + 1)) == 1


def test_an_unknown_symbol_is_a_key_error() -> None:
    for ask in (a_market().minutes, a_market().trades):
        with pytest.raises(KeyError):
            ask("NO/PE", START_MS, START_MS + MINUTE_MS, START_MS + DAY_MS)
    with pytest.raises(KeyError):
        a_market().price("NO/PE", START_MS)


def test_two_specs_of_one_symbol_are_refused() -> None:
    with pytest.raises(ValueError, match="one spec per symbol"):
        GeneratedMarket((*default_specs(), default_specs()[0]), 1, START_MS)


def test_an_hour_usually_moves_by_one_to_three_percent() -> None:
    market = a_market(4)
    for symbol in market.specs:
        rows = market.minutes(symbol, START_MS, START_MS + 30 * DAY_MS, START_MS + YEAR_MS)
        hours = [rows[start : start + 60] for start in range(0, len(rows), 60)]

        ranges = [max(r.high for r in hour) / min(r.low for r in hour) - 1 for hour in hours]
        returns = [math.log(row.close / row.open) for row in rows]

        assert 0.010 < statistics.median(ranges) < 0.035
        assert 0.0015 < statistics.pstdev(returns) < 0.0032


def test_all_regimes_come_and_go_at_random_times() -> None:
    market = a_market(4)
    told = [market.regime(SYMBOL, START_MS + minute * MINUTE_MS) for minute in range(14 * 24 * 60)]

    changes = [i for i, (a, b) in enumerate(pairwise(told), 1) if a != b]
    assert set(told) == set(Regime)
    assert len({minute % SEGMENT_MINUTES for minute in changes}) > SEGMENT_MINUTES // 2


def test_a_crash_falls_and_is_busier_than_a_calm() -> None:
    market = a_market(4)
    rows = market.minutes(SYMBOL, START_MS, START_MS + 30 * DAY_MS, START_MS + YEAR_MS)
    by_regime: dict[Regime, list[Candle]] = {regime: [] for regime in Regime}
    for row in rows:
        by_regime[market.regime(SYMBOL, row.timestamp)].append(row)

    def drift(regime: Regime) -> float:
        return statistics.mean(math.log(row.close / row.open) for row in by_regime[regime])

    def volume(regime: Regime) -> float:
        return statistics.mean(row.volume for row in by_regime[regime])

    assert drift(Regime.CRASH) < drift(Regime.TREND_DOWN) < drift(Regime.TREND_UP)
    assert drift(Regime.TREND_UP) > 0
    assert volume(Regime.CRASH) > 2 * volume(Regime.RANGE) > 3 * volume(Regime.CALM)


def test_years_later_prices_are_still_near_where_they_began() -> None:
    market = a_market(7)
    for spec in market.specs.values():
        for year in (1, 3, 10):
            price = market.price(spec.symbol, START_MS + year * YEAR_MS)
            assert 0.3 < price / spec.price_start < 3.4


def test_memory_is_bounded_however_much_is_asked() -> None:
    market = a_market()
    for day in range(40):
        now_ms = START_MS + day * DAY_MS
        glance(market, SYMBOL, now_ms)
        market.minutes(SYMBOL, now_ms - DAY_MS, now_ms, now_ms)

    walk = market._walks[SYMBOL]
    assert len(walk._built) <= 8
    assert len(market._paths) <= 9
    assert len(walk.levels) <= 40 * 24 // 32 + 2  # one number in 32 hours


def test_a_minute_costs_little_and_a_restored_market_starts_at_once() -> None:
    """Generous bounds: ten times what an idle machine needs."""
    market = a_market()
    later_ms = START_MS + YEAR_MS
    data = market.checkpoint(later_ms)

    begun_s = time.process_time()
    restored = GeneratedMarket.restore(data)
    restored.price(SYMBOL, later_ms)
    restored_s = time.process_time() - begun_s
    begun_s = time.process_time()
    rows = restored.minutes(SYMBOL, later_ms - 5 * DAY_MS, later_ms, later_ms)
    per_minute_s = (time.process_time() - begun_s) / len(rows)

    assert restored_s < 0.05
    assert per_minute_s < 100e-6
