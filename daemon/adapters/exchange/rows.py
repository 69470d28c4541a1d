"""From ccxt's lists to candles; ccxt itself lets rows of None and single characters pass."""

from collections.abc import Sequence
from math import nan
from typing import Any

from daemon.core.candles import INTERVAL_MS, Candle, merge
from daemon.core.errors import UntrustedDataError

COLUMNS = len(Candle._fields)


def read_rows(answer: object, what: str) -> list[Candle]:
    """Return an answer's rows as candles. Raises UntrustedDataError if one is none."""
    if not isinstance(answer, list):
        raise UntrustedDataError(f"{what}: the answer is no list of candles")
    rows: list[Candle] = []
    for number, row in enumerate(answer):
        candle = read_row(row) if isinstance(row, list) else None
        if candle is None:
            raise UntrustedDataError(f"{what}: row {number} is no candle: {str(row)[:80]}")
        rows.append(candle)
    return rows


def read_row(row: Sequence[Any]) -> Candle | None:
    """Return a row as a candle, None if it has no time; a value that is no number is NaN."""
    if len(row) < COLUMNS or not isinstance(row[0], int) or isinstance(row[0], bool):
        return None
    opened, high, low, closed, volume = map(_number, row[1:COLUMNS])
    return Candle(row[0], opened, high, low, closed, volume)


def regrouped(rows: Sequence[Candle], interval: str) -> list[Candle]:
    """Return candles of `interval` made of finer ones; a first one that began earlier is left out.

    The last one may still be forming, as the last of `rows` may.
    """
    length_ms = INTERVAL_MS[interval]
    groups: dict[int, list[Candle]] = {}
    for row in rows:
        groups.setdefault(row.timestamp // length_ms * length_ms, []).append(row)
    if rows and rows[0].timestamp % length_ms:
        del groups[rows[0].timestamp // length_ms * length_ms]
    return [merge(parts, begun_ms) for begun_ms, parts in groups.items()]


def _number(value: object) -> float:
    if type(value) is float:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return nan
    return nan
