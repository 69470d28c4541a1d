"""The one way from candles on disk to columns: for runs over history, replays and checks.

    read_minutes("btc.csv")                                    a file
    read_minutes("data/binance/BTC_USDT", gaps="fill")         a folder of the store
    read_minutes(Stored("binance", "BTC/USDT", start, stop))   a market of the store

`read_minutes` returns `Minutes`: `start_ms` (UTC epoch ms) and the read-only numpy columns `open`,
`high`, `low`, `close`, `volume`, one row per minute without a gap; `filled_count` says how many of
them stand for minutes that were missing. Whatever is wrong is a CandleError of one line.

Files are CSV (timestamp, open, high, low, close, volume in any order; times ISO, naive means UTC,
or epoch seconds or ms), Parquet, or Feather as freqtrade keeps it (date, open, ...): what a file
is, its first bytes say.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from daemon.adapters.candles.formats import kind_of
from daemon.adapters.candles.names import SUFFIX, Series, is_month
from daemon.app.extras import research_libraries
from daemon.core.columns import Flags, GapPolicy, RawColumns, Span, find_faults, moment_text
from daemon.core.errors import CandleError, RejectedError
from daemon.research.columns import Minutes, checked_minutes, columns_of

DEFAULT_ROOT = Path("data")
EVER_MS = 1 << 62
"""Later than any candle."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A market's candles in the store below `root`, from `start_ms` to before `stop_ms`.

    Times are UTC epoch ms; None takes what there is.
    """

    exchange: str
    symbol: str
    start_ms: int | None = None
    stop_ms: int | None = None
    root: Path = DEFAULT_ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Rows as they stand on disk; `is_filled` marks those that stand for a missing minute."""

    rows: RawColumns
    is_filled: Flags


def read_minutes(source: Stored | Path | str, *, gaps: GapPolicy = "refuse") -> Minutes:
    """Return the candles of a file, a folder of the store, or a market of it, checked.

    Missing minutes are refused, or filled flat with volume 0 and counted where `gaps` is "fill";
    an end that is missing is always refused. Raises CandleError in one line that begins with what
    was read, and MissingLibraryError.
    """
    read = read_stored(source) if isinstance(source, Stored) else read_file(Path(source))
    name = _name_of(source)
    try:
        minutes = checked_minutes(read.rows, gaps)
    except CandleError as error:
        raise CandleError(f"{name}: {error}") from None
    if isinstance(source, Stored):
        _check_ends(source, minutes)
    filled = int(read.is_filled.sum())
    return replace(minutes, filled_count=minutes.filled_count + filled) if filled else minutes


def read_file(path: Path, *, with_faults: bool = False) -> Read:
    """Return what a candle file or a folder of the store holds, as it stands.

    A fault in a text is told at once, with its line, unless `with_faults` wants the rows all the
    same. Raises CandleError where it is missing or is no candle file, and MissingLibraryError.
    """
    try:
        kind = kind_of(path)
        if kind == "text":
            return _unfilled(_read_text(path, with_faults=with_faults))
        if kind == "folder":
            return _read_folder(path)
        with research_libraries(f"{path}: reading {kind} files"):
            from daemon.adapters.candles.arrow import read_month  # noqa: PLC0415 - an extra
        month = read_month(path)
        return Read(rows=month.rows, is_filled=month.is_filled)
    except OSError as error:
        raise CandleError(f"{path}: {error.strerror or error}") from error


def read_stored(source: Stored) -> Read:
    """Return what the store has of a market, as it stands. Raises CandleError."""
    with research_libraries("the store of candles"):
        from daemon.adapters.candles.store import CandleStore  # noqa: PLC0415 - an extra
    store = CandleStore(source.root)
    series = Series(source.exchange, source.symbol)
    if not store.months(series):
        there = ", ".join(map(str, store.all_series())) or "nothing"
        raise CandleError(
            f"{series}: there are no candles in {source.root} (there: {there}); "
            f"tickd data fetch {source.symbol} --exchange {source.exchange} gets them"
        )
    held = store.read(series, _span_of(source))
    return Read(rows=held.rows, is_filled=held.is_filled)


def _read_folder(path: Path) -> Read:
    with research_libraries(f"{path}: reading a folder of candles"):
        from daemon.adapters.candles.store import read_files  # noqa: PLC0415 - an extra
    files = sorted(p for p in path.glob(f"*{SUFFIX}") if is_month(p.stem))
    if not files:
        raise CandleError(f"{path}: the folder holds no candles (2025-01{SUFFIX})")
    held = read_files(files)
    return Read(rows=held.rows, is_filled=held.is_filled)


def _span_of(source: Stored) -> Span | None:
    if source.start_ms is None and source.stop_ms is None:
        return None
    return Span(source.start_ms or 0, EVER_MS if source.stop_ms is None else source.stop_ms)


def _check_ends(source: Stored, minutes: Minutes) -> None:
    """Raise CandleError where the store begins later or ends earlier than was asked."""
    is_late = source.start_ms is not None and minutes.start_ms > source.start_ms
    is_early = source.stop_ms is not None and minutes.end_ms < source.stop_ms
    if is_late or is_early:
        there = f"{moment_text(minutes.start_ms)} to {moment_text(minutes.end_ms)}"
        raise CandleError(
            f"{_name_of(source)}: the store has {there} of what was asked for; "
            "tickd data fetch gets the rest"
        )


def _name_of(source: Stored | Path | str) -> str:
    return f"{source.symbol} on {source.exchange}" if isinstance(source, Stored) else str(source)


def _read_text(path: Path, *, with_faults: bool) -> RawColumns:
    """Return the rows of a CSV file: fast where all is well, else line by line to find the fault.

    Both ways read the same; the fast one needs pyarrow.
    """
    try:
        from daemon.adapters.candles.arrow import read_csv  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        quick = None
    else:
        quick = read_csv(path)
    if quick is not None and (with_faults or not any(find_faults(quick))):
        return quick
    # Only where there is a fault to find, or no pyarrow.
    from daemon.simulation.candle_file import parse_candles  # noqa: PLC0415 - see above

    try:
        with path.open(encoding="utf-8-sig") as lines:
            return columns_of(parse_candles(lines))
    except UnicodeDecodeError:
        raise CandleError(f"{path}: it is neither text, Parquet nor Feather") from None
    except RejectedError as error:
        raise CandleError(f"{path}: {error}") from error


def _unfilled(rows: RawColumns) -> Read:
    return Read(rows=rows, is_filled=np.zeros(len(rows.timestamp), dtype=np.bool_))
