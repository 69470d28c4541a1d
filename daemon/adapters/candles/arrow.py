"""Candle files by pyarrow: Parquet, Feather and clean CSV into columns, a store's months to disk.

What a file says is read as it stands; whether it can be believed is judged by its reader.
"""

# ruff: noqa: PLC0415 - a run reads files of one kind, and needs what reads the others not at all

import json
import math
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet

from daemon.adapters.candles.formats import kind_of
from daemon.adapters.candles.names import Series
from daemon.core.columns import Flags, Floats, RawColumns, Span, Stamps
from daemon.core.errors import CandleError
from daemon.core.headings import (
    COLUMNS,
    EPOCH_MS_BELOW,
    EPOCH_SECONDS_BELOW,
    HeadingError,
    places_of,
)

TEMP_PREFIX = ".tmp-"
FILLED = "filled"
NOTES = b"tickd"
SEPARATORS = (",", ";", "\t")


PER_MS = {"ms": 1, "us": 1000, "ns": 1_000_000}
"""How many of each unit of time make a millisecond."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What a file holds: the names of its columns, notes, and one column at a time.

    `take` returns the column at a place in one piece. One by one, no two copies of a whole file
    are ever in memory.
    """

    names: Sequence[str]
    notes: Mapping[bytes, bytes]
    take: Callable[[int], Any]

    @classmethod
    def of(cls, table: Any) -> "_Held":  # noqa: ANN401 - pyarrow has no types
        def take(place: int) -> Any:  # noqa: ANN401 - pyarrow has no types
            return table.column(place).combine_chunks()

        return cls(table.column_names, table.schema.metadata or {}, take)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What the store holds of one month.

    `is_filled` marks rows that stand for a missing minute; `asked` are the spans that the exchange
    was asked for to their end, so that what is missing in them is missing there too.
    """

    rows: RawColumns
    is_filled: Flags
    asked: tuple[Span, ...] = ()


def read_columns(path: Path) -> RawColumns:
    """Return the candles of a Parquet or Feather file, by the names of its columns.

    Raises CandleError for a file that is damaged, or whose columns are not those of candles.
    """
    with _opened(path) as held:
        return _columns_of(held, path)


def read_csv(path: Path) -> RawColumns | None:
    """Return the candles of a CSV file as they stand, or None if not every cell can be read.

    Many times as fast as reading it line by line, which is what tells where a fault is.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    from pyarrow import csv

    options = csv.ParseOptions(delimiter=max(SEPARATORS, key=header.count))
    try:
        return _columns_of(_Held.of(csv.read_csv(path, parse_options=options)), path)
    except (pa.ArrowException, CandleError):
        return None


def count_rows(path: Path) -> int:
    """Return how many rows a month of the store has. Raises CandleError."""
    try:
        count: int = pyarrow.parquet.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    return count


def read_month(path: Path) -> Month:
    """Return a month of the store. Raises CandleError for a file that cannot be read as one."""
    with _opened(path) as held:
        rows = _columns_of(held, path)
        is_filled = np.zeros(len(rows.timestamp), dtype=np.bool_)
        if FILLED in held.names:
            is_filled = _flags(held.take(held.names.index(FILLED)), path)
        return Month(rows=rows, is_filled=is_filled, asked=_asked(held))


def write_month(path: Path, month: Month, series: Series) -> None:
    """Write a month durably: after a crash the old or the new file is there, whole. OSError."""
    rows = month.rows
    notes = {
        "version": 1,
        "exchange": series.exchange,
        "symbol": series.symbol,
        "interval": "1m",
        "asked": month.asked,
    }
    stamps = _array(rows.timestamp, pa.int64()).cast(pa.timestamp("ms", tz="UTC"))
    numbers = [_array(column, pa.float64()) for column in rows[1:]]
    is_filled = _array(month.is_filled.astype(np.int8), pa.int8()).cast(pa.bool_())
    table = pa.Table.from_arrays(
        [stamps, *numbers, is_filled], names=[*COLUMNS, FILLED]
    ).replace_schema_metadata({NOTES: json.dumps(notes).encode()})
    temp = path.with_name(f"{TEMP_PREFIX}{secrets.token_hex(6)}-{path.name}")
    try:
        with temp.open("xb") as file:
            pyarrow.parquet.write_table(table, file, compression="zstd", use_dictionary=False)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _opened(path: Path) -> Iterator[_Held]:
    """Hold a file open for reading. Raises CandleError where it cannot be read."""
    try:
        if kind_of(path) == "feather":
            from pyarrow import feather

            yield _Held.of(feather.read_table(path))
            return
        with pyarrow.parquet.ParquetFile(path) as parquet:
            schema = parquet.schema_arrow

            def take(place: int) -> Any:  # noqa: ANN401 - pyarrow has no types
                names = [schema.names[place]]
                table = parquet.read(columns=names, use_threads=False)
                # What unpacking took is given back before the next column asks for as much.
                pa.default_memory_pool().release_unused()
                return table.column(0).combine_chunks()

            yield _Held(schema.names, schema.metadata or {}, take)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CandleError:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    if isinstance(error, pa.ArrowException):
        reason = f"the file is damaged ({reason})"
    return CandleError(f"{path}: {reason}")


