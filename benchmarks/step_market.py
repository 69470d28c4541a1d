"""A market that trembles around its prices and steps where it is told to.

Each second of each pair is a plain function of its number, so that the past never changes when a
step is added to the future. A step is traded in bulk: the average price follows at once.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from types import MappingProxyType

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.generator import a_usdt_pair
from daemon.simulation.path import POINT_MS, POINTS, Path, PathMarket

TREMBLE = 0.0004
"""The most that a price strays from its level, as a part of it."""

STEP_VOLUME = 3000.0
"""How many usual seconds of volume are traded in the second of a pair's first step."""

STEP_VOLUME_GROWTH = 3.0
"""How much more is traded at each further step, so that it outweighs those before."""


def symbols_of(count: int) -> list[str]:
    """Return the names of `count` pairs, in the order of their names."""
    return [f"P{number:03d}/USDT" for number in range(count)]


class StepMarket(PathMarket):
    """`count` pairs with prices of about 100; `steps` says where they leave their level."""

    def __init__(self, count: int, start_ms: int) -> None:
        specs = [
            a_usdt_pair(name.partition("/")[0], price_start=100.0 + number, quantity_step=0.001,
                        volatility_percent=0.05)
            for number, name in enumerate(symbols_of(count))
        ]  # fmt: skip
        by_symbol = MappingProxyType({spec.symbol: spec for spec in specs})
        super().__init__(by_symbol, start_ms // MINUTE_MS * MINUTE_MS)
        self._steps: dict[str, list[tuple[int, float]]] = {name: [] for name in by_symbol}

    def step(self, symbol: str, at_ms: int, percent: float) -> None:
        """Lift a pair's level by `percent` from the second of `at_ms` (UTC epoch ms) on."""
        self._steps[symbol].append((at_ms // POINT_MS, 1.0 + percent / 100.0))
        for key in [key for key in self._paths if key[0] == symbol]:
            del self._paths[key]

    def whole_minutes(self, symbol: str, start_ms: int, stop_ms: int) -> list[Candle]:
        first_ms = -(-max(start_ms, self.start_ms) // MINUTE_MS) * MINUTE_MS
        return [self._minute(symbol, at_ms).whole for at_ms in range(first_ms, stop_ms, MINUTE_MS)]

    def whole_minute_before(self, symbol: str, now_ms: int) -> Candle:
        begun_ms = max(self.start_ms, (now_ms - 1) // MINUTE_MS * MINUTE_MS)
        return self._minute(symbol, begun_ms).whole

    def path(self, symbol: str, whole: Candle) -> Path:
        return self._minute(symbol, whole.timestamp)

    def _minute(self, symbol: str, begun_ms: int) -> Path:
        kept = self._paths.get((symbol, begun_ms))
        if kept is not None:
            return kept
        seconds = range(begun_ms // POINT_MS, begun_ms // POINT_MS + POINTS)
        prices = self._prices(symbol, seconds)
        quantities = self._quantities(symbol, seconds)
        highs, lows = list(accumulate(prices, max)), list(accumulate(prices, min))
        volumes = [round(total, 3) for total in accumulate(quantities)]
        whole = Candle(begun_ms, prices[0], highs[-1], lows[-1], prices[-1], volumes[-1])
        path = Path(whole, prices, highs, lows, volumes, quantities)
        self._paths[symbol, begun_ms] = path
        if len(self._paths) > 8 * len(self.specs):
            self._paths.popitem(last=False)
        return path

    def _prices(self, symbol: str, seconds: Iterable[int]) -> list[float]:
        base = self.specs[symbol].price_start
        steps = self._steps[symbol]
        prices = []
        for second in seconds:
            level = math.prod(factor for from_second, factor in steps if from_second <= second)
            tremble = TREMBLE * math.sin(second * 0.7 + base)
            prices.append(round(base * level * (1.0 + tremble), 2))
        return prices

    def _quantities(self, symbol: str, seconds: Sequence[int]) -> list[float]:
        bulks = {
            second: round(STEP_VOLUME * STEP_VOLUME_GROWTH**number, 3)
            for number, (second, _) in enumerate(self._steps[symbol])
        }
        return [bulks.get(second, 1.0) for second in seconds]
