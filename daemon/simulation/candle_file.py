"""Recorded candles as users have them: CSV text in, checked one-minute candles out.

Nothing is mended in silence: what is wrong is an error that names its line and column, and
missing minutes stay missing until `fill_gaps` is called.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import RejectedError
from daemon.core.headings import (
    COLUMNS,
    EPOCH_MS_BELOW,
    EPOCH_SECONDS_BELOW,
    HeadingError,
    places_of,
)

SEPARATORS = (",", ";", "\t")
CELL_SHOWN_MAX = 60
"""So much of a cell is told: one that no quotation mark closes may hold a hundred lines."""


class CandleFileError(RejectedError):
    """A candle file cannot be used. `line` counts from 1; `column` is a name or None."""

    def __init__(self, line: int, column: str | None, message: str) -> None:
        place = f"line {line}" if column is None else f"line {line}, column {column}"
        super().__init__(f"{place}: {message}")
        self.line = line
        self.column = column


class Numbered(NamedTuple):
    """A candle and the line that it came from."""

    line: int
    candle: Candle


def parse_candles(source: str | Iterable[str]) -> list[Candle]:
    """Return the one-minute candles of a CSV text, oldest first.

    The first row names the columns, in any case and order: timestamp (ISO, naive means UTC, or
    epoch seconds or ms), open, high, low, close, volume; others are ignored. Raises
    CandleFileError for what is not so, for doubled or reversed rows, and for longer candles.
    """
    lines = source.splitlines() if isinstance(source, str) else source
    rows = list(_numbered(iter(lines)))
    if not rows:
        raise CandleFileError(1, None, "the file holds no candles")
    for before, after in pairwise(rows):
        _refuse_disorder(before.candle, after)
    candles = [row.candle for row in rows]
    spacing_ms = min((b.timestamp - a.timestamp for a, b in pairwise(candles)), default=MINUTE_MS)
    if spacing_ms > MINUTE_MS:
        minutes = spacing_ms // MINUTE_MS
        text = f"the candles are {minutes} minutes apart; one-minute candles are needed"
        raise CandleFileError(rows[1].line, "timestamp", text)
    return candles


def count_missing_minutes(candles: Sequence[Candle]) -> int:
    """Return how many minutes lie between the first and the last candle without one."""
    if not candles:
        return 0
    return (candles[-1].timestamp - candles[0].timestamp) // MINUTE_MS + 1 - len(candles)


def fill_gaps(candles: Sequence[Candle]) -> list[Candle]:
    """Return `candles` with each missing minute flat at the close before it, volume 0."""
    filled = list(candles[:1])
    for before, after in pairwise(candles):
        close = before.close
        filled += (
            Candle(at_ms, close, close, close, close, 0.0)
            for at_ms in range(before.timestamp + MINUTE_MS, after.timestamp, MINUTE_MS)
        )
        filled.append(after)
    return filled


def _numbered(lines: Iterator[str]) -> Iterator[Numbered]:
    first = next(lines, None)
    if first is None:
        raise CandleFileError(1, None, "the file is empty")
    header = first.removeprefix("\ufeff").strip()
    separator = max(SEPARATORS, key=header.count)
    names = header.split(separator)
    try:
        places = places_of(names)
    except HeadingError as error:
        raise CandleFileError(1, error.column, str(error)) from None
    for line, cells in _rows(lines, separator):
        if not any(cells):
            continue
        if len(cells) != len(names):
            text = f"{len(cells)} cells where the header names {len(names)}"
            raise CandleFileError(line, None, text)
        yield Numbered(line, _candle([cells[place] for place in places], line))


def _rows(lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row below the header, with the line that the row ends on."""
    reader = csv.reader(lines, delimiter=separator)
    try:
        for cells in reader:
            yield reader.line_num + 1, cells
    except csv.Error as error:
        text = f"this cannot be read ({error}): is there a quotation mark that is never closed?"
        raise CandleFileError(reader.line_num + 1, None, text) from None


def _candle(cells: Sequence[str], line: int) -> Candle:
    at_ms = _timestamp(cells[0].strip(), line)
    try:
        opened, high, low, close, volume = map(float, cells[1:])
    except ValueError:
        column, cell = next(
            (name, cell)
            for name, cell in zip(COLUMNS[1:], cells[1:], strict=True)
            if not _is_float(cell)
        )
        raise CandleFileError(line, column, f"{cell[:CELL_SHOWN_MAX]!r} is not a number") from None
    candle = Candle(at_ms, opened, high, low, close, volume)
    is_sound = 0 < low <= min(opened, close) and max(opened, close) <= high and volume >= 0
    if not (is_sound and all(map(math.isfinite, candle))):
        raise CandleFileError(line, *_find_fault(candle))
    return candle


def _find_fault(candle: Candle) -> tuple[str, str]:
    """Return the column and the reason for which a candle cannot be."""
    for column, value in zip(COLUMNS[1:], candle[1:], strict=True):
        if not math.isfinite(value):
            return column, f"{value} is not finite"
        if value < 0:
            return column, f"{value} is negative"
        if value == 0 and column != "volume":
            return column, f"{value} is not positive"
    if candle.high < max(candle.open, candle.close, candle.low):
        return "high", f"{candle.high} is below another price of the row"
    return "low", f"{candle.low} is above another price of the row"


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _timestamp(cell: str, line: int) -> int:
    """Return the whole minute that a cell names, in epoch ms."""
    at_ms = _epoch_ms(cell, line) if _is_float(cell) else _iso_ms(cell, line)
    if at_ms % MINUTE_MS:
        raise CandleFileError(
            line, "timestamp", f"{cell[:CELL_SHOWN_MAX]!r} is not at the start of a minute"
        )
    return round(at_ms)


def _epoch_ms(cell: str, line: int) -> float:
    number = float(cell)
    if 0 < number < EPOCH_SECONDS_BELOW:
        return number * 1000
    if EPOCH_SECONDS_BELOW <= number < EPOCH_MS_BELOW:
        return number
    text = f"{cell[:CELL_SHOWN_MAX]!r} is neither epoch seconds nor milliseconds"
    raise CandleFileError(line, "timestamp", text)


def _iso_ms(cell: str, line: int) -> float:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        text = f"{cell[:CELL_SHOWN_MAX]!r} is neither an ISO time nor an epoch"
        raise CandleFileError(line, "timestamp", text) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() * 1000


DISORDER = "earlier than the row before: the oldest candle must come first"


def _refuse_disorder(before: Candle, after: Numbered) -> None:
    if after.candle.timestamp == before.timestamp:
        raise CandleFileError(after.line, "timestamp", "the same minute as the row before")
    if after.candle.timestamp < before.timestamp:
        raise CandleFileError(after.line, "timestamp", DISORDER)
