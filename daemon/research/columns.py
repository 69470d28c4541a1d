"""One-minute candles as columns: checked when they come in, immutable afterwards.

A year of minutes is 25 MB here and 200 MB as objects. Nothing is mended in silence: every fault
is one line that names the row, and missing minutes are refused or filled by an explicit policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import RejectedError

Floats = npt.NDArray[np.float64]
Stamps = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
GapPolicy = Literal["refuse", "fill"]

NUMBER_MAX = 1e100
"""Products and sums of larger numbers would leave what a float holds."""

ANOMALY_FACTOR = 1000
"""A price below the close before it divided by this is a broken candle, not a market."""


class CandleError(RejectedError, ValueError):
    """The candles cannot be used; the text is one line that says where and why."""


class RawColumns(NamedTuple):
    """Candles as they come from a file, oldest first: nothing about them is known yet.

    `timestamp` is the open time in UTC epoch ms, as whole numbers.
    """

    timestamp: Stamps
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


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
        digest = blake2b(str(self.start_ms).encode("ascii"), digest_size=16)
        for column in (self.open, self.high, self.low, self.close, self.volume):
            digest.update(column.astype("<f8", copy=False).data)
        return digest.hexdigest()

    def rows(self) -> list[Candle]:
        """Return the candles as objects: for tests and small files, not for a year."""
        stamps = range(self.start_ms, self.end_ms, MINUTE_MS)
        columns = (self.open, self.high, self.low, self.close, self.volume)
        return list(map(Candle, stamps, *(column.tolist() for column in columns)))


def minutes_of(candles: Sequence[Candle], gaps: GapPolicy = "refuse") -> Minutes:
    """Return `candles` (oldest first) as columns. Raises CandleError as `checked_minutes` does."""
    if not candles:
        raise CandleError("there are no candles")
    stamps, *prices = zip(*candles, strict=True)
    columns = [np.array(column, dtype=np.float64) for column in prices]
    return checked_minutes(RawColumns(np.array(stamps, dtype=np.int64), *columns), gaps)


def checked_minutes(raw: RawColumns, gaps: GapPolicy = "refuse") -> Minutes:
    """Return `raw` as minutes without a gap.

    With `gaps="fill"` each missing minute stands flat at the close before it, with volume 0, and
    is counted. Raises CandleError for no or one candle, for columns of unequal length, rows that
    are reversed, doubled or not at the turn of a minute, for numbers that no candle can have, and
    for gaps unless they are to be filled.
    """
    _check_length(raw)
    _check_order(raw.timestamp)
    _check_numbers(raw)
    places = (raw.timestamp - raw.timestamp[0]) // MINUTE_MS
    missing = int(places[-1]) + 1 - len(places)
    if missing and gaps == "refuse":
        raise CandleError(_told_of_gaps(raw.timestamp, missing))
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


def moment_text(at_ms: int) -> str:
    """Return a moment as people write it: 2022-01-31 23:59 UTC."""
    return f"{np.datetime_as_string(np.datetime64(at_ms, 'ms'), unit='m')} UTC".replace("T", " ", 1)


def _check_length(raw: RawColumns) -> None:
    count = len(raw.timestamp)
    if any(len(column) != count for column in raw):
        raise CandleError(f"the columns differ in length: {', '.join(str(len(c)) for c in raw)}")
    if count == 0:
        raise CandleError("there are no candles")
    if count == 1:
        raise CandleError(
            "there is only one candle: a run needs at least two, one of them for a price to begin "
            "with"
        )


def _check_order(stamps: Stamps) -> None:
    steps = np.diff(stamps)
    if (row := _first(steps <= 0)) is not None:
        told = "the same minute as" if steps[row] == 0 else "earlier than"
        at = moment_text(int(stamps[row + 1]))
        raise CandleError(f"row {row + 2} ({at}) is {told} the row before it")
    if (row := _first(stamps % MINUTE_MS != 0)) is not None:
        raise CandleError(f"row {row + 1}: {int(stamps[row])} ms is not the turn of a minute")
    if int(steps.min()) > MINUTE_MS:
        apart = int(steps.min()) // MINUTE_MS
        raise CandleError(f"the candles are {apart} minutes apart: one-minute candles are needed")


def _check_numbers(raw: RawColumns) -> None:
    for name, column in zip(raw._fields[1:], raw[1:], strict=True):
        least = 0.0 if name == "volume" else np.nextafter(0.0, 1.0)
        # Written so that NaN, which compares to nothing, is a fault too.
        bad = ~((column >= least) & (column <= NUMBER_MAX))
        if (row := _first(bad)) is not None:
            wanted = "zero or positive" if name == "volume" else "positive"
            told = f"{name} is {float(column[row])}: it must be {wanted} and finite"
            raise CandleError(f"{_row(raw, row)}: {told}")
    body_high = np.maximum(np.maximum(raw.open, raw.close), raw.low)
    if (row := _first(raw.high < body_high)) is not None:
        raise CandleError(f"{_row(raw, row)}: high is below another price of the candle")
    if (row := _first(raw.low > np.minimum(raw.open, raw.close))) is not None:
        raise CandleError(f"{_row(raw, row)}: low is above another price of the candle")
    if (row := _first(raw.low[1:] < raw.close[:-1] / ANOMALY_FACTOR)) is not None:
        told = f"low is less than a {ANOMALY_FACTOR:,}th of the close before it"
        raise CandleError(f"{_row(raw, row + 1)}: {told}")


def _first(flags: Flags) -> int | None:
    place = int(flags.argmax()) if len(flags) else 0
    return place if len(flags) and flags[place] else None


def _row(raw: RawColumns, row: int) -> str:
    return f"row {row + 1} ({moment_text(int(raw.timestamp[row]))})"


def _told_of_gaps(stamps: Stamps, missing: int) -> str:
    holes = np.flatnonzero(np.diff(stamps) > MINUTE_MS)
    after = moment_text(int(stamps[holes[0]]))
    minutes = "1 minute is" if missing == 1 else f"{missing:,} minutes are"
    return (
        f"{minutes} missing in {len(holes):,} gap{'s' if len(holes) > 1 else ''}, the first after "
        f'{after}: fetch them, or let them be filled flat (gaps = "fill")'
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
