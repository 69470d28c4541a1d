"""The sandbox's market, seen from outside: what exists, what was traded, what the book shows.

A `Market` is a pure function of its seed (or its file) and of the moment asked about: asking
twice, or out of order, gives the same answer. `klines`, `depth` and `ticker` shape what a market
knows the way an exchange answers.
"""

import math
import random
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

from daemon.core.candles import DAY_MS, MINUTE_MS, Candle, interval_ms, merge

HOUR_MS = 60 * MINUTE_MS
HOURS_KEPT = 4096
BOOK_SPACING_PERCENT = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """One tradable pair: its grid, its filters and how wildly it moves.

    `price_tick`, `notional_min` and `price_start` are in quote, `quantity_step` in base units;
    `volatility_percent` is the standard deviation of a one-minute return in percent points.
    Raises ValueError if a number is not finite and positive or the symbol is not base/quote.
    """

    symbol: str
    base: str
    quote: str
    price_tick: float
    quantity_step: float
    notional_min: float
    price_start: float
    volatility_percent: float

    def __post_init__(self) -> None:
        if self.symbol != f"{self.base}/{self.quote}":
            raise ValueError(f"market {self.symbol!r} is not {self.base}/{self.quote}")
        for name in ("price_tick", "quantity_step", "notional_min", "price_start"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{self.symbol}: {name} must be positive, not {value!r}")
        if not (math.isfinite(self.volatility_percent) and self.volatility_percent >= 0):
            raise ValueError(f"{self.symbol}: volatility_percent must not be negative")


class Trade(NamedTuple):
    """One trade: `timestamp` in UTC epoch ms, `price` in quote, `quantity` in base units."""

    id: int
    timestamp: int
    price: float
    quantity: float
    is_buyer_maker: bool


class BookLevel(NamedTuple):
    """One level of the order book: `price` in quote, `quantity` in base units."""

    price: float
    quantity: float


class Market(Protocol):
    """What a sandbox knows of its pairs at any moment `now_ms` (UTC epoch ms).

    A symbol that is not in `specs` raises KeyError. Nothing at or after `now_ms` is ever told.
    """

    @property
    def specs(self) -> Mapping[str, MarketSpec]:
        """The pairs by symbol."""

    @property
    def start_ms(self) -> int:
        """The first minute there is data for."""

    def minutes(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Candle]:
        """Return the one-minute candles with start <= timestamp < stop, begun before now.

        The last one is still forming if its minute has not ended by `now_ms`.
        """

    def trades(self, symbol: str, start_ms: int, stop_ms: int, now_ms: int) -> list[Trade]:
        """Return the trades with start <= timestamp < stop, made before now, oldest first."""

    def price(self, symbol: str, now_ms: int) -> float:
        """Return the price of the last trade before now; at the very start the first open."""


class Grid:
    """Numbers on a grid, counted in whole steps, so that nothing drifts off it.

    A grid of 0.05 turns 3 into the float nearest to 0.15, whatever 3 * 0.05 would give.
    """

    __slots__ = ("denominator", "numerator", "step")

    def __init__(self, step: float) -> None:
        ratio = Decimal(repr(step)).as_integer_ratio()
        self.step = step
        self.numerator, self.denominator = ratio

    def value(self, count: int) -> float:
        """Return the float nearest to `count` steps."""
        return count * self.numerator / self.denominator

    def count(self, value: float) -> int:
        """Return the whole number of steps nearest to `value`."""
        return round(value * self.denominator / self.numerator)

    def holds(self, value: float) -> bool:
        """Say whether `value` is exactly the float of a whole number of steps."""
        return self.value(self.count(value)) == value


class HourSummary(NamedTuple):
    """A span of minutes in one row, with the quote volume that a candle does not carry."""

    candle: Candle
    quote_volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """The last 24 hours of a pair and its best book levels; times in ms, prices in quote."""

    symbol: str
    open_ms: int
    close_ms: int
    price_open: float
    price_high: float
    price_low: float
    price_last: float
    price_vwap: float
    volume: float
    quote_volume: float
    bid: BookLevel
    ask: BookLevel

    @property
    def price_change(self) -> float:
        """The last price less the one of 24 hours ago."""
        return self.price_last - self.price_open

    @property
    def change_percent(self) -> float:
        """The change over 24 hours in percent points."""
        return self.price_change / self.price_open * 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KlineQuery:
    """Which candles are wanted: times in UTC epoch ms, both ends included, None means open."""

    symbol: str
    interval: str
    start_ms: int | None = None
    end_ms: int | None = None
    limit: int = 500


def klines(market: Market, query: KlineQuery, now_ms: int) -> list[Candle]:
    """Return candles as Binance does, oldest first, the forming one included.

    With `start_ms` the first `limit` that open at or after it, else the last `limit`; none opens
    after `end_ms`. Raises ValueError for an unknown interval, KeyError for an unknown symbol.
    """
    symbol, interval = query.symbol, query.interval
    length_ms = interval_ms(interval)
    earliest_ms = market.start_ms // length_ms * length_ms
    last_ms = (now_ms - 1) // length_ms * length_ms
    if query.end_ms is not None:
        last_ms = min(last_ms, query.end_ms // length_ms * length_ms)
    if query.start_ms is None:
        first_ms = last_ms - (query.limit - 1) * length_ms
    else:
        first_ms = max(-(-query.start_ms // length_ms) * length_ms, earliest_ms)
        last_ms = min(last_ms, first_ms + (query.limit - 1) * length_ms)
    first_ms = max(first_ms, earliest_ms)
    if interval == "1m":
        return market.minutes(symbol, first_ms, last_ms + MINUTE_MS, now_ms)
    volumes = Grid(market.specs[symbol].quantity_step)
    rows: list[Candle] = []
    for opened_ms in range(first_ms, last_ms + 1, length_ms):
        parts = _summaries(market, symbol, (opened_ms, opened_ms + length_ms), now_ms)
        if parts:
            row = merge([part.candle for part in parts], opened_ms)
            rows.append(row._replace(volume=volumes.value(volumes.count(row.volume))))
    return rows


def depth(
    market: Market, symbol: str, now_ms: int, limit: int = 100
) -> tuple[list[BookLevel], list[BookLevel]]:
    """Return at most `limit` bids (best first) and asks (best first) around the last price.

    The best bid stands at the last price and the best ask one tick above; the quantities change
    once a second.
    """
    spec = market.specs[symbol]
    prices, quantities = Grid(spec.price_tick), Grid(spec.quantity_step)
    best = prices.count(market.price(symbol, now_ms))
    spacing = max(1, round(best * BOOK_SPACING_PERCENT / 100))
    rng = random.Random(f"book {symbol} {best} {now_ms // 1000}")
    least = math.ceil(spec.notional_min / prices.value(best) / spec.quantity_step)
    bids: list[BookLevel] = []
    asks: list[BookLevel] = []
    for level in range(limit):
        size = least * (3.0 + level) * 20.0
        below, above = best - level * spacing, best + 1 + level * spacing
        bid_count, ask_count = (1 + int(size * rng.random()) for _ in range(2))
        if below > 0:
            bids.append(BookLevel(prices.value(below), quantities.value(bid_count)))
        asks.append(BookLevel(prices.value(above), quantities.value(ask_count)))
    return bids, asks


def ticker(market: Market, symbol: str, now_ms: int) -> Ticker:
    """Return the pair's last 24 hours, cut at the minute, and the top of its book."""
    price = market.price(symbol, now_ms)
    bids, asks = depth(market, symbol, now_ms, limit=1)
    start_ms = max(market.start_ms, (now_ms - DAY_MS) // MINUTE_MS * MINUTE_MS)
    parts = _summaries(market, symbol, (start_ms, now_ms), now_ms)
    rows = [part.candle for part in parts] or [Candle(start_ms, price, price, price, price, 0.0)]
    day = merge(rows, start_ms)
    quote_volume = sum(part.quote_volume for part in parts)
    volumes = Grid(market.specs[symbol].quantity_step)
    return Ticker(
        symbol=symbol,
        open_ms=start_ms,
        close_ms=now_ms,
        price_open=day.open,
        price_high=day.high,
        price_low=day.low,
        price_last=price,
        price_vwap=quote_volume / day.volume if day.volume else price,
        volume=volumes.value(volumes.count(day.volume)),
        quote_volume=quote_volume,
        bid=bids[0],
        ask=asks[0],
    )


def _summaries(
    market: Market, symbol: str, span: tuple[int, int], now_ms: int
) -> list[HourSummary]:
    """Return what was traded in `span`, hour by hour, whole hours from the memory."""
    start_ms, stop_ms = span[0], min(span[1], now_ms)
    found: list[HourSummary] = []
    at_ms = start_ms
    while at_ms < stop_ms:
        until_ms = min(stop_ms, (at_ms // HOUR_MS + 1) * HOUR_MS)
        if until_ms - at_ms == HOUR_MS:
            part = _whole_hour(market, symbol, at_ms)
        else:
            part = _summary(market.minutes(symbol, at_ms, until_ms, now_ms))
        if part is not None:
            found.append(part)
        at_ms = until_ms
    return found


_hours: WeakKeyDictionary[Market, OrderedDict[tuple[str, int], HourSummary | None]] = (
    WeakKeyDictionary()
)


def _whole_hour(market: Market, symbol: str, start_ms: int) -> HourSummary | None:
    """Return a finished hour; the last few thousand asked for are remembered."""
    memory = _hours.setdefault(market, OrderedDict())
    key = (symbol, start_ms)
    if key in memory:
        memory.move_to_end(key)
        return memory[key]
    stop_ms = start_ms + HOUR_MS
    memory[key] = _summary(market.minutes(symbol, start_ms, stop_ms, stop_ms))
    if len(memory) > HOURS_KEPT:
        memory.popitem(last=False)
    return memory[key]


def _summary(rows: list[Candle]) -> HourSummary | None:
    if not rows:
        return None
    quote_volume = sum((row.high + row.low + row.close) / 3 * row.volume for row in rows)
    return HourSummary(merge(rows, rows[0].timestamp), quote_volume)
