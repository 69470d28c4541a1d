"""A symbol's history as a run needs it: its price at every minute, and wider candles on demand.

Bulk numbers only: each of them is, bit for bit, what the core computes from the same candles one
by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from daemon.core.candles import MINUTE_MS, Candles, interval_ms
from daemon.core.states import Observation
from daemon.research.columns import Floats, Minutes

if TYPE_CHECKING:
    from daemon.core.candles import Columns

    Cut = slice[int | None, int | None, int | None]


TUPLE_LENGTH_MAX = 100_000
"""Columns up to this length are kept as plain numbers, of which a window is cut the fastest."""


NEAR_LENGTH = 8_192
"""So much of a longer column is kept as plain numbers, too, from where it was cut last."""


STRETCH = 16_384
"""How many minutes are worked on at once."""


class Near(NamedTuple):
    """The plain numbers of a column from row `first` on, and the row after them."""

    first: int
    stop: int
    values: tuple[float, ...]


class Column(Sequence[float]):
    """A column as a strategy sees it: plain numbers, and a slice is a tuple of them.

    Windows of a live feed are tuples too, so what works on one works on the other. A run goes
    forward: what is near the last window is kept as a tuple, of which the next ones are cut.
    """

    __slots__ = ("_near", "_values")

    def __init__(self, values: Floats) -> None:
        self._values = values
        self._near = Near(0, 0, ())

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: "Cut") -> tuple[float, ...]: ...
    def __getitem__(self, index: "int | Cut") -> float | tuple[float, ...]:
        if not isinstance(index, slice):
            return self._values.item(index)
        start, stop, step = index.start, index.stop, index.step
        if type(start) is not int or type(stop) is not int or step is not None:
            return tuple(self._values[index].tolist())
        # Taken once: other threads may put another one there.
        first, end, values = self._near
        if first <= start <= stop <= end:
            return values[start - first : stop - first]
        if not 0 <= start <= stop <= min(start + NEAR_LENGTH, len(self._values)):
            return tuple(self._values[index].tolist())
        near = tuple(self._values[start : start + NEAR_LENGTH].tolist())
        self._near = Near(start, start + len(near), near)
        return near[: stop - start]


class TimeColumn(Sequence[int]):
    """The open times of candles that follow one another."""

    __slots__ = ("_values",)

    def __init__(self, values: range) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: "Cut") -> tuple[int, ...]: ...
    def __getitem__(self, index: "int | Cut") -> int | tuple[int, ...]:
        if isinstance(index, slice):
            return tuple(self._values[index])
        return self._values[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The whole candles of one interval, from `start_ms` (UTC epoch ms) on."""

    start_ms: int
    length_ms: int
    columns: "Columns"

    def closed_before(self, now_ms: int) -> int:
        """Return how many of them are over at `now_ms`; negative before the first begins."""
        return (now_ms - self.start_ms) // self.length_ms

    def window(self, stop: int, limit: int) -> Candles:
        """Return the `limit` candles before number `stop`."""
        return Candles(self.columns, stop - limit, stop)


