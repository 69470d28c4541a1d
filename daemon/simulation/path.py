"""Inside the minute: one point a second, so that a forming candle moves as a real one does.

A minute is known as a whole candle first; its path visits that candle's open, high, low and close
and never leaves its range. Trades, prices and forming candles are all read off the same path.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.market import Grid, MarketSpec, Trade

POINT_MS = 1000
POINTS = MINUTE_MS // POINT_MS
PATHS_KEPT_PER_SYMBOL = 3


class Path(NamedTuple):
    """A minute second by second; `highs`, `lows`, `volumes` are those reached so far."""

    whole: Candle
    prices: Sequence[float]
    highs: Sequence[float]
    lows: Sequence[float]
    volumes: Sequence[float]
    quantities: Sequence[float]


class Waypoint(NamedTuple):
    """A price in ticks that a path visits exactly, at a given second of its minute."""

    second: int
    ticks: int


def waypoints_by_colour(counts: Sequence[int]) -> list[Waypoint]:
    """Return the visits for open, high, low, close in ticks: a rising candle dips first."""
    opened, high, low, closed = counts
    first, second = (low, high) if closed >= opened else (high, low)
    return [
        Waypoint(0, opened),
        Waypoint(POINTS // 3, first),
        Waypoint(2 * POINTS // 3, second),
        Waypoint(POINTS - 1, closed),
    ]


def straight(visits: Sequence[Waypoint]) -> list[int]:
    """Return the ticks of each second on straight lines between the visits."""
    counts = [visits[0].ticks]
    for before, after in pairwise(visits):
        span, rise = after.second - before.second, after.ticks - before.ticks
        counts += [before.ticks + rise * part // span for part in range(1, span + 1)]
    return counts


def trace(whole: Candle, counts: Sequence[int], steps: Sequence[int], spec: MarketSpec) -> Path:
    """Return the path of `whole` from ticks per second and from quantity steps traded so far."""
    tick, step = Grid(spec.price_tick), Grid(spec.quantity_step)
    prices = [tick.value(count) for count in counts]
    traded = [after - before for before, after in pairwise([0, *steps])]
    return Path(
        whole,
        prices,
        list(accumulate(prices, max)),
        list(accumulate(prices, min)),
        [step.value(total) for total in steps],
        [step.value(part) for part in traded],
    )


class PathMarket(ABC):
    """A market whose whole minutes are known; the inside of each is traced when asked for."""

    def __init__(self, specs: Mapping[str, MarketSpec], start_ms: int) -> None:
        self.specs = specs
        self.start_ms = start_ms
        self._paths: OrderedDict[tuple[str, int], Path] = OrderedDict()

    @abstractmethod
    def whole_minutes(self, symbol: str, start_ms: int, stop_ms: int) -> list[Candle]:
        """Return the whole minutes with start <= timestamp < stop, as if all had ended."""

    @abstractmethod
    def whole_minute_before(self, symbol: str, now_ms: int) -> Candle:
        """Return the last minute that has begun before `now_ms`; the first one if none has."""

    @abstractmethod
    def path(self, symbol: str, whole: Candle) -> Path:
        """Trace the inside of one minute."""

    def minutes(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Candle]:
        rows = self.whole_minutes(symbol, max(start_ms, self.start_ms), min(stop_ms, now_ms))
        if rows and rows[-1].timestamp + MINUTE_MS > now_ms:
            rows[-1] = self._formed(symbol, rows[-1], now_ms)
        return rows

    def trades(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Trade]:
        stop_ms = min(stop_ms, now_ms)
        minute_ms = max(self.start_ms, start_ms // MINUTE_MS * MINUTE_MS)
        found: list[Trade] = []
        for whole in self.whole_minutes(symbol, minute_ms, stop_ms):
            path = self._path_kept(symbol, whole)
            first = max(0, -((whole.timestamp - start_ms) // POINT_MS))
            last = min(POINTS, -((whole.timestamp - stop_ms) // POINT_MS))
            found += (
                self._trade(path, index) for index in range(first, last) if path.quantities[index]
            )
        return found

    def price(self, symbol: str, now_ms: int) -> float:
        whole = self.whole_minute_before(symbol, now_ms)
        if now_ms <= whole.timestamp:
            return whole.open
        return self._formed(symbol, whole, now_ms).close

    def _formed(self, symbol: str, whole: Candle, now_ms: int) -> Candle:
        """Return what of the minute `whole` is visible just before `now_ms`."""
        last = -((whole.timestamp - now_ms) // POINT_MS) - 1
        if last >= POINTS - 1:
            return whole
        path = self._path_kept(symbol, whole)
        return Candle(
            whole.timestamp,
            whole.open,
            path.highs[last],
            path.lows[last],
            path.prices[last],
            path.volumes[last],
        )

    def _path_kept(self, symbol: str, whole: Candle) -> Path:
        key = (symbol, whole.timestamp)
        if key in self._paths:
            self._paths.move_to_end(key)
            return self._paths[key]
        path = self._paths[key] = self.path(symbol, whole)
        if len(self._paths) > PATHS_KEPT_PER_SYMBOL * len(self.specs):
            self._paths.popitem(last=False)
        return path

    def _trade(self, path: Path, index: int) -> Trade:
        """Return the trade of one second; a falling price means that a seller took."""
        at_ms = path.whole.timestamp + index * POINT_MS
        price = path.prices[index]
        before = path.prices[index - 1] if index else path.whole.open
        is_seller_taking = price < before or (price == before and at_ms // POINT_MS % 2 == 0)
        number = (at_ms - self.start_ms) // POINT_MS
        return Trade(number, at_ms, price, path.quantities[index], is_seller_taking)
