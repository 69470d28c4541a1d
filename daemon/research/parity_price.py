"""Whether a price that live trading saw can be explained by the final candles."""

from typing import Literal

from daemon.core.candles import MINUTE_MS
from daemon.research.market import Market

Explained = Literal["now", "late", "other"]

ROUNDING = 1e-9
"""The share of a price by which sums of the same numbers may differ."""


def explain_price(
    market: Market, price: float, at_ms: int, count: int, age_ms_max: int
) -> Explained:
    """Say when the average price of `count` minutes can have been `price`.

    "now": at `at_ms` (UTC epoch ms), for some course of the minute that was forming. "late": at
    most `age_ms_max` before. "other": the candles that live saw were not the final ones.
    """
    minute = (at_ms - market.start_ms) // MINUTE_MS
    ages = 2 + age_ms_max // MINUTE_MS
    for age in range(ages):
        bounds = price_bounds(market, minute - age, count)
        if bounds is None:
            # Before the first candles nobody knows what was seen.
            return "now"
        low, high = bounds
        if low * (1 - ROUNDING) <= price <= high * (1 + ROUNDING):
            return "now" if age == 0 else "late"
    return "other"


def price_bounds(market: Market, minute: int, count: int) -> tuple[float, float] | None:
    """Return the least and the greatest price while minute number `minute` was forming.

    None where the candles before it are not known, or the minute itself is not.
    """
    first = minute - count + 1
    if first < 1 or minute >= market.count:
        return None
    minutes = market.minutes
    low, high, volume = (
        column[first - 1 : minute + 1].tolist()
        for column in (minutes.low, minutes.high, minutes.volume)
    )
    close = minutes.close[first - 1 : minute + 1].tolist()
    typical = [sum(row) / 3.0 for row in zip(high, low, close, strict=True)]
    # Before its first trade the minute has no candle, and the window ends with the one before.
    found = [market.price.item(minute - 1), market.price.item(minute)]
    traded = sum(volume[1:-1])
    weighted = sum(t * v for t, v in zip(typical[1:-1], volume[1:-1], strict=True))
    for share in (0.0, volume[-1]):
        for edge in (low[-1], high[-1]):
            if traded + share > 0:
                found.append((weighted + edge * share) / (traded + share))
            else:
                found.append((sum(close[1:-1]) + edge) / count)
    return min(found), max(found)
