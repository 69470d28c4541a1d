"""The store of candles: one-minute rows of any market, a file of Parquet per month.

What is there stays there: a month is written whole beside the old file and put in its place, so
that a crash at any moment costs at most what was not written yet. Only one process writes a
market at a time; anybody may read.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from daemon.adapters.candles.arrow import (
    TEMP_PREFIX,
    Month,
    count_rows,
    read_month,
    write_month,
)
from daemon.adapters.candles.names import (
    SUFFIX,
    Series,
    folder_name,
    is_month,
    month_of,
    months_in,
    span_of_month,
    text_of,
)
from daemon.adapters.candles.spans import common, runs_of, united, without
from daemon.core.candles import MINUTE_MS
from daemon.core.columns import Flags, RawColumns, Span, joined, moment_text
from daemon.core.errors import CandleError, StateLockedError, TransientError

LOCK = ".lock"
READS_MAX = 5
NOTHING = Month(rows=joined([]), is_filled=np.empty(0, dtype=np.bool_))


class Held(NamedTuple):
    """Rows of a series, and which of them stand for a missing minute."""

    rows: RawColumns
    is_filled: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of rows that were added: new ones, and ones that were there with other values.

    Where a row stood for a missing minute before, the new one is new.
    """

    new: int = 0
    changed: int = 0


