"""A market and two strategies by script: within a second everything happens that can be lost.

Prices go up and down in steps, one a market minute, so that signals are scheduled, opened, carried
over several levels, closed at target and stop, cancelled, and refused by risk, on several keys.
The market is a function of its time alone: a daemon that was killed finds it as it left it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.app.config.settings import Config
from daemon.core.candles import DAY_MS, MINUTE_MS, Candle
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.market import MarketSpec, Trade

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""

SYMBOLS = ("BTC/USDT", "ETH/USDT")
STEPS = (100.0, 100.3, 100.7, 101.1, 100.6, 99.9, 99.3, 99.6)
"""The price of each minute, over and over."""

LIFE_MINUTES = 3
WAIT_MINUTES = 3
POSITIONS_MAX = 2
SETTLED_MS = (LIFE_MINUTES + 2) * MINUTE_MS
"""So long after the last signal everything has ended by itself."""


@dataclass(eq=False, slots=True)
class ScriptedMarket:
    """Each symbol walks the steps, half the way apart from the one before."""

    symbols: tuple[str, ...] = SYMBOLS
    start_ms: int = START_MS - DAY_MS
    specs: Mapping[str, MarketSpec] = field(init=False)

    def __post_init__(self) -> None:
        self.specs = {symbol: a_spec(symbol) for symbol in self.symbols}

    def minutes(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Candle]:
        """Return candles at one price each; their volume grows with the seconds."""
        first_ms = max(-(-start_ms // MINUTE_MS) * MINUTE_MS, self.start_ms)
        found: list[Candle] = []
        for at_ms in range(first_ms, min(stop_ms, now_ms), MINUTE_MS):
            price = self._step(symbol, at_ms)
            volume = min(now_ms - at_ms, MINUTE_MS) / 1000
            found.append(Candle(at_ms, price, price, price, price, volume))
        return found

    def trades(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Trade]:
        """Return nothing: the daemon lives on candles."""
        del symbol, start_ms, stop_ms, now_ms
        return []

    def price(self, symbol: str, now_ms: int) -> float:
        """Return the price of the minute before `now_ms`."""
        return self._step(symbol, now_ms - 1)

    def _step(self, symbol: str, at_ms: int) -> float:
        minute = (at_ms - START_MS) // MINUTE_MS + 4 * self.symbols.index(symbol)
        return STEPS[minute % len(STEPS)] if at_ms >= START_MS else STEPS[0]


def a_spec(symbol: str) -> MarketSpec:
    """Return the grid of a pair that nobody trades on."""
    base, _, quote = symbol.partition("/")
    return MarketSpec(
        symbol=symbol,
        base=base,
        quote=quote,
        price_tick=0.01,
        quantity_step=0.001,
        notional_min=1.0,
        price_start=STEPS[0],
        volatility_percent=0.0,
    )


class Eager(Strategy):
    """Buys at once, whenever it is asked, until `until_ms` of the market."""

    interval = "1m"

    async def get_signal(self, view: View) -> Signal | None:
        if view.now_ms >= int(str(self.params["until_ms"])):
            return None
        return Signal(
            position="long",
            price_take_profit=view.price * 1.01,
            price_stop_loss=view.price * 0.99,
            minute_estimated_time=LIFE_MINUTES,
        )


class Patient(Strategy):
    """Waits for a price half a percent below, until `until_ms` of the market."""

    interval = "1m"

    async def get_signal(self, view: View) -> Signal | None:
        if view.now_ms >= int(str(self.params["until_ms"])):
            return None
        return Signal(
            position="long",
            price_open=view.price * 0.995,
            price_take_profit=view.price * 1.003,
            price_stop_loss=view.price * 0.988,
            minute_estimated_time=LIFE_MINUTES,
        )


class Stuck(Strategy):
    """Never ends its first step, and says so: a daemon that stops has to wait for that."""

    interval = "1m"

    def get_signal(self, view: View) -> Signal | None:
        return None

    async def on_idle(self, symbol: str, price: float, backtest: bool) -> None:
        print("asked", flush=True)
        await asyncio.Event().wait()


STRATEGIES: tuple[type[Strategy], ...] = (Eager, Patient)


def a_config(
    state_dir: Path,
    url: str,
    until_ms: int,
    symbols: tuple[str, ...] = SYMBOLS,
    strategies: tuple[type[Strategy], ...] = STRATEGIES,
) -> Config:
    """Return the settings of a daemon that signals until `until_ms` and posts to `url`."""
    sections = [
        {
            "name": strategy.__name__.lower(),
            "path": f"{Path(__file__)}:{strategy.__name__}",
            "symbols": symbols,
            "risk": ["few"],
            "params": {"until_ms": until_ms},
        }
        for strategy in strategies
    ]
    values: dict[str, Any] = {
        "daemon": {
            "state_dir": state_dir,
            "tick_interval_ms": 10,
            "tick_quiet_max_ms": 50,
            # A busy machine is no reason to interrupt a strategy here.
            "strategy_stretch_max_ms": 10_000,
        },
        "rules": {
            "avg_price_candles_count": 1,
            "schedule_await_minutes": WAIT_MINUTES,
            # Market time runs a thousand times faster than the machine that is busy elsewhere.
            "max_price_age_s": 3600,
        },
        "http": {"enabled": False},
        "log": {"format": "json"},
        "alerts": {"webhook": {"url": url}},
        "risk": [{"name": "few", "max_positions": POSITIONS_MAX}],
        "strategies": sections,
    }
    return Config(**values)
