"""`tickd data import`: a file of candles into the store. One with a fault changes nothing there."""

import json
from dataclasses import dataclass
from pathlib import Path

from daemon.adapters.candles.names import Series
from daemon.adapters.candles.store import CandleStore
from daemon.app.candle_files import read_file
from daemon.app.cli.data_report import say_use
from daemon.app.cli.terminal import Terminal
from daemon.core.candles import MINUTE_MS
from daemon.core.columns import GapPolicy, RawColumns, Span, find_gaps, moment_text, told_of_gaps
from daemon.core.errors import CandleError
from daemon.core.wording import count_text
from daemon.research.columns import checked_minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Which file to take, as which market. `is_replacing` lets it win over what is there."""

    file: Path
    root: Path
    exchange: str
    symbol: str
    gaps: GapPolicy
    is_replacing: bool


def import_candles(terminal: Terminal, wanted: Import, *, as_json: bool) -> None:
    """Write the candles of the file into the store and tell what came of it.

    Raises CandleError for a file that cannot be used, or that says otherwise than the store;
    nothing is written then. Raises StateLockedError where somebody else writes. Interrupted, it
    leaves whole months.
    """
    rows = _sound_rows(wanted)
    store, series = CandleStore(wanted.root), Series(wanted.exchange, wanted.symbol)
    span = Span(int(rows.timestamp[0]), int(rows.timestamp[-1]) + MINUTE_MS)
    with store.writing(series):
        if not wanted.is_replacing and (count := store.differing(series, rows)):
            minutes = "minute has" if count == 1 else "minutes have"
            raise CandleError(
                f"{wanted.file}: {count:,} {minutes} other candles in the store already: "
                "--replace lets the file win"
            )
        try:
            added = store.add(series, rows)
            filled = store.fill(series, span) if wanted.gaps == "fill" else 0
        except KeyboardInterrupt:
            terminal.note(
                "interrupted: the months that were written are whole and stay; the same command "
                "takes the rest"
            )
            raise
    told = {
        **series._asdict(),
        "from_ms": span.start_ms,
        "to_ms": span.stop_ms,
        "rows": len(rows.timestamp),
        "new": added.new,
        "replaced": added.changed,
        "filled": filled,
    }
    if as_json:
        terminal.say(json.dumps(told))
        return
    since, until = moment_text(span.start_ms), moment_text(span.stop_ms)
    terminal.say(f"{series}: {since} to {until}")
    terminal.say(f"imported   {count_text(added.new, 'new minute')} of {len(rows.timestamp):,}")
    if added.changed:
        terminal.say(
            f"replaced   {count_text(added.changed, 'minute')}, there before with other values"
        )
    if filled:
        terminal.say(f"filled     {count_text(filled, 'minute')}, flat at the close before")
    say_use(terminal, series)


def _sound_rows(wanted: Import) -> RawColumns:
    read = read_file(wanted.file)
    # What stands for a missing minute in somebody's store is missing in ours, until it is filled.
    rows = read.rows.taken(~read.is_filled)
    try:
        checked_minutes(rows, "fill")
    except CandleError as error:
        raise CandleError(f"{wanted.file}: {error}") from None
    gaps = find_gaps(rows.timestamp)
    if gaps and wanted.gaps == "refuse":
        raise CandleError(f"{wanted.file}: {told_of_gaps(gaps)}")
    return rows
