"""Candles as columns, as they come from a file: what may be wrong with them, and what is missing.

Everything here only looks. Each fault is one line that names the row; what becomes of faulty or
missing minutes is decided by whoever asked, never in silence.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from daemon.core.candles import MINUTE_MS

Floats = npt.NDArray[np.float64]
Stamps = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
GapPolicy = Literal["refuse", "fill"]
FaultKind = Literal["columns", "empty", "order", "doubled", "moment", "spacing", "number", "prices"]

NUMBER_MAX = 1e100
"""Products and sums of larger numbers would leave what a float holds."""

ANOMALY_FACTOR = 1000
"""A price below the close before it divided by this is a broken candle, not a market."""


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

    def taken(self, which: Flags | npt.NDArray[np.intp]) -> "RawColumns":
        """Return the rows that are flagged, or that stand at these places."""
        return RawColumns(
            self.timestamp[which],
            self.open[which],
            self.high[which],
            self.low[which],
            self.close[which],
            self.volume[which],
        )


def joined(parts: Sequence[RawColumns]) -> RawColumns:
    """Return the rows of all parts, one after the other."""
    if not parts:
        return RawColumns(np.empty(0, dtype=np.int64), *(np.empty(0) for _ in range(5)))
    return RawColumns(
        np.concatenate([part.timestamp for part in parts]),
        np.concatenate([part.open for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.close for part in parts]),
        np.concatenate([part.volume for part in parts]),
    )


class Fault(NamedTuple):
    """What is wrong with so many rows; `text` is one line about the first of them."""

    kind: FaultKind
    rows_count: int
    text: str


class Span(NamedTuple):
    """A stretch of minutes: from `start_ms` to before `stop_ms` (UTC epoch ms)."""

    start_ms: int
    stop_ms: int

    @property
    def minutes(self) -> int:
        """Return how many they are."""
        return (self.stop_ms - self.start_ms) // MINUTE_MS


def find_faults(raw: RawColumns) -> Iterator[Fault]:
    """Yield every kind of fault of one-minute candles, the one that is worst to mend first.

    Gaps are none: `find_gaps` tells them. Nothing more is looked for in columns of unequal length
    and in empty ones.
    """
    count = len(raw.timestamp)
    if any(len(column) != count for column in raw):
        lengths = ", ".join(str(len(column)) for column in raw)
        yield Fault("columns", 1, f"the columns differ in length: {lengths}")
        return
    if count == 0:
        yield Fault("empty", 1, "there are no candles")
        return
    yield from _faults_of_order(raw.timestamp)
    yield from _faults_of_moments(raw.timestamp)
    yield from _faults_of_numbers(raw)
    yield from _faults_of_prices(raw)


def find_gaps(stamps: Stamps) -> list[Span]:
    """Return the gaps between candles that rise in time."""
    before = np.flatnonzero(np.diff(stamps) > MINUTE_MS)
    starts, stops = stamps[before] + MINUTE_MS, stamps[before + 1]
    return list(map(Span, starts.tolist(), stops.tolist()))


def told_of_gaps(gaps: Sequence[Span]) -> str:
    """Return one line about at least one gap, with the first of them and what to do."""
    missing = sum(gap.minutes for gap in gaps)
    minutes = "1 minute is" if missing == 1 else f"{missing:,} minutes are"
    after = moment_text(gaps[0].start_ms - MINUTE_MS)
    return (
        f"{minutes} missing in {len(gaps):,} gap{'s' if len(gaps) > 1 else ''}, the first after "
        f'{after}: fetch them, or let them be filled flat (--gaps fill, or gaps="fill" in Python)'
    )


def moment_text(at_ms: int) -> str:
    """Return a moment as people write it: 2022-01-31 23:59 UTC."""
    return f"{np.datetime_as_string(np.datetime64(at_ms, 'ms'), unit='m')} UTC".replace("T", " ", 1)


def _faults_of_order(stamps: Stamps) -> Iterator[Fault]:
    steps = np.diff(stamps)
    found: list[tuple[int, Fault]] = []
    kinds: tuple[tuple[FaultKind, str, Flags], ...] = (
        ("doubled", "the same minute as", steps == 0),
        ("order", "earlier than", steps < 0),
    )
    for kind, words, flags in kinds:
        if (row := _first(flags)) is not None:
            at = moment_text(int(stamps[row + 1]))
            told = f"row {row + 2} ({at}) is {words} the row before it"
            found.append((row, Fault(kind, int(flags.sum()), told)))
    yield from (fault for _, fault in sorted(found))


def _faults_of_moments(stamps: Stamps) -> Iterator[Fault]:
    flags = stamps % MINUTE_MS != 0
    if (row := _first(flags)) is not None:
        told = f"row {row + 1}: {int(stamps[row])} ms is not the turn of a minute"
        yield Fault("moment", int(flags.sum()), told)
        return
    least = int(np.diff(stamps).min()) if len(stamps) > 1 else MINUTE_MS
    if least > MINUTE_MS:
        told = f"the candles are {least // MINUTE_MS} minutes apart: one-minute candles are needed"
        yield Fault("spacing", len(stamps), told)


def _faults_of_numbers(raw: RawColumns) -> Iterator[Fault]:
    for name, column in zip(raw._fields[1:], raw[1:], strict=True):
        wanted = "zero or positive" if name == "volume" else "positive"
        least = 0.0 if name == "volume" else np.nextafter(0.0, 1.0)

        # Written so that NaN, which compares to nothing, is a fault too.
        flags = ~((column >= least) & (column <= NUMBER_MAX))
        if (row := _first(flags)) is not None:
            value = float(column[row])
            limit = f"at most {NUMBER_MAX:g}" if NUMBER_MAX < value < np.inf else "finite"
            told = f"{name} is {value}: it must be {wanted} and {limit}"
            yield Fault("number", int(flags.sum()), f"{_row(raw, row)}: {told}")


def _faults_of_prices(raw: RawColumns) -> Iterator[Fault]:
    body_high = np.maximum(np.maximum(raw.open, raw.close), raw.low)
    has_collapsed = np.zeros(len(raw.low), dtype=np.bool_)
    has_collapsed[1:] = raw.low[1:] < raw.close[:-1] / ANOMALY_FACTOR
    anomaly = f"low is less than a {ANOMALY_FACTOR:,}th of the close before it"
    told = {
        "high is below another price of the candle": raw.high < body_high,
        "low is above another price of the candle": raw.low > np.minimum(raw.open, raw.close),
        anomaly: has_collapsed,
    }
    for words, flags in told.items():
        if (row := _first(flags)) is not None:
            yield Fault("prices", int(flags.sum()), f"{_row(raw, row)}: {words}")


def _first(flags: Flags) -> int | None:
    place = int(flags.argmax()) if len(flags) else 0
    return place if len(flags) and flags[place] else None


def _row(raw: RawColumns, row: int) -> str:
    return f"row {row + 1} ({moment_text(int(raw.timestamp[row]))})"
