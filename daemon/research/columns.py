"""One-minute candles as columns: checked when they come in, immutable afterwards.

A year of minutes is 25 MB here and 200 MB as objects. Nothing is mended in silence: every fault
is one line that names the row, and missing minutes are refused or filled by an explicit policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.columns import (
    Flags,
    Floats,
    GapPolicy,
    RawColumns,
    Stamps,
    find_faults,
    find_gaps,
    joined,
    moment_text,
    told_of_gaps,
)
from daemon.core.errors import CandleError

__all__ = [
    "CandleError",
    "Flags",
    "Floats",
    "GapPolicy",
    "Minutes",
    "RawColumns",
    "Stamps",
    "checked_minutes",
    "columns_of",
    "minutes_of",
    "moment_text",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Minutes:
    """One-minute candles without a gap from `start_ms` (UTC epoch ms) on, in read-only columns.

    `filled_count` says how many of them stand for minutes that were missing.
    """

    start_ms: int
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    filled_count: int = 0

    def __len__(self) -> int:
        return len(self.close)

    @property
    def end_ms(self) -> int:
        """Return when the last minute is over (UTC epoch ms)."""
        return self.start_ms + len(self) * MINUTE_MS

    @cached_property
    def fingerprint(self) -> str:
        """Return 32 hex digits that are the same for the same candles and for no others."""
        # Of those in the standard library the fastest where processors have instructions for it.
        digest = sha256(str(self.start_ms).encode("ascii"))
        for column in (self.open, self.high, self.low, self.close, self.volume):
            digest.update(column.astype("<f8", copy=False).data)
        return digest.hexdigest()[:32]

    def rows(self) -> list[Candle]:
        """Return the candles as objects: for tests and small files, not for a year."""
        stamps = range(self.start_ms, self.end_ms, MINUTE_MS)
        columns = (self.open, self.high, self.low, self.close, self.volume)
        return list(map(Candle, stamps, *(column.tolist() for column in columns)))


def minutes_of(candles: Sequence[Candle], gaps: GapPolicy = "refuse") -> Minutes:
    """Return `candles` (oldest first) as columns. Raises CandleError as `checked_minutes` does."""
    return checked_minutes(columns_of(candles), gaps)


def columns_of(candles: Sequence[Candle]) -> RawColumns:
    """Return `candles` as columns, as they stand."""
    if not candles:
        return joined([])
    stamps, *prices = zip(*candles, strict=True)
    columns = [np.array(column, dtype=np.float64) for column in prices]
    return RawColumns(np.array(stamps, dtype=np.int64), *columns)


def checked_minutes(raw: RawColumns, gaps: GapPolicy = "refuse") -> Minutes:
    """Return `raw` as minutes without a gap.

    With `gaps="fill"` each missing minute stands flat at the close before it, with volume 0, and
    is counted. Raises CandleError for no or one candle, for columns of unequal length, rows that
    are reversed, doubled or not at the turn of a minute, for numbers that no candle can have, and
    for gaps unless they are to be filled.
    """
    for fault in find_faults(raw):
        raise CandleError(fault.text)
    if len(raw.timestamp) == 1:
        raise CandleError(
            "there is only one candle: a run needs at least two, one of them for a price to begin "
            "with"
        )
    places = (raw.timestamp - raw.timestamp[0]) // MINUTE_MS
    missing = int(places[-1]) + 1 - len(places)
    if missing and gaps == "refuse":
        raise CandleError(told_of_gaps(find_gaps(raw.timestamp)))
    columns = [np.ascontiguousarray(column, dtype=np.float64) for column in raw[1:]]
    if missing:
        columns = _filled(columns, places)
    for column in columns:
        column.flags.writeable = False
    opened, high, low, close, volume = columns
    return Minutes(
        start_ms=int(raw.timestamp[0]),
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        filled_count=missing,
    )


def _filled(columns: Sequence[Floats], places: Stamps) -> list[Floats]:
    count = int(places[-1]) + 1
    is_there = np.zeros(count, dtype=np.bool_)
    is_there[places] = True
    # For each minute the row that it stands on: its own, or the last one before it.
    source = np.cumsum(is_there) - 1
    close = columns[3][source]
    filled = [np.where(is_there, column[source], close) for column in columns[:4]]
    return [*filled, np.where(is_there, columns[4][source], 0.0)]
