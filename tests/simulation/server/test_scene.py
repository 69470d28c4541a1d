"""A market through a fault plan: gaps, absurd prices, NaN and standstill."""

import math

from daemon.core.candles import MINUTE_MS
from daemon.simulation.faults import Absurd, Effect, Fault, FaultPlan, Frozen, Gap, NotANumber
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import depth, ticker
from daemon.simulation.server.counters import Counters
from daemon.simulation.server.scene import Scene, Stage
from tests.simulation.server.conftest import START_MS
from tests.simulation.server.held_clock import HeldClock

BTC = "BTC/USDT"


def a_scene(market: GeneratedMarket, effect: Effect, *, path: str = "*") -> Scene:
    """The market five minutes on; the fault lasted through the third minute."""
    fault = Fault(effect=effect, start_s=120.0, stop_s=180.0, path=path, symbol=BTC)
    clock = HeldClock(START_MS)
    stage = Stage(market, clock, FaultPlan(faults=(fault,)), Counters())
    clock.at_ms += 5 * MINUTE_MS
    return stage.scene("/api/v3/klines", stage.moment())


def minutes(scene: Scene, symbol: str = BTC) -> list[tuple[int, float]]:
    stop_ms = START_MS + 5 * MINUTE_MS
    rows = scene.market.minutes(symbol, START_MS, stop_ms, stop_ms)
    return [((row.timestamp - START_MS) // MINUTE_MS, row.close) for row in rows]


def test_without_faults_the_market_is_shown_as_it_is(market: GeneratedMarket) -> None:
    assert a_scene(market, Gap(), path="nothing").market is market


def test_a_gap_takes_the_minute_and_its_trades(market: GeneratedMarket) -> None:
    scene = a_scene(market, Gap())

    assert [number for number, _ in minutes(scene)] == [0, 1, 3, 4]
    gap_ms = START_MS + 2 * MINUTE_MS
    assert scene.market.trades(BTC, gap_ms, gap_ms + MINUTE_MS, gap_ms + MINUTE_MS) == []
    assert len(minutes(scene, "ETH/USDT")) == 5


def test_an_absurd_price_shows_in_candles_trades_and_book(market: GeneratedMarket) -> None:
    scene = a_scene(market, Absurd(factor=10.0))
    now_ms = START_MS + 2 * MINUTE_MS + 30_000
    truth = market.price(BTC, now_ms)

    assert minutes(scene)[2][1] > 5 * minutes(scene)[1][1]
    assert scene.market.price(BTC, now_ms) == truth * 10
    assert scene.market.trades(BTC, now_ms - 1000, now_ms, now_ms)[0].price == truth * 10
    assert depth(scene.market, BTC, now_ms, 1)[0][0].price > 5 * truth


def test_nan_shows_in_candles_and_breaks_no_book(market: GeneratedMarket) -> None:
    scene = a_scene(market, NotANumber())
    now_ms = START_MS + 2 * MINUTE_MS + 30_000

    assert math.isnan(minutes(scene)[2][1])
    assert ticker(scene.market, BTC, now_ms).price_last == market.price(BTC, now_ms)


def test_a_price_that_no_book_could_stand_on_is_not_told(market: GeneratedMarket) -> None:
    scene = a_scene(market, Absurd(factor=0.0))
    now_ms = START_MS + 2 * MINUTE_MS + 30_000

    assert scene.market.price(BTC, now_ms) == market.price(BTC, now_ms)


def test_a_frozen_market_stands_where_its_window_began(market: GeneratedMarket) -> None:
    fault = Fault(effect=Frozen(), start_s=120.0, symbol=BTC)
    clock = HeldClock(START_MS)
    stage = Stage(market, clock, FaultPlan(faults=(fault,)), Counters())
    clock.at_ms += 5 * MINUTE_MS

    scene = stage.scene("/api/v3/klines", stage.moment())

    assert scene.now_ms(BTC) == START_MS + 2 * MINUTE_MS
    assert scene.now_ms("ETH/USDT") == clock.at_ms
    assert scene.told_ms() == clock.at_ms
