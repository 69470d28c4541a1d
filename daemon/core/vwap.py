"""The volume-weighted average price that every live decision is taken on."""

from collections.abc import Sequence

from daemon.core.candles import Candle


class NoPriceError(ValueError):
    """There is no candle to take a price from."""


def vwap(candles: Sequence[Candle], count: int = 5) -> float:
    """Return the price of the `count` newest one-minute candles (quote units).

    Typical price `(high + low + close) / 3`, weighted by volume; where nothing was traded, the
    mean of the closes. The caller hands over only candles that have begun before its moment.
    Raises NoPriceError when there is none.
    """
    recent = candles[-count:]
    if not recent:
        raise NoPriceError("no candle to take a price from")
    volume = 0.0
    weighted = 0.0
    for _, _, high, low, close, traded in recent:
        volume += traded
        weighted += (high + low + close) / 3.0 * traded
    if volume > 0.0:
        return weighted / volume
    return sum(row.close for row in recent) / len(recent)
