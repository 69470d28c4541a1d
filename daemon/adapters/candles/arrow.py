"""Candle files by pyarrow: Parquet, Feather and clean CSV into columns, a store's months to disk.

What a file says is read as it stands; whether it can be believed is judged by its reader.
"""

import json
import math
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.csv  # type: ignore[import-untyped]
import pyarrow.feather  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]

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
    return _columns_of(_read_table(path), path)


def read_csv(path: Path) -> RawColumns | None:
    """Return the candles of a CSV file as they stand, or None if not every cell can be read.

    Many times as fast as reading it line by line, which is what tells where a fault is.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    separator = max(SEPARATORS, key=header.count)
    options = pyarrow.csv.ParseOptions(delimiter=separator)
    try:
        return _columns_of(pyarrow.csv.read_csv(path, parse_options=options), path)
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
    table = _read_table(path)
    rows = _columns_of(table, path)
    is_filled = np.zeros(len(rows.timestamp), dtype=np.bool_)
    if FILLED in table.column_names:
        is_filled = _flags(table.column(FILLED).combine_chunks(), path)
    return Month(rows=rows, is_filled=is_filled, asked=_asked(table))


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


def _read_table(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    try:
        if kind_of(path) == "feather":
            return pyarrow.feather.read_table(path)
        with pyarrow.parquet.ParquetFile(path) as parquet:
            return parquet.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CandleError:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return CandleError(f"{path}: {reason}")


def _asked(table: Any) -> tuple[Span, ...]:  # noqa: ANN401 - pyarrow has no types
    """Return the spans noted in the file: none in one that somebody else has written."""
    try:
        notes = json.loads((table.schema.metadata or {}).get(NOTES, b"{}"))
        return tuple(Span(int(start), int(stop)) for start, stop in notes.get("asked", ()))
    except (ValueError, TypeError, AttributeError):
        return ()


def _columns_of(table: Any, path: Path) -> RawColumns:  # noqa: ANN401 - pyarrow has no types
    try:
        places = places_of(table.column_names)
    except HeadingError as error:
        raise CandleError(f"{path}: column {error.column}: {error}") from None
    stamps, *numbers = (table.column(place).combine_chunks() for place in places)
    columns = []
    for name, column in zip(COLUMNS[1:], numbers, strict=True):
        is_number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
        if not is_number and not pa.types.is_decimal(column.type):
            told = f"it holds {column.type}, not numbers"
            raise CandleError(f"{path}: column {name}: {told}")
        columns.append(_numbers(column, pa.float64()))
    try:
        return RawColumns(_stamps(stamps), *columns)
    except (ValueError, pa.ArrowException) as error:
        raise CandleError(f"{path}: column timestamp: {error}") from None


def _stamps(column: Any) -> Stamps:  # noqa: ANN401 - pyarrow has no types
    """Return times of any kind as UTC epoch ms. Raises ValueError (ArrowInvalid is one)."""
    kind = column.type
    if column.null_count:
        raise ValueError(f"{column.null_count} times are missing")
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        wanted = pa.timestamp("ms", tz=getattr(kind, "tz", None))
        told = column if kind == wanted else column.cast(wanted)
        stamps: Stamps = _numbers(told.view(pa.int64()), pa.int64())
        return stamps
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise ValueError(f"it holds {kind}, not times")
    numbers: Floats = _numbers(column, pa.float64())
    if len(numbers) and not (numbers.min() > 0 and numbers.max() < EPOCH_MS_BELOW):
        raise ValueError("the numbers are neither epoch seconds nor milliseconds")
    scaled = np.where(numbers < EPOCH_SECONDS_BELOW, numbers * 1000.0, numbers)
    if (scaled % 1.0).any():
        raise ValueError("the times are finer than a millisecond")
    return scaled.astype(np.int64)


def _numbers(column: Any, kind: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return a column as a numpy array; a value that is missing becomes NaN, if it can."""
    told = column if column.type == kind else column.cast(kind)
    # Neither this nor `_array` goes through pyarrow's own ways from and to numpy: where pandas is
    # installed they import it, which takes seconds.
    return np.from_dlpack(told.fill_null(math.nan) if told.null_count else told)


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