def _asked(held: _Held) -> tuple[Span, ...]:
    """Return the spans noted in the file: none in one that somebody else has written."""
    try:
        notes = json.loads(held.notes.get(NOTES, b"{}"))
        return tuple(Span(int(start), int(stop)) for start, stop in notes.get("asked", ()))
    except (ValueError, TypeError, AttributeError):
        return ()


def _columns_of(held: _Held, path: Path) -> RawColumns:
    try:
        places = places_of(held.names)
    except HeadingError as error:
        raise CandleError(f"{path}: column {error.column}: {error}") from None
    times = held.take(places[0])
    try:
        stamps = _stamps(times)
    except (ValueError, pa.ArrowException) as error:
        raise CandleError(f"{path}: column timestamp: {error}") from None
    columns = []
    for name, place in zip(COLUMNS[1:], places[1:], strict=True):
        column = held.take(place)
        is_number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
        if not is_number and not pa.types.is_decimal(column.type):
            told = f"it holds {_kind_text(column.type)}, not numbers"
            raise CandleError(f"{path}: column {name}: {told}")
        columns.append(_floats(column))
    return RawColumns(stamps, *columns)


def _stamps(column: Any) -> Stamps:  # noqa: ANN401 - pyarrow has no types
    """Return times of any kind as UTC epoch ms. Raises ValueError (ArrowInvalid is one)."""
    kind = column.type
    if column.null_count:
        raise ValueError(f"{column.null_count} times are missing")
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
        kind = column.type
    if pa.types.is_timestamp(kind):
        whole: Stamps = np.from_dlpack(column.view(pa.int64())).astype(np.int64, copy=False)
        return _in_ms(whole, kind.unit)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise ValueError(f"it holds {_kind_text(kind)}, not times or numbers")
    numbers: npt.NDArray[Any] = np.from_dlpack(column)
    if len(numbers) and not (numbers.min() > 0 and numbers.max() < EPOCH_MS_BELOW):
        raise ValueError("the numbers are neither epoch seconds nor milliseconds")
    is_ms = bool((numbers >= EPOCH_SECONDS_BELOW).all())
    scaled = numbers if is_ms else np.where(numbers < EPOCH_SECONDS_BELOW, numbers * 1000, numbers)
    if pa.types.is_floating(kind) and (scaled % 1.0).any():
        raise ValueError("the times are finer than a millisecond")
    stamps: Stamps = scaled.astype(np.int64, copy=False)
    return stamps


def _kind_text(kind: Any) -> str:  # noqa: ANN401 - pyarrow has no types
    """Return what a column holds as a person says it."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return "true and false" if pa.types.is_boolean(kind) else str(kind)


def _in_ms(numbers: Stamps, unit: str) -> Stamps:
    if unit == "s":
        return numbers * 1000
    per_ms = PER_MS[unit]
    if per_ms > 1 and (numbers % per_ms).any():
        raise ValueError("the times are finer than a millisecond")
    return numbers if per_ms == 1 else numbers // per_ms


def _floats(column: Any) -> Floats:  # noqa: ANN401 - pyarrow has no types
    """Return a column of numbers as a numpy array; a value that is missing becomes NaN."""
    if column.null_count or pa.types.is_decimal(column.type):
        column = column.cast(pa.float64()).fill_null(math.nan)
    # Neither this nor `_array` goes through pyarrow's own ways from and to numpy: where pandas is
    # installed they import it, which takes seconds. Its casts import what computes, so that those
    # which numpy can do are left to it.
    return np.from_dlpack(column).astype(np.float64, copy=False)


def _flags(column: Any, path: Path) -> Flags:  # noqa: ANN401 - pyarrow has no types
    """Return a column of truth values, which pyarrow packs by the bit; a missing one is false."""
    if not pa.types.is_boolean(column.type):
        raise CandleError(f"{path}: column {FILLED}: it holds {column.type}, not true and false")
    bits = np.frombuffer(column.buffers()[1] or b"", dtype=np.uint8)
    flags = np.unpackbits(bits, bitorder="little")[column.offset :][: len(column)]
    return flags.astype(np.bool_)


def _array(column: npt.NDArray[Any], kind: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    buffer = pa.py_buffer(np.ascontiguousarray(column))
    return pa.Array.from_buffers(kind, len(column), [None, buffer])
