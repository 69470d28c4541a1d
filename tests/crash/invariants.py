"""What must hold of a state folder and of what the world was told, after a kill and at rest.

Pure: it is given what the daemon's own loaders read and what somebody outside has heard, and
returns what is wrong, in words. The same laws judge killed processes and the daemon in memory.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

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
)
from daemon.core.fields import flat_fields, log_name
from daemon.core.held import restored
from daemon.core.records import Journaled, StoredState, TransitionEntry, Truth
from daemon.core.signal import SignalRow
from daemon.core.states import Active, Idle, Scheduled

WARNINGS = frozenset({"gap", "event_loop"})
"""Troubles that are no fault of the daemon's: the market moved while a killed one did not watch,
and a machine on which much else runs held its loop up. They count among what arrived.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event as the world has it. `signal_id` is empty and `level` 0 where it has none."""

    number: int
    id: str
    name: str
    key: str
    signal_id: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a start reads from a state folder."""

    stored: StoredState
    entries: Sequence[Journaled]

    @property
    def journaled(self) -> list[Told]:
        """Return every event of the journal."""
        return [
            told_of(item.number, event)
            for item in self.entries
            if isinstance(item.entry, TransitionEntry)
            for event in item.entry.events
        ]


def told_of(number: int, event: Transition) -> Told:
    """Return `event` as the world is told of it under the journal's `number`."""
    fields = flat_fields(event)
    return Told(
        number=number,
        id=event.id,
        name=log_name(event),
        key=str(event.key),
        signal_id=str(fields.get("signal_id", "")),
        level=int(fields.get("level_percent", 0)),
    )


def faults_after_kill(image: Image, told: Sequence[Told]) -> list[str]:
    """Return what is wrong with a folder after a kill, given what the world had heard by then.

    Everything that was heard is in the journal; what the files hold is what the journal and the
    events still to be journaled come to, for every key.
    """
    journaled = {item.id for item in image.journaled}
    faults = [f"{item} was heard and is not in the journal" for item in set(told) - _all(image)]
    faults += [f"a person is needed: {fault.message}" for fault in image.stored.faults]
    stories = _stories(image, journaled)
    held = _held(image.stored)
    for key in {*stories, *held}:
        story = stories.get(key, _Story())
        faults += [f"{key}: {text}" for text in story.faults]
        files = held.get(key, "idle")
        if files != story.standing:
            faults.append(f"{key}: the files hold {files}, the events say {story.standing}")
    return faults


def faults_at_rest(image: Image, told: Sequence[Told]) -> list[str]:
    """Return what is wrong once a daemon that was killed has come to rest again.

    Each event arrived, in the journal's order, and no fact has two ids; nothing is left open;
    nobody had to be called.
    """
    faults = faults_after_kill(image, told)
    arrived = Counter(told)
    faults += [f"{item} never arrived" for item in image.journaled if item not in arrived]
    numbers = [item.number for item in arrived]
    if numbers != sorted(numbers):
        faults.append(f"events first arrived out of order: {numbers}")
    faults += _facts_with_two_ids([*image.journaled, *told])
    faults += [f"{key} still holds {what}" for key, what in _held(image.stored).items()]
    faults += [
        f"{event.where}: {event.error}: {event.message}"
        for item in image.entries
        if isinstance(item.entry, TransitionEntry)
        for event in item.entry.events
        if isinstance(event, ErrorContract | ExitContract) and event.where not in WARNINGS
    ]
    return faults


@dataclass(slots=True)
class _Story:
    """The events of one key in order: what they come to, and where they contradict each other."""

    waiting: str = ""
    open: str = ""
    levels: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    faults: list[str] = field(default_factory=list)

    @property
    def standing(self) -> str:
        if self.open:
            profit, loss = self.levels
            return f"open {self.open} {profit} {loss}"
        return f"waiting {self.waiting}" if self.waiting else "idle"

    def tell(self, event: Transition) -> None:
        match event:
            case SignalScheduled():
                self._need("", "", event.action)
                self.waiting = event.signal.id
            case SignalCancelled():
                self._need(event.signal.id, "", event.action)
                self.waiting = ""
            case SignalOpened():
                self._need(event.signal.id if self.waiting else "", "", event.action)
                self.waiting, self.open, self.levels = "", event.signal.id, ([], [])
            case PartialProfitContract() | PartialLossContract():
                self._need("", event.data.id, f"{event.kind} {event.level}")
                self._reach(event)
            case SignalClosed():
                self._need("", event.signal.id, event.action)
                self.open = ""
            case RiskContract():
                # Only at its activation has a refused signal a row already: it is dropped then.
                if isinstance(event.pending_signal, SignalRow):
                    self._need(event.pending_signal.id, "", "refused")
                    self.waiting = ""
            case ErrorContract() | ExitContract():
                pass

    def _reach(self, event: PartialProfitContract | PartialLossContract) -> None:
        levels = self.levels[isinstance(event, PartialLossContract)]
        if levels and event.level <= levels[-1]:
            self.faults.append(f"level {event.level} after {levels} of {event.data.id}")
        levels.append(event.level)

    def _need(self, waiting: str, open_: str, what: str) -> None:
        if (self.waiting, self.open) != (waiting, open_):
            self.faults.append(f"{what} of {waiting or open_ or 'a new one'} while {self.standing}")


def _stories(image: Image, journaled: Iterable[str]) -> dict[str, _Story]:
    known = set(journaled)
    stored = image.stored
    records: list[Truth] = [*stored.signals, *stored.schedules]
    waiting = [event for record in records for event in record.outbox if event.id not in known]
    events = [
        event
        for item in image.entries
        if isinstance(item.entry, TransitionEntry)
        for event in item.entry.events
    ]
    # The order of a list is kept by a stable sort: events of one write stay as they were.
    events += sorted(waiting, key=_at_ms)
    stories: dict[str, _Story] = {}
    for event in events:
        stories.setdefault(str(event.key), _Story()).tell(event)
    return stories


def _at_ms(event: Transition) -> int:
    return event.at_ms


def _held(stored: StoredState) -> dict[str, str]:
    """Return what each key holds by its files, without those that hold nothing."""
    signals = {record.key: record for record in stored.signals}
    schedules = {record.key: record for record in stored.schedules}
    found: dict[str, str] = {}
    for key in {*signals, *schedules}:
        held = restored(key, signals.get(key), schedules.get(key))
        match held.state:
            case Idle():
                pass
            case Scheduled(signal=row):
                found[str(key)] = f"waiting {row.id}"
            case Active(signal=row, profit_levels=profit, loss_levels=loss):
                found[str(key)] = f"open {row.id} {list(profit)} {list(loss)}"
            case other:
                found[str(key)] = f"half way: {other}"
    return found


def _facts_with_two_ids(told: Iterable[Told]) -> list[str]:
    ids: dict[tuple[str, str, int], set[str]] = {}
    for item in told:
        if item.signal_id:
            ids.setdefault((item.signal_id, item.name, item.level), set()).add(item.id)
    return [f"{fact} has the ids {sorted(them)}" for fact, them in ids.items() if len(them) > 1]


def _all(image: Image) -> set[Told]:
    return set(image.journaled)
