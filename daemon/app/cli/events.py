"""`tickd events`: what happened in a time, from the journal: one line an event."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from daemon.app.cli.history_options import known_among, since_ms
from daemon.app.cli.journal import entry_text, event_text, moment_text, time_of
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.whole_journal import read_whole
from daemon.app.config.problems import one_line
from daemon.core.events import Transition, name_of
from daemon.core.records import CandleEntry, Journaled, TransitionEntry
from daemon.core.stories import row_told_by

KINDS = (
    "scheduled", "opened", "partial_profit", "partial_loss", "closed", "cancelled", "risk",
    "error", "exit", "command", "run", "candle",
)  # fmt: skip
"""What may be asked for; candles come only when they are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsWanted:
    """Which events are shown, and how. `since` and `until` are as a person wrote them."""

    kinds: Sequence[str]
    strategies: Sequence[str]
    symbols: Sequence[str]
    signal: str
    since: str | None
    until: str | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened: an event of a task, or an entry of the whole daemon."""

    journaled: Journaled
    kind: str
    at_ms: int
    symbol: str = ""
    strategy: str = ""
    signal_id: str = ""
    event: Transition | None = None

    def is_wanted(self, wanted: EventsWanted) -> bool:
        """Say whether it was asked for, whenever it was."""
        if self.kind not in (wanted.kinds or KINDS[:-1]):
            return False
        if wanted.strategies and self.strategy not in wanted.strategies:
            return False
        if wanted.symbols and self.symbol not in wanted.symbols:
            return False
        return not wanted.signal or self.signal_id.startswith(wanted.signal)


def show_events(terminal: Terminal, folder: Path, wanted: EventsWanted) -> bool:
    """Print what happened, in order; return whether anything did.

    Raises FatalError if there is no journal, BadParameter for what nobody can ask for.
    """
    known_among(wanted.kinds, KINDS, "--kind")
    newest_ms = 0
    told: list[Happening] = []
    for journaled in read_whole(terminal, folder):
        newest_ms = max(newest_ms, time_of(journaled.entry))
        told += [one for one in happenings(journaled) if one.is_wanted(wanted)]
    start_ms = since_ms(wanted.since, "--since", newest_ms)
    end_ms = since_ms(wanted.until, "--until", newest_ms)
    shown = [
        one
        for one in told
        if (start_ms is None or one.at_ms >= start_ms) and (end_ms is None or one.at_ms < end_ms)
    ]
    for one in shown:
        terminal.say(_as_json(one) if wanted.as_json else _as_text(one))
    if not shown and not wanted.as_json:
        terminal.say(f"the journal in {folder} tells of nothing that was asked for")
    return bool(shown)


def happenings(journaled: Journaled) -> Iterator[Happening]:
    """Yield what one entry of the journal tells of."""
    entry = journaled.entry
    if isinstance(entry, TransitionEntry):
        for event in entry.events:
            row = row_told_by(event)
            yield Happening(
                journaled=journaled,
                kind=name_of(event),
                at_ms=event.at_ms,
                symbol=event.symbol,
                strategy=event.strategy_name,
                signal_id=row.id if row is not None else "",
                event=event,
            )
        return
    symbol = entry.symbol if isinstance(entry, CandleEntry) else ""
    yield Happening(journaled=journaled, kind=entry.kind, at_ms=time_of(entry), symbol=symbol)


def _as_text(one: Happening) -> str:
    if one.event is None:
        told = entry_text(one.journaled.entry)
    else:
        task = str(one.event.key) if one.strategy else "daemon"
        told = one_line(f"{task}  {event_text(one.event)}")
    signal = f"  {one.signal_id}" if one.signal_id else ""
    return f"{moment_text(one.at_ms)}  {told}{signal}"


def _as_json(one: Happening) -> str:
    told = asdict(one.event if one.event is not None else one.journaled.entry)
    head = {"number": one.journaled.number, "name": one.kind, "at_ms": one.at_ms}
    return json.dumps({**head, **told}, ensure_ascii=False, default=str)
