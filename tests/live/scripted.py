"""Two strategies and markets by script, for scenes in which one thing happens."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.events import (
    name_of,
)
from daemon.core.signal import Key, Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.replay import ReplayedMarket, spec_of_candles
from tests.live.scene import START_MS, Scene

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
HOUR_S = 3600.0


def a_market(prices: Sequence[float], *, minutes_each: int = 10) -> ReplayedMarket:
    """Return a market that stands at each price for some minutes, an hour of history before."""
    path = [prices[0]] * 60 + [price for price in prices for _ in range(minutes_each)]
    first_ms = START_MS - 60 * MINUTE_MS
    rows = [
        Candle(first_ms + number * MINUTE_MS, price, price, price, price, 1.0)
        for number, price in enumerate(path)
    ]
    return ReplayedMarket(replace(spec_of_candles("BTC/USDT", rows), price_tick=0.01), rows)


class Buyer(Strategy):
    """Buys once, at its first call."""

    interval = "1m"
    calls: ClassVar[list[int]] = []

    def get_signal(self, view: View) -> Signal | None:
        self.calls.append(view.now_ms)
        return Signal(
            position="long",
            price_take_profit=view.price * 1.02,
            price_stop_loss=view.price * 0.98,
            minute_estimated_time=600,
        )


class Waiter(Strategy):
    """Schedules an entry one percent below."""

    interval = "1m"

    def get_signal(self, view: View) -> Signal | None:
        return Signal(
            position="long",
            price_open=view.price * 0.99,
            price_take_profit=view.price * 1.02,
            price_stop_loss=view.price * 0.95,
            minute_estimated_time=600,
        )


def names(scene: Scene) -> list[str]:
    return [name_of(event) for event in scene.journaled]
