"""The volume-weighted average price that every live decision is taken on."""

from collections.abc import Sequence
from math import isfinite

from daemon.core.candles import Candle


class NoPriceError(ValueError):
    """There is no candle to take a price from, or none that can be reckoned with."""


def vwap(candles: Sequence[Candle], count: int = 5) -> float:
    """Return the price of the `count` newest one-minute candles (quote units).

    Typical price `(high + low + close) / 3`, weighted by volume; where nothing was traded, the
    mean of the closes. The caller hands over only candles that have begun before its moment.
    Raises NoPriceError when there is none, or where the sums overflow.
    """
    recent = candles[-count:]
    if not recent:
        raise NoPriceError("no candle to take a price from")
    volume = 0.0
    weighted = 0.0
    closes = 0.0
    for _, _, high, low, close, traded in recent:
        volume += traded
        weighted += (high + low + close) / 3.0 * traded
        # One by one, as the columns of a backtest do: `sum` rounds otherwise from Python 3.12 on.
        closes += close
    price = weighted / volume if volume > 0.0 else closes / len(recent)
    if not isfinite(price):
        raise NoPriceError("the candles are too large to take a price from")
    # An average lies within its candles; that of a volume like 1e-320 would not, for rounding.
    return min(max(price, min(row.low for row in recent)), max(row.high for row in recent))
