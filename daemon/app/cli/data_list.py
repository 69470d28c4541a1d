"""`tickd data list`: what is in the store."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from daemon.adapters.candles.names import Series
from daemon.adapters.candles.spans import runs_of, without
from daemon.adapters.candles.store import CandleStore
from daemon.app.cli.terminal import Terminal
from daemon.core.candles import MINUTE_MS
from daemon.core.columns import Span, moment_text
from daemon.core.errors import CandleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One market of the store: its stretch (UTC epoch ms) and counts of minutes."""

    exchange: str
    symbol: str
    from_ms: int
    to_ms: int
    candles: int
    missing: int
    filled: int
    bytes: int
    problem: str = ""


def list_candles(terminal: Terminal, root: Path, *, as_json: bool) -> None:
    """Tell of every market in the store; one whose files cannot be read says so."""
    store = CandleStore(root)
    entries = [_entry(store, series) for series in store.all_series()]
    if as_json:
        terminal.say(json.dumps([asdict(entry) for entry in entries]))
        return
    if not entries:
        terminal.say(f"there are no candles in {root}: tickd data fetch or import brings some")
        return
    table = Table("exchange", "symbol", "from", "to", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("candles", "missing", "filled", "MiB"):
        table.add_column(name, justify="right")
    for entry in entries:
        if entry.problem:
            table.add_row(entry.exchange, entry.symbol, entry.problem)
            continue
        table.add_row(
            entry.exchange,
            entry.symbol,
            moment_text(entry.from_ms),
            moment_text(entry.to_ms),
            f"{entry.candles:,}",
            f"{entry.missing:,}",
            f"{entry.filled:,}",
            f"{entry.bytes / (1 << 20):.2f}",
        )
    terminal.console().print(table)


def _entry(store: CandleStore, series: Series) -> Entry:
    size = sum(path.stat().st_size for path in store.months(series))
    entry = Entry(
        **series._asdict(), from_ms=0, to_ms=0, candles=0, missing=0, filled=0, bytes=size
    )
    try:
        held = store.read(series)
    except CandleError as error:
        return replace(entry, problem=str(error))
    stamps = held.rows.timestamp
    if not len(stamps):
        return replace(entry, problem="its files hold no candles")
    span = Span(int(stamps.min()), int(stamps.max()) + MINUTE_MS)
    return replace(
        entry,
        from_ms=span.start_ms,
        to_ms=span.stop_ms,
        candles=len(stamps),
        missing=sum(gap.minutes for gap in without(span, runs_of(stamps))),
        filled=int(held.is_filled.sum()),
    )
