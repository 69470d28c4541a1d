"""What the journal tells of each signal: its story, from the first word to the last."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    Transition,
)
from daemon.core.records import Journaled, TransitionEntry
from daemon.core.signal import SignalRow
from daemon.core.states import Observation

Standing = Literal["waiting", "refused", "open", "closed", "cancelled"]
"""Where a signal is, as far as the journal knows."""

Level = PartialProfitContract | PartialLossContract


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event of a signal, the journal's number of it and the observation that decided it."""

    number: int
    event: Transition
    seen: Observation | None


@dataclass(slots=True, kw_only=True)
class Story:
    """Everything that was told of one signal, in order. `row` is its newest form."""

    row: SignalRow
    told: list[Told] = field(default_factory=list)
    scheduled: SignalScheduled | None = None
    opened: SignalOpened | None = None
    closed: SignalClosed | None = None
    cancelled: SignalCancelled | None = None
    refused: RiskContract | None = None
    levels: list[Level] = field(default_factory=list)

    @property
    def standing(self) -> Standing:
        """Return where the signal is."""
        if self.closed is not None:
            return "closed"
        if self.cancelled is not None:
            return "cancelled"
        if self.opened is not None:
            return "open"
        return "waiting" if self.refused is None else "refused"

    @property
    def begun_ms(self) -> int:
        """Return when the signal was made (UTC epoch ms)."""
        return self.row.scheduled_at

    @property
    def ended_ms(self) -> int | None:
        """Return when it ended, None while it waits or is open."""
        end = self.closed or self.cancelled or (None if self.opened else self.refused)
        return None if end is None else end.at_ms

    def add(self, told: Told, row: SignalRow) -> None:
        """Take one more event into the story. A repeat after a crash is no news."""
        if any(known.event == told.event for known in self.told):
            return
        self.row = row
        self.told.append(told)
        match told.event:
            case SignalScheduled():
                self.scheduled = told.event
            case SignalOpened():
                self.opened = told.event
            case SignalClosed():
                self.closed = told.event
            case SignalCancelled():
                self.cancelled = told.event
            case PartialProfitContract() | PartialLossContract():
                self.levels.append(told.event)
            case RiskContract():
                self.refused = told.event
            case _:
                pass


def row_told_by(event: Transition) -> SignalRow | None:
    """Return the signal that an event is about; None for an error, or before it had an id."""
    match event:
        case SignalScheduled() | SignalOpened() | SignalClosed() | SignalCancelled():
            return event.signal
        case PartialProfitContract() | PartialLossContract():
            return event.data
        case RiskContract(pending_signal=SignalRow() as row):
            return row
        case _:
            return None


def gather_stories(entries: Iterable[Journaled]) -> dict[str, Story]:
    """Return the story of every signal that `entries` tell of, by its id, oldest first."""
    stories: dict[str, Story] = {}
    for journaled in entries:
        entry = journaled.entry
        if not isinstance(entry, TransitionEntry):
            continue
        for event in entry.events:
            row = row_told_by(event)
            if row is not None:
                told = Told(number=journaled.number, event=event, seen=entry.observation)
                stories.setdefault(row.id, Story(row=row)).add(told, row)
    return stories
