"""What runs over history must come to, written plainly: one bar, one wide candle at a time."""

from collections.abc import Sequence

from daemon.core.candles import MINUTE_MS, Candle, interval_ms, merge
from daemon.core.states import Observation
from daemon.core.vwap import vwap


def bar_at(rows: Sequence[Candle], index: int, count: int) -> Observation:
    """Return what the market did in the minute `rows[index]`.

    Its `price_start` is what a tick at the minute's open sees, the average of the `count` minutes
    before it; `price` is the average that ends with it. Raises NoPriceError for the first row,
    before which there is no price.
    """
    row = rows[index]
    first = max(0, index - count)
    return Observation(
        at_ms=row.timestamp,
        span_ms=MINUTE_MS,
        price_start=vwap(rows[first:index], count),
        price=vwap(rows[first : index + 1], count),
        low=row.low,
        high=row.high,
    )


def aggregate(minutes: Sequence[Candle], interval: str) -> list[Candle]:
    """Return the whole candles of `interval` that the one-minute candles `minutes` make up.

    Candles start at multiples of the interval since the epoch, as exchanges cut them. An
    interval of which a minute is missing at either end is left out. Raises ValueError for an
    unknown interval.
    """
    length_ms = interval_ms(interval)
    whole: list[Candle] = []
    bucket: list[Candle] = []
    for row in minutes:
        if bucket and row.timestamp // length_ms != bucket[0].timestamp // length_ms:
            bucket = []
        bucket.append(row)
        if len(bucket) == length_ms // MINUTE_MS:
            start_ms = row.timestamp // length_ms * length_ms
            whole.append(merge(bucket, start_ms))
            bucket = []
    return whole
