"""`tickd data verify`: every fault of the store, or of one candle file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daemon.adapters.candles.names import Series, span_of_month
from daemon.adapters.candles.store import CandleStore, Held, read_files
from daemon.app.candle_files import read_file
from daemon.app.cli.data_report import gaps_as_json, minutes_of, say_gaps
from daemon.app.cli.terminal import Terminal
from daemon.core.candles import MINUTE_MS
from daemon.core.columns import (
    Fault,
    GapPolicy,
    RawColumns,
    Span,
    Stamps,
    find_faults,
    find_gaps,
    joined,
    moment_text,
)
from daemon.core.errors import CandleError
from daemon.core.wording import count_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to look at: a market, a file, or all of the store below `root`."""

    root: Path
    what: str | None
    exchange: str | None


@dataclass(slots=True, kw_only=True)
class Found:
    """What was found out about one market or file. `notes` are no faults."""

    name: str
    candles: int = 0
    filled: int = 0
    faults: list[str] = field(default_factory=list)
    gaps: list[Span] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def is_good(self, gaps: GapPolicy) -> bool:
        """Say whether nothing is wrong; gaps are not where they are to be filled."""
        return not self.faults and (gaps == "fill" or not self.gaps)


def verify_candles(terminal: Terminal, scope: Scope, *, gaps: GapPolicy, as_json: bool) -> bool:
    """Tell every fault, and say whether there was none.

    Raises CandleError where there is no such market or file.
    """
    all_found = list(_look(scope))
    is_good = all(found.is_good(gaps) for found in all_found)
    if as_json:
        told = [_for_programs(found, gaps) for found in all_found]
        terminal.say(json.dumps({"good": is_good, "verified": told}))
        return is_good
    for found in all_found:
        _say(terminal, found, gaps)
    return is_good


def _look(scope: Scope) -> Iterator[Found]:
    if scope.what is not None and Path(scope.what).exists():
        yield _look_at_file(Path(scope.what))
        return
    store = CandleStore(scope.root)
    chosen = [
        series
        for series in store.all_series()
        if scope.what in {None, series.symbol} and scope.exchange in {None, series.exchange}
    ]
    if not chosen:
        what = scope.what or "candles"
        raise CandleError(f"there is no file {what} and no such market in {scope.root}")
    for series in chosen:
        yield _look_at_series(store, series)


def _look_at_file(path: Path) -> Found:
    found = Found(name=str(path))
    try:
        read = read_file(path, with_faults=True)
    except CandleError as error:
        found.faults.append(str(error))
        return found
    _judge(found, Held(read.rows, read.is_filled))
    if not found.faults:
        found.gaps = find_gaps(read.rows.timestamp)
    return found


def _look_at_series(store: CandleStore, series: Series) -> Found:
    found = Found(name=str(series))
    months: list[RawColumns] = []
    for path in store.months(series):
        try:
            held = read_files([path])
        except CandleError as error:
            found.faults.append(str(error))
            continue
        before = len(found.faults)
        _judge(found, held, f"{path.name}: ")
        month = span_of_month(path.stem)
        if outside := _count_outside(held.rows.timestamp, month):
            found.faults.append(f"{path.name}: {count_text(outside, 'candle')} of another month")
        if len(found.faults) == before:
            months.append(held.rows)
    rows = joined(months)
    if len(rows.timestamp):
        found.gaps = find_gaps(rows.timestamp)
        found.notes += _partial_months(rows.timestamp)
        # Between two files a price may collapse that is sound in each of them.
        found.faults += [
            fault.text for fault in find_faults(rows) if fault.kind == "prices" and not found.faults
        ]
    return found


def _judge(found: Found, held: Held, where: str = "") -> None:
    found.candles += len(held.rows.timestamp)
    found.filled += int(held.is_filled.sum())
    found.faults += [where + _told(fault) for fault in find_faults(held.rows)]


def _told(fault: Fault) -> str:
    more = f" ({fault.rows_count - 1:,} more such rows)" if fault.rows_count > 1 else ""
    return fault.text + more


def _count_outside(stamps: Stamps, month: Span) -> int:
    return int(((stamps < month.start_ms) | (stamps >= month.stop_ms)).sum())


def _partial_months(stamps: Stamps) -> Iterator[str]:
    """Yield where the first and the last month are not whole: a series begins and ends so."""
    first_ms, stop_ms = int(stamps[0]), int(stamps[-1]) + MINUTE_MS
    starts = moment_text(first_ms)
    ends = moment_text(stop_ms)
    if not starts.endswith("-01 00:00 UTC"):
        yield f"the first month is partial: it begins at {starts}"
    if not ends.endswith("-01 00:00 UTC"):
        yield f"the last month is partial: it ends at {ends}"


def _for_programs(found: Found, gaps: GapPolicy) -> dict[str, Any]:
    return {
        "name": found.name,
        "good": found.is_good(gaps),
        "candles": found.candles,
        "filled": found.filled,
        "faults": found.faults,
        "missing": minutes_of(found.gaps),
        "gaps": gaps_as_json(found.gaps),
        "notes": found.notes,
    }


def _say(terminal: Terminal, found: Found, gaps: GapPolicy) -> None:
    verdict = "ok" if found.is_good(gaps) else "FAULTY"
    terminal.say(f"{found.name}: {verdict}, {count_text(found.candles, 'candle')}")
    for fault in found.faults:
        terminal.say(f"fault      {fault}")
    if found.filled:
        terminal.say(f"filled     {count_text(found.filled, 'minute')}, flat at the close before")
    say_gaps(terminal, found.gaps)
    for note in found.notes:
        terminal.say(f"note       {note}")
