"""Whether candles can be believed, before anyone decides on them.

Every function is pure and says what it found in words for a person; nothing here repairs prices.
"""

from collections.abc import Sequence
from statistics import fmean, median

from daemon.core.candles import Candle
from daemon.core.rules import Rules

NUMBER_MAX = 1e300
"""Beyond it sums overflow; nothing that is traded comes near."""


def find_fault(
    rows: Sequence[Candle], rules: Rules, *, interval_ms: int, latest_ms: int | None = None
) -> str | None:
    """Return what is wrong with `rows` (oldest first), naming the first bad candle, or None.

    Refused are values that are no finite numbers, prices that are not positive, negative volumes,
    a high or low that does not enclose open and close, times that do not rise in whole multiples
    of `interval_ms` from the epoch, candles that begin after `latest_ms` (UTC epoch ms), and
    prices below the window's usual price divided by the anomaly factor. Missing candles are no
    fault: `fill_gaps` deals with them. An empty window has none.
    """
    before_ms: int | None = None
    for row in rows:
        fault = find_row_fault(row, interval_ms)
        if fault is None and before_ms is not None and row.timestamp <= before_ms:
            fault = f"stands after the candle at {before_ms}"
        if fault is None and latest_ms is not None and row.timestamp > latest_ms:
            fault = f"begins in the future (after {latest_ms})"
        if fault is not None:
            return f"the candle at {row.timestamp} {fault}"
        before_ms = row.timestamp
    return _find_anomaly(rows, rules)


def find_row_fault(row: Candle, interval_ms: int) -> str | None:
    """Return what is wrong with one candle in itself, or None."""
    timestamp, opened, high, low, closed, volume = row
    if not _is_whole(timestamp) or not all(map(_is_finite, row)):
        return f"holds a value that is no finite number: {tuple(row)}"
    if min(opened, high, low, closed) <= 0:
        return f"has a price that is not positive: {tuple(row)}"
    if volume < 0:
        return f"has a negative volume: {volume}"
    if low > min(opened, closed) or high < max(opened, closed):
        return f"has a low or high that does not enclose open and close: {tuple(row)}"
    if timestamp % interval_ms:
        return f"does not begin at a multiple of {interval_ms} ms"
    return None


def usual_price(rows: Sequence[Candle], candles_for_median: int) -> float:
    """Return what prices of `rows` (at least one) are compared with, in quote units.

    The median of all opens, highs, lows and closes; the mean below `candles_for_median` candles,
    where one bad candle could be the median.
    """
    prices = [price for row in rows for price in row[1:5]]
    return median(prices) if len(rows) >= candles_for_median else fmean(prices)


def fill_gaps(rows: Sequence[Candle], interval_ms: int) -> tuple[list[Candle], int]:
    """Return `rows` with flat candles of volume 0 where some are missing, and how many.

    A flat candle repeats the close before it. `rows` must have passed `find_fault`.
    """
    if not rows:
        return [], 0
    filled = [rows[0]]
    for row in rows[1:]:
        filled += flat_between(filled[-1], row.timestamp, interval_ms)
        filled.append(row)
    return filled, len(filled) - len(rows)


def flat_between(before: Candle, stop_ms: int, interval_ms: int) -> list[Candle]:
    """Return flat candles for each interval after `before` and before `stop_ms`."""
    price = before.close
    return [
        Candle(at_ms, price, price, price, price, 0.0)
        for at_ms in range(before.timestamp + interval_ms, stop_ms, interval_ms)
    ]


def is_jump(previous_minute: Candle, row: Candle, rules: Rules) -> bool:
    """Say whether `row` moved further from the last good minute's close than can be believed."""
    reach = rules.max_price_jump_percent / 100.0
    reference = previous_minute.close
    return row.high > reference * (1.0 + reach) or row.low < reference * (1.0 - reach)


def jump_percent(previous_minute: Candle, row: Candle) -> float:
    """Return the furthest move of `row` from the last good minute's close, in percent points."""
    reference = previous_minute.close
    up, down = row.high / reference - 1.0, row.low / reference - 1.0
    return 100.0 * (up if up >= -down else down)


def _find_anomaly(rows: Sequence[Candle], rules: Rules) -> str | None:
    if not rows:
        return None
    usual = usual_price(rows, rules.get_candles_min_candles_for_median)
    price_min = usual / rules.get_candles_price_anomaly_threshold_factor
    for row in rows:
        if min(row[1:5]) < price_min:
            return (
                f"the candle at {row.timestamp} has a price of {min(row[1:5]):g} where {usual:g} "
                "is usual"
            )
    return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int)


def _is_finite(value: object) -> bool:
    if type(value) is float:
        return -NUMBER_MAX < value < NUMBER_MAX
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -NUMBER_MAX < value < NUMBER_MAX  # false for NaN too, and safe for any int