class CandleStore:
    """The candles below one folder, which is made when something is first written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._last: tuple[Path, Month] | None = None

    def path_of(self, series: Series) -> Path:
        """Return the folder of a series, which may not be there."""
        return self.root / folder_name(series.exchange) / folder_name(series.symbol)

    def all_series(self) -> list[Series]:
        """Return every series that has a month, by name."""
        found = []
        for folder in sorted(self.root.glob("*/*/")):
            exchange, symbol = text_of(folder.parent.name), text_of(folder.name)
            if exchange and symbol and self.months(Series(exchange, symbol)):
                found.append(Series(exchange, symbol))
        return found

    def months(self, series: Series) -> list[Path]:
        """Return the files of a series, oldest first."""
        paths = self.path_of(series).glob(f"*{SUFFIX}")
        return sorted(path for path in paths if is_month(path.stem))

    def read(self, series: Series, span: Span | None = None) -> Held:
        """Return the rows of a series in `span` (or all), as they stand.

        Raises CandleError for a file that cannot be read.
        """
        return read_files(self.months(series), span)

    def left_to_ask(self, series: Series, wanted: Span, *, again: bool = False) -> list[Span]:
        """Return what of `wanted` is not there and was never asked for.

        With `again` also what the exchange did not have when it was asked. Raises CandleError.
        """
        known: list[Span] = []
        for path in _touched(self.months(series), wanted):
            month = self._load(path)
            known += runs_of(month.rows.timestamp[~month.is_filled])
            known += () if again else month.asked
        return without(wanted, known)

    @contextmanager
    def writing(self, series: Series) -> Iterator[None]:
        """Keep other processes from writing the series. Raises StateLockedError, OSError."""
        folder = self.path_of(series)
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateLockedError(f"{folder} is being written by another tickd") from None
            self._last = None
            for leftover in folder.glob(f"{TEMP_PREFIX}*"):
                leftover.unlink(missing_ok=True)
            yield
        finally:
            os.close(handle)

    def add(self, series: Series, rows: RawColumns, asked: Sequence[Span] = ()) -> Added:
        """Write sound rows in rising order over what is there, and note what was asked for.

        Call it under `writing`. Raises CandleError for a month that cannot be read, OSError.
        """
        added = Added()
        is_filled = np.zeros(len(rows.timestamp), dtype=np.bool_)
        touched = united([*runs_of(rows.timestamp), *asked])
        for name in dict.fromkeys(month for span in touched for month in months_in(span)):
            part = _cut(Held(rows, is_filled), span_of_month(name))
            path = self.path_of(series) / f"{name}{SUFFIX}"
            before = self._load(path)
            after, part_added = _merged(before, part, common(span_of_month(name), asked))
            added = Added(
                new=added.new + part_added.new, changed=added.changed + part_added.changed
            )
            # Months before a market began hold nothing, and need no file to say so.
            if len(after.rows.timestamp):
                self._write(path, after, series)
        return added

    def differing(self, series: Series, rows: RawColumns) -> int:
        """Return how many of `rows` are there with other values. Raises CandleError."""
        if not len(rows.timestamp):
            return 0
        wanted = Span(int(rows.timestamp[0]), int(rows.timestamp[-1]) + MINUTE_MS)
        held = self.read(series, wanted)
        real = held.rows.taken(~held.is_filled)
        return _count_differing(real, rows)

    def fill(self, series: Series, span: Span) -> int:
        """Write each missing minute within `span`, flat at the close before it; return how many.

        Only between candles: nothing is made up before the first or after the last. Call it under
        `writing`. Raises CandleError, OSError.
        """
        held = self.read(series)
        stamps = held.rows.timestamp
        if not len(stamps):
            return 0
        inside = Span(int(stamps[0]), int(stamps[-1]) + MINUTE_MS)
        missing = [
            part for part in without(inside, runs_of(stamps)) for part in common(span, [part])
        ]
        for part in missing:
            close = float(held.rows.close[np.searchsorted(stamps, part.start_ms) - 1])
            flat = np.full(part.minutes, close)
            made = np.arange(part.start_ms, part.stop_ms, MINUTE_MS, dtype=np.int64)
            rows = RawColumns(made, flat, flat, flat, flat, np.zeros(part.minutes))
            self._fill_months(series, rows)
        return sum(part.minutes for part in missing)

    def _fill_months(self, series: Series, rows: RawColumns) -> None:
        filled = Held(rows, np.ones(len(rows.timestamp), dtype=np.bool_))
        for name in dict.fromkeys(month_of(at_ms) for at_ms in rows.timestamp.tolist()):
            path = self.path_of(series) / f"{name}{SUFFIX}"
            month, _ = _merged(self._load(path), _cut(filled, span_of_month(name)), [])
            self._write(path, month, series)

    def _load(self, path: Path) -> Month:
        """Return a month as it is on disk; the last one is kept, as fetching goes on in it."""
        if self._last is None or self._last[0] != path:
            self._last = (path, read_month(path) if path.exists() else NOTHING)
        return self._last[1]

    def _write(self, path: Path, month: Month, series: Series) -> None:
        self._last = None
        write_month(path, month, series)
        self._last = (path, month)


def read_files(paths: Sequence[Path], span: Span | None = None) -> Held:
    """Return the rows of a store's files, in the order given.

    Raises CandleError, and TransientError where a writer replaces them again and again meanwhile.
    """
    wanted = paths if span is None else _touched(paths, span)
    for _ in range(READS_MAX):
        held = _read_at_once(wanted, span)
        if held is not None:
            return held
    raise TransientError(f"{wanted[0].parent}: the files change while they are read; try again")


def _read_at_once(paths: Sequence[Path], span: Span | None) -> Held | None:
    """Return the rows of all files, or None if one of them has grown meanwhile."""
    size = sum(map(count_rows, paths))
    # Years are long: each month goes to its place at once, so that no two copies stand in memory.
    rows = RawColumns(np.empty(size, dtype=np.int64), *(np.empty(size) for _ in range(5)))
    is_filled = np.empty(size, dtype=np.bool_)
    stop = 0
    for path in paths:
        month = read_month(path)
        held = Held(month.rows, month.is_filled)
        if span is not None:
            held = _cut(held, span)
        start, stop = stop, stop + len(held.is_filled)
        if stop > size:
            return None
        is_filled[start:stop] = held.is_filled
        for column, part in zip(rows, held.rows, strict=True):
            column[start:stop] = part
    return Held(RawColumns(rows.timestamp[:stop], *(c[:stop] for c in rows[1:])), is_filled[:stop])


def _touched(paths: Sequence[Path], span: Span) -> list[Path]:
    return [path for path in paths if common(span, [span_of_month(path.stem)])]


def _cut(held: Held, span: Span) -> Held:
    stamps = held.rows.timestamp
    is_inside = (stamps >= span.start_ms) & (stamps < span.stop_ms)
    return Held(held.rows.taken(is_inside), held.is_filled[is_inside])


def _merged(before: Month, part: Held, asked: Sequence[Span]) -> tuple[Month, Added]:
    """Return a month with rows laid over it. Raises CandleError for one that is out of order."""
    if (np.diff(before.rows.timestamp) <= 0).any():
        at = moment_text(int(before.rows.timestamp[0]))
        raise CandleError(f"the month of {at} is out of order: tickd data verify names the file")
    rows = joined([before.rows, part.rows])
    is_filled = np.concatenate((before.is_filled, part.is_filled))
    # Stable: of two rows of one minute the new one comes last, and is kept.
    order = np.argsort(rows.timestamp, kind="stable")
    kept = order[np.append(np.diff(rows.timestamp[order]) != 0, len(order) > 0)[: len(order)]]
    month = Month(
        rows=rows.taken(kept),
        is_filled=is_filled[kept],
        asked=tuple(united([*before.asked, *asked])),
    )
    real = before.rows.taken(~before.is_filled)
    shared = int(np.isin(part.rows.timestamp, real.timestamp, assume_unique=True).sum())
    new = len(part.rows.timestamp) - shared
    return month, Added(new=new, changed=_count_differing(real, part.rows))


def _count_differing(before: RawColumns, after: RawColumns) -> int:
    _, old, new = np.intersect1d(
        before.timestamp, after.timestamp, assume_unique=True, return_indices=True
    )
    is_other = np.zeros(len(old), dtype=np.bool_)
    for mine, theirs in zip(before[1:], after[1:], strict=True):
        is_other |= mine[old] != theirs[new]
    return int(is_other.sum())
