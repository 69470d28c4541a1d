"""Where runs over history take their candles from: what a program hands over, or a file."""

from collections.abc import Sequence
from pathlib import Path

from daemon.app.candle_files import read_minutes
from daemon.app.registry import UnknownNameError
from daemon.core.candles import Candle
from daemon.research.columns import GapPolicy, Minutes, minutes_of

CandleSource = Minutes | Sequence[Candle] | str | Path
"""Checked columns, one-minute candles oldest first, or the path of a file (CSV, Parquet,
Feather) or of a folder of the store."""

_HISTORIES: dict[tuple[str, str], Minutes] = {}


def add_history(
    symbol: str,
    candles: CandleSource,
    *,
    exchange_name: str = "sandbox",
    gaps: GapPolicy = "refuse",
) -> Minutes:
    """Let runs over history take the candles of `symbol` on that exchange from `candles`.

    Candles that were given before are replaced. Raises CandleError, in one line, for candles that
    cannot be used: none or one, reversed or doubled rows, numbers that no candle has, missing
    minutes unless `gaps` is "fill", or a file that is missing or no candle file.
    """
    minutes = read_history(candles, gaps=gaps)
    _HISTORIES[exchange_name, symbol] = minutes
    return minutes


def read_history(candles: CandleSource, *, gaps: GapPolicy = "refuse") -> Minutes:
    """Return `candles` as columns. Raises CandleError."""
    if isinstance(candles, Minutes):
        return candles
    if isinstance(candles, str | Path):
        return read_minutes(Path(candles), gaps=gaps)
    return minutes_of(candles, gaps)


def history(exchange_name: str, symbol: str) -> Minutes:
    """Return the candles of `symbol`. Raises UnknownNameError, naming what there is."""
    minutes = _HISTORIES.get((exchange_name, symbol))
    if minutes is None:
        known = ", ".join(f"{name} on {exchange}" for exchange, name in _HISTORIES) or "none"
        raise UnknownNameError(
            f"there are no candles of {symbol} on {exchange_name} (candles: {known}): "
            f"add_history({symbol!r}, ...) gives them"
        )
    return minutes
