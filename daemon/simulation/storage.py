"""State, journal and cursors in memory: for virtual time, where a real disk would cost real time.

A `MemoryDisk` outlives the stores on it, as a disk outlives a daemon: a run that was crashed goes
on with new stores on the same disk. Faults are asked of a hook before each operation.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from daemon.core.errors import FatalError, TransientError
from daemon.core.journal_index import JournalIndex
from daemon.core.records import (
    Follower,
    Journaled,
    JournalEntry,
    PartialRecord,
    RiskRecord,
    ScheduleRecord,
    SignalRecord,
    StateFault,
    StoredState,
    Truth,
    TruthKind,
)
from daemon.core.signal import Key

Operation = Literal["load", "save", "follow", "append", "read", "load_cursor", "save_cursor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskTrouble:
    """What goes wrong with one operation.

    It takes `delay_s` longer (loop time); then `error` is raised, if one is given, instead of the
    effect or, with `is_after`, after it: the disk has it and the caller does not know.
    """

    delay_s: float = 0.0
    error: TransientError | None = None
    is_after: bool = False


FaultHook = Callable[[Operation, str], DiskTrouble | None]
"""Asked with the operation and what it is about (a file, a sink, or nothing)."""


def no_faults(operation: Operation, subject: str) -> DiskTrouble | None:  # noqa: ARG001 (a hook)
    """Let everything succeed at once."""
    return None


@dataclass(slots=True, kw_only=True)
class MemoryDisk:
    """What is durable. `faults` are told at the next load, and block as they say."""

    signals: dict[Key, SignalRecord] = field(default_factory=dict)
    schedules: dict[Key, ScheduleRecord] = field(default_factory=dict)
    sequences: dict[tuple[TruthKind, Key], int] = field(default_factory=dict)
    risks: dict[tuple[str, str], RiskRecord] = field(default_factory=dict)
    partials: dict[str, PartialRecord] = field(default_factory=dict)
    faults: list[StateFault] = field(default_factory=list)
    entries: list[Journaled] = field(default_factory=list)
    index: JournalIndex = field(default_factory=JournalIndex)
    cursors: dict[str, int] = field(default_factory=dict)


class _Troubled:
    """Runs an effect with the trouble that the hook has for it."""

    def __init__(self, disk: MemoryDisk, hook: FaultHook = no_faults) -> None:
        self.disk = disk
        self._hook = hook
        self._locks: dict[str, asyncio.Lock] = {}

    async def _do(self, operation: Operation, subject: str, effect: Callable[[], None]) -> None:
        """Have `effect` in one piece, one at a time for each subject."""
        async with self._locks.setdefault(subject, asyncio.Lock()):
            trouble = self._hook(operation, subject) or DiskTrouble()
            # A disk always lets others run meanwhile; so does this one.
            await asyncio.sleep(trouble.delay_s)
            if trouble.error is None or trouble.is_after:
                effect()
            if trouble.error is not None:
                raise trouble.error


class MemoryStateStore(_Troubled):
    """The state store port in memory."""

    async def load(self) -> StoredState:
        """Return everything on the disk but what its faults block."""
        await self._do("load", "", lambda: None)
        blocked = self._blocked()
        return StoredState(
            signals=tuple(r for r in self.disk.signals.values() if r.key not in blocked),
            schedules=tuple(r for r in self.disk.schedules.values() if r.key not in blocked),
            faults=tuple(self.disk.faults),
            sequences=dict(self.disk.sequences),
        )

    async def save(self, record: Truth) -> int:
        """Keep a record; return its number. Raises what the hook says, FatalError if blocked."""
        if record.key in self._blocked():
            raise FatalError(f"{record.key} waits for: tickd state repair")
        file: TruthKind = "signal" if isinstance(record, SignalRecord) else "schedule"
        seq = self.disk.sequences.get((file, record.key), 0)

        def effect() -> None:
            nonlocal seq
            seq = self.disk.sequences.get((file, record.key), 0) + 1
            self.disk.sequences[file, record.key] = seq
            if isinstance(record, SignalRecord):
                self.disk.signals[record.key] = record
            else:
                self.disk.schedules[record.key] = record

        await self._do("save", f"{file} {record.key}", effect)
        return seq

    async def follow(self, record: Follower) -> None:
        """Keep a risk or partial record. Raises what the hook says."""

        def effect() -> None:
            if isinstance(record, RiskRecord):
                self.disk.risks[record.risk_name, record.symbol] = record
            else:
                self.disk.partials[record.symbol] = record

        await self._do("follow", record.symbol, effect)

    def _blocked(self) -> set[Key]:
        return {
            fault.key for fault in self.disk.faults if fault.is_blocking and fault.key is not None
        }


class MemoryJournal(_Troubled):
    """The journal port in memory."""

    @property
    def last_number(self) -> int:
        """Return the number of the newest entry, 0 for none."""
        return self.disk.index.number

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        """Append what is new, in one piece. Raises what the hook says."""

        def effect() -> None:
            for entry in self.disk.index.news(entries):
                number = self.disk.index.number + 1
                self.disk.index.note(entry, number)
                self.disk.entries.append(Journaled(number=number, entry=entry))

        await self._do("append", "", effect)

    async def read(self, after: int, limit: int) -> Sequence[Journaled]:
        """Return up to `limit` entries with numbers above `after`, in order."""
        await self._do("read", "read", lambda: None)
        return tuple(self.disk.entries[after : after + limit])


class MemoryCursorStore(_Troubled):
    """The cursor store port in memory."""

    async def load_cursor(self, sink: str) -> int | None:
        """Return the number of the last entry that `sink` has dealt with, None if never."""
        await self._do("load_cursor", sink, lambda: None)
        return self.disk.cursors.get(sink)

    async def save_cursor(self, sink: str, number: int) -> None:
        """Note that `sink` has dealt with all entries up to `number`."""

        def effect() -> None:
            self.disk.cursors[sink] = number

        await self._do("save_cursor", sink, effect)
