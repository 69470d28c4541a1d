"""Small columns of candles."""

import numpy as np

from daemon.core.columns import RawColumns
from tests.core.samples import MINUTE

JANUARY = 1_735_689_600_000
"""2025-01-01 00:00 UTC."""

FEBRUARY = JANUARY + 31 * 1440 * MINUTE


def some_rows(start_ms: int = JANUARY, count: int = 5, close: float = 101.0) -> RawColumns:
    """Return minutes from `start_ms` on, each with numbers of its own."""
    minutes = np.arange(count)
    stamps = start_ms + minutes * MINUTE
    wave = (stamps // MINUTE % 97).astype(np.float64)
    columns = [np.add(wave, base, dtype=np.float64) for base in (100.0, 103.0, 99.0, close, 1.5)]
    return RawColumns(stamps, *columns)


def as_lists(rows: RawColumns) -> list[list[float]]:
    """Return columns for comparison."""
    return [column.tolist() for column in rows]
