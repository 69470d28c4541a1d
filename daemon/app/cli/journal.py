"""Printing the journal: its newest entries, and whether it is whole."""

import json
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

from daemon.adapters.storage.journal_tools import read_events, verify_journal
from daemon.app.cli.terminal import Terminal
from daemon.app.config.problems import one_line
from daemon.core.events import (
    ErrorContract,
    ExitContract,
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    Transition,
    name_of,
)
from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    Journaled,
    JournalEntry,
    RunEntry,
    StopEntry,
    TransitionEntry,
)
from daemon.core.signal import SignalRow

POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are shown, and how."""

    lines: int
    with_candles: bool
    as_json: bool


def tail_journal(terminal: Terminal, path: Path, wanted: Wanted, *, follow: bool) -> None:
    """Print the newest entries; with `follow` also what comes, until it is interrupted.

    Raises FatalError if there is no journal.
    """
    newest: deque[Journaled] = deque(maxlen=wanted.lines)
    number = 0
    for journaled in read_events(path):
        number = journaled.number
        if wanted.with_candles or not isinstance(journaled.entry, CandleEntry):
            newest.append(journaled)
    _print(terminal, newest, wanted)
    while follow:
        time.sleep(POLL_S)
        for journaled in read_events(path, number):
            number = journaled.number
            if wanted.with_candles or not isinstance(journaled.entry, CandleEntry):
                _print(terminal, [journaled], wanted)


def check_journal(terminal: Terminal, path: Path, *, as_json: bool) -> bool:
    """Print what the journal came to; return whether it is whole. Raises FatalError."""
    check = verify_journal(path)
    if as_json:
        terminal.say(json.dumps({**asdict(check), "is_sound": check.is_sound}, indent=2))
        return check.is_sound
    terminal.say(
        f"{check.entry_count} entries, numbers {check.first_number} to {check.last_number},"
        f" in {', '.join(check.segments) or 'no file'}"
    )
    for first, last in check.gaps:
        terminal.say(f"fail  entries {first + 1} to {last - 1} are missing")
    for line in check.bad_lines:
        terminal.say(f"fail  {line.segment}: {line.length} bytes at {line.start} are damaged")
    if check.torn_bytes:
        terminal.say(f"ok    {check.torn_bytes} bytes at the end: a write under way, or cut")
    if check.void_count:
        terminal.say(f"ok    {check.void_count} entries were written in vain")
    if check.kept_aside:
        terminal.say(f"ok    moved aside earlier: {', '.join(check.kept_aside)}")
    return check.is_sound


def entry_text(entry: JournalEntry) -> str:
    """Return an entry as one line of plain text, without its time."""
    match entry:
        case TransitionEntry():
            return one_line(f"{entry.key}  " + "; ".join(map(event_text, entry.events)))
        case CandleEntry():
            row = entry.candle
            told = f"{row.open:g} {row.high:g} {row.low:g} {row.close:g} volume {row.volume:g}"
            return f"{entry.symbol}  candle {told}"
        case RunEntry():
            return f"run of tickd {entry.version}, configuration {entry.config_hash}"
        case CommandEntry():
            who = f"{entry.origin} ({entry.identity})" if entry.identity else entry.origin
            told = f": {entry.result}" if entry.result else ""
            return one_line(f"{entry.command} {entry.target} by {who}{told}")
        case StopEntry():
            return f"stopped with {entry.open_count} open or waiting signals"
        case _:
            assert_never(entry)


def event_text(event: Transition) -> str:
    """Return what happened in a few words."""
    name, price = name_of(event), getattr(event, "current_price", 0.0)
    match event:
        case SignalScheduled() | SignalOpened():
            return f"{name} {_signal(event.signal)} at {price:g}"
        case SignalClosed():
            gain = f"{event.pnl.pnl_percentage:+.2f} %"
            return f"{name} by {event.close_reason} at {price:g}, {gain}"
        case SignalCancelled():
            return f"{name} by {event.reason} at {price:g}"
        case PartialProfitContract() | PartialLossContract():
            return f"{name} {event.level} at {price:g}"
        case RiskContract():
            return f"{name} {event.risk_name} refused: {event.comment}"
        case ErrorContract() | ExitContract():
            return f"{name} in {event.where}: {event.error}: {event.message}"
        case _:
            assert_never(event)


def moment_text(at_ms: int) -> str:
    """Return UTC epoch ms as people read it; a time beyond the calendar stays a number."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return str(at_ms)


def time_of(entry: JournalEntry) -> int:
    """Return the market time of an entry in UTC epoch ms."""
    return entry.candle.timestamp if isinstance(entry, CandleEntry) else entry.at_ms


def _signal(row: SignalRow) -> str:
    return (
        f"{row.position} {row.price_open:g}"
        f" (target {row.price_take_profit:g}, stop {row.price_stop_loss:g})"
    )


def _print(terminal: Terminal, entries: Iterable[Journaled], wanted: Wanted) -> None:
    for journaled in entries:
        if wanted.as_json:
            told = {"number": journaled.number, **asdict(journaled.entry)}
            terminal.say(json.dumps(told, default=str))
        else:
            moment = moment_text(time_of(journaled.entry))
            terminal.say(f"{journaled.number:>6}  {moment}  {entry_text(journaled.entry)}")