class Market:
    """The history of one symbol: `price[i]` is what a tick at the end of minute `i` sees.

    The one at the end of minute `i - 1` is therefore what a tick at the open of `i` sees.
    """

    def __init__(self, minutes: Minutes, price_candles_count: int) -> None:
        self.minutes = minutes
        self.start_ms = minutes.start_ms
        self.count = len(minutes)
        self.low = minutes.low
        self.high = minutes.high
        self.price = prices(minutes, price_candles_count)
        # One by one, numbers come out of a view the fastest.
        self._price_view = self.price.data.cast("B").cast("d")
        self._tables: dict[str, Table] = {}

    def index_of(self, at_ms: int) -> int:
        """Return the number of the minute that opens at `at_ms`, a whole minute."""
        return (at_ms - self.start_ms) // MINUTE_MS

    def price_at(self, at_ms: int) -> float:
        """Return what a tick at the whole minute `at_ms` sees, which is not the first."""
        return self.price.item((at_ms - self.start_ms) // MINUTE_MS - 1)

    def prices_at(self, moments: range) -> "memoryview[float]":
        """Return what ticks at `moments` see, whole minutes after the first, by their step."""
        first, stop = self.index_of(moments.start), self.index_of(moments[-1])
        return self._price_view[first - 1 : stop : moments.step // MINUTE_MS]

    def bar(self, index: int) -> Observation:
        """Return what the market did in minute `index`, which is not the first."""
        at_ms, price = self.start_ms + index * MINUTE_MS, self.price.item
        low, high = self.low.item(index), self.high.item(index)
        return Observation(at_ms, MINUTE_MS, price(index - 1), price(index), low, high)

    def table(self, interval: str) -> Table:
        """Return the candles of `interval`. Raises ValueError for an unknown one."""
        table = self._tables.get(interval)
        if table is None:
            table = self._tables[interval] = aggregate_columns(self.minutes, interval)
        return table

    def tables(self, history: Mapping[str, int]) -> dict[str, Table]:
        """Return the candles of each interval that a strategy declares."""
        return {interval: self.table(interval) for interval in history}


class Markets:
    """The markets of candles that several runs share, so that each is worked out once."""

    def __init__(self) -> None:
        self._markets: dict[tuple[int, int], Market] = {}

    def of(self, minutes: Minutes, price_candles_count: int) -> Market:
        """Return the market of these very `minutes`, which it keeps."""
        key = id(minutes), price_candles_count
        market = self._markets.get(key)
        if market is None:
            market = self._markets[key] = Market(minutes, price_candles_count)
        return market


def prices(minutes: Minutes, count: int) -> Floats:
    """Return for each minute the average price (quote units) of the `count` that end with it.

    The same operations in the same order as `vwap` makes them, on many minutes at once.
    """
    size = len(minutes)
    price = np.empty(size, dtype=np.float64)
    # Stretch by stretch, so that what is worked on stays in the processor's cache.
    stretch = max(STRETCH, 4 * count)
    for start in range(0, size, stretch):
        before = max(0, start - count + 1)
        stop = min(start + stretch, size)
        price[start:stop] = _prices(minutes, before, stop, count)[start - before :]
    price.flags.writeable = False
    return price


def _prices(minutes: Minutes, start: int, stop: int, count: int) -> Floats:
    """Return the prices of a stretch; those of its first minutes average fewer."""
    high, low = minutes.high[start:stop], minutes.low[start:stop]
    close, volume = minutes.close[start:stop], minutes.volume[start:stop]
    traded = _running_sum(volume, count)
    weighted = _running_sum((high + low + close) / 3.0 * volume, count)
    is_traded = traded > 0.0
    price = np.divide(weighted, traded, out=weighted, where=is_traded)
    if not is_traded.all():
        sizes = np.minimum(np.arange(1, len(close) + 1), count)
        price = np.where(is_traded, price, _running_sum(close, count) / sizes)
    lowest, highest = low.copy(), high.copy()
    for back in range(1, min(count, len(close))):
        np.minimum(lowest[back:], low[:-back], out=lowest[back:])
        np.maximum(highest[back:], high[:-back], out=highest[back:])
    np.maximum(price, lowest, out=price)
    np.minimum(price, highest, out=price)
    return price


def aggregate_columns(minutes: Minutes, interval: str) -> Table:
    """Return the whole candles of `interval` that `minutes` make up.

    They start at multiples of the interval since the epoch; a candle of which a minute is missing
    at either end is left out. Raises ValueError for an unknown interval.
    """
    length_ms = interval_ms(interval)
    size = length_ms // MINUTE_MS
    start_ms = -(-minutes.start_ms // length_ms) * length_ms
    first = min((start_ms - minutes.start_ms) // MINUTE_MS, len(minutes))
    count = (len(minutes) - first) // size

    def grouped(column: Floats) -> Floats:
        return column[first : first + count * size].reshape(count, size)

    volumes = grouped(minutes.volume)
    volume = volumes[:, 0].copy() if size > 1 else volumes[:, 0]
    for minute in range(1, size):
        # One after the other, as a sum over rows adds them: another order rounds differently.
        volume += volumes[:, minute]
    columns = (
        grouped(minutes.open)[:, 0],
        grouped(minutes.high).max(axis=1, initial=0.0),
        grouped(minutes.low).min(axis=1, initial=np.inf),
        grouped(minutes.close)[:, -1],
        volume,
    )
    stamps = range(start_ms, start_ms + count * length_ms, length_ms)
    opened, high, low, close, volume = columns
    is_long = count > TUPLE_LENGTH_MAX
    return Table(
        start_ms=start_ms,
        length_ms=length_ms,
        columns=(
            TimeColumn(stamps) if is_long else tuple(stamps),
            Column(opened) if is_long else tuple(opened.tolist()),
            Column(high) if is_long else tuple(high.tolist()),
            Column(low) if is_long else tuple(low.tolist()),
            Column(close) if is_long else tuple(close.tolist()),
            Column(volume) if is_long else tuple(volume.tolist()),
        ),
    )


def _running_sum(column: Floats, count: int) -> Floats:
    """Return for each row the sum of the `count` that end with it, added oldest first."""
    size = len(column)
    total = np.zeros(size, dtype=np.float64)
    for back in range(min(count, size) - 1, -1, -1):
        total[back:] += column[: size - back]
    return total
