"""A market that runs over history read: a seeded walk of one-minute candles, as columns."""

from pathlib import Path

import numpy as np

from daemon.core.candles import MINUTE_MS
from daemon.research.columns import Minutes, RawColumns, checked_minutes

START_MS = 1_735_689_600_000
"""2025-01-01 00:00 UTC."""
STEP = 0.0005
"""The deviation of a minute's move, as a share of the price: 38 % in a year."""


def a_market(minute_count: int, seed: int = 1) -> Minutes:
    """Return so many minutes around a price of 100; the same seed gives the same ones."""
    rng = np.random.default_rng(seed)
    moves = rng.standard_normal(minute_count)
    moves *= STEP
    # It comes back in the long run, so that a century does not end at nothing.
    close = np.cumsum(moves, out=moves)
    close -= np.linspace(0.0, close[-1], minute_count)
    np.exp(close, out=close)
    close *= 100.0
    opened = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(opened, close) * 1.0003
    low = np.minimum(opened, close) * 0.9997
    stamps = START_MS + MINUTE_MS * np.arange(minute_count, dtype=np.int64)
    return checked_minutes(RawColumns(stamps, opened, high, low, close, np.ones(minute_count)))


def write_market(minutes: Minutes, path: Path) -> None:
    """Write `minutes` as a file of Parquet."""
    import pyarrow as pa  # noqa: PLC0415 - not for every child
    import pyarrow.parquet  # noqa: PLC0415 - as above

    stamps = range(minutes.start_ms, minutes.end_ms, MINUTE_MS)
    names = ("open", "high", "low", "close", "volume")
    columns = {name: getattr(minutes, name) for name in names}
    table = pa.table({"timestamp": np.array(stamps, dtype=np.int64), **columns})
    pyarrow.parquet.write_table(table, path)
