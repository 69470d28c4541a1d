"""A market that plays recorded candles: each minute as it was, its inside on straight lines."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import pstdev
from types import MappingProxyType

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.candle_file import (
    CandleFileError,
    count_missing_minutes,
    fill_gaps,
    parse_candles,
)
from daemon.simulation.market import Grid, MarketSpec
from daemon.simulation.path import POINTS, Path, PathMarket, straight, trace, waypoints_by_colour

__all__ = [
    "CandleFileError",
    "ReplayedMarket",
    "count_missing_minutes",
    "fill_gaps",
    "on_grid",
    "parse_candles",
    "spec_of_candles",
]

NOTIONAL_MIN_USUAL = 5.0
DIGITS_MAX = 8
"""How many decimals exchanges tell; what is finer in a file is rounding noise."""


class ReplayedMarket(PathMarket):
    """The market of one pair as recorded: `candles` are one-minute candles, oldest first.

    Minutes without a candle stay empty. After `stop_ms` nothing is traded and the price stays.
    A recorded volume is told as it is, trades are cut to the quantity step. Raises ValueError
    without candles, or if a price is off the tick of `spec`.
    """

    def __init__(self, spec: MarketSpec, candles: Sequence[Candle]) -> None:
        if not candles:
            raise ValueError(f"{spec.symbol}: nothing to replay")
        _refuse_off_tick(spec, candles)
        super().__init__(MappingProxyType({spec.symbol: spec}), candles[0].timestamp)
        self.stop_ms = candles[-1].timestamp + MINUTE_MS
        self._candles = list(candles)
        self._stamps = [row.timestamp for row in candles]

    def whole_minutes(self, symbol: str, start_ms: int, stop_ms: int) -> list[Candle]:
        self.specs[symbol]  # an unknown symbol raises KeyError
        first = bisect_left(self._stamps, start_ms)
        return self._candles[first : bisect_left(self._stamps, stop_ms, lo=first)]

    def whole_minute_before(self, symbol: str, now_ms: int) -> Candle:
        self.specs[symbol]
        return self._candles[max(0, bisect_left(self._stamps, now_ms) - 1)]

    def path(self, symbol: str, whole: Candle) -> Path:
        spec = self.specs[symbol]
        tick = Grid(spec.price_tick)
        counts = straight(waypoints_by_colour([tick.count(price) for price in whole[1:5]]))
        total = Grid(spec.quantity_step).count(whole.volume)
        steps = [total * second // POINTS for second in range(1, POINTS + 1)]
        return trace(whole, counts, steps, spec)


def on_grid(candles: Sequence[Candle]) -> list[Candle]:
    """Return `candles` as an exchange tells them: what is finer than its decimals is rounded away.

    Raises ValueError for a price of which nothing would be left.
    """
    told = [
        row._replace(
            open=round(row.open, DIGITS_MAX),
            high=round(row.high, DIGITS_MAX),
            low=round(row.low, DIGITS_MAX),
            close=round(row.close, DIGITS_MAX),
        )
        for row in candles
    ]
    for row in told:
        if not min(row[1:5]) > 0.0:
            raise ValueError(
                f"a price at {row.timestamp} is below 1e-{DIGITS_MAX}, the least that the sandbox"
                " tells"
            )
    return told


def spec_of_candles(
    symbol: str, candles: Sequence[Candle], notional_min: float = NOTIONAL_MIN_USUAL
) -> MarketSpec:
    """Return the pair that `candles` are of: the coarsest decimal grid that holds them.

    Raises ValueError if `symbol` is not base/quote.
    """
    base, _, quote = symbol.partition("/")
    returns = [math.log(after.close / before.close) for before, after in pairwise(candles)]
    return MarketSpec(
        symbol=symbol,
        base=base,
        quote=quote,
        price_tick=_decimal_step(price for row in candles for price in row[1:5]),
        quantity_step=_decimal_step(row.volume for row in candles),
        notional_min=notional_min,
        price_start=candles[0].open,
        volatility_percent=pstdev(returns) * 100.0 if returns else 0.0,
    )


def _decimal_step(values: Iterable[float]) -> float:
    """Return the largest power of ten from 1e-8 to 1 of which all values are multiples."""
    digits = 0
    for value in values:
        if value % 1.0:
            exponent = Decimal(repr(value)).as_tuple().exponent
            assert isinstance(exponent, int)  # only NaN and infinity have another
            digits = max(digits, -exponent)
    return float(Decimal(1).scaleb(-min(digits, DIGITS_MAX)))


def _refuse_off_tick(spec: MarketSpec, candles: Sequence[Candle]) -> None:
    tick = Grid(spec.price_tick)
    for row in candles:
        if not all(map(tick.holds, row[1:5])):
            raise ValueError(
                f"{spec.symbol}: the candle at {row.timestamp} has a price that is no multiple "
                f"of price_tick {spec.price_tick}"
            )
