"""Candles: the one shape of market history, its intervals, and exact aggregation.

A candle is an OHLCV row in the order that exchanges use. `Candles` is an immutable window on
columns, so that handing a strategy its last thirty closes costs one slice and no new objects.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, overload

if TYPE_CHECKING:
    Cut = slice[int | None, int | None, int | None]

MINUTE_MS = 60_000
DAY_MS = 86_400_000

INTERVAL_MS: Mapping[str, int] = MappingProxyType(
    {
        "1m": MINUTE_MS,
        "3m": 3 * MINUTE_MS,
        "5m": 5 * MINUTE_MS,
        "15m": 15 * MINUTE_MS,
        "30m": 30 * MINUTE_MS,
        "1h": 60 * MINUTE_MS,
        "2h": 120 * MINUTE_MS,
        "4h": 240 * MINUTE_MS,
        "6h": 360 * MINUTE_MS,
        "8h": 480 * MINUTE_MS,
        "12h": 720 * MINUTE_MS,
        "1d": DAY_MS,
    }
)
"""Every candle interval and its length in milliseconds."""

SIGNAL_INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h")
"""The intervals at which a strategy may be asked for a signal."""


class Candle(NamedTuple):
    """One OHLCV row: `timestamp` is the open time (UTC epoch ms), volume in base units."""

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float


Columns = tuple[
    Sequence[int],
    Sequence[float],
    Sequence[float],
    Sequence[float],
    Sequence[float],
    Sequence[float],
]


class Candles(Sequence[Candle]):
    """An immutable window of candles, oldest first.

    Each column (`timestamp`, `open`, `high`, `low`, `close`, `volume`) is a sequence of the
    window's length; indexing gives a `Candle`, slicing another window on the same columns.
    """

    __slots__ = ("_columns", "_start", "_stop")

    def __init__(self, columns: Columns, start: int, stop: int) -> None:
        self._columns = columns
        self._start = start
        self._stop = stop

    @classmethod
    def of(cls, rows: Sequence[Candle]) -> "Candles":
        """Return a window over `rows` (oldest first)."""
        if not rows:
            return cls(((), (), (), (), (), ()), 0, 0)
        stamps, opens, highs, lows, closes, volumes = zip(*rows, strict=True)
        return cls((stamps, opens, highs, lows, closes, volumes), 0, len(rows))

    @property
    def timestamp(self) -> Sequence[int]:
        return self._columns[0][self._start : self._stop]

    @property
    def open(self) -> Sequence[float]:
        return self._columns[1][self._start : self._stop]

    @property
    def high(self) -> Sequence[float]:
        return self._columns[2][self._start : self._stop]

    @property
    def low(self) -> Sequence[float]:
        return self._columns[3][self._start : self._stop]

    @property
    def close(self) -> Sequence[float]:
        return self._columns[4][self._start : self._stop]

    @property
    def volume(self) -> Sequence[float]:
        return self._columns[5][self._start : self._stop]

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> Candle: ...
    @overload
    def __getitem__(self, index: "Cut") -> "Candles": ...
    def __getitem__(self, index: "int | Cut") -> "Candle | Candles":
        if isinstance(index, slice):
            start, stop, stride = index.indices(len(self))
            if stride != 1:
                raise ValueError("Candles: a slice must have step 1")
            return Candles(self._columns, self._start + start, self._start + max(start, stop))
        row = self._start + range(len(self))[index]
        stamps, opens, highs, lows, closes, volumes = self._columns
        return Candle(stamps[row], opens[row], highs[row], lows[row], closes[row], volumes[row])

    def __iter__(self) -> Iterator[Candle]:
        return map(Candle, *(column[self._start : self._stop] for column in self._columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candles) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Candles({len(self)} rows from {self.timestamp[0] if len(self) else '-'})"


def interval_ms(interval: str) -> int:
    """Return the length of `interval` in ms. Raises ValueError, naming the known ones."""
    try:
        return INTERVAL_MS[interval]
    except KeyError:
        known = ", ".join(INTERVAL_MS)
        raise ValueError(f"unknown candle interval {interval!r}: use one of {known}") from None


def merge(rows: Sequence[Candle], timestamp: int) -> Candle:
    """Return the one candle that opens at `timestamp` and covers `rows` (at least one)."""
    volume = 0.0
    for row in rows:
        # One by one, as the columns of a backtest do: `sum` rounds otherwise from Python 3.12 on.
        volume += row.volume
    return Candle(
        timestamp,
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        volume,
    )
