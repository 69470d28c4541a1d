"""Keeps one key: a step is saved, then journaled, then announced, and only then acted on.

The step that was computed is kept until it is on disk: a failing write is tried again with the
same ids and prices, and the key takes no other input before.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from daemon.core.errors import TransientError
from daemon.core.events import Announcement
from daemon.core.held import Held, held_after, record_of, signal_record
from daemon.core.records import ScheduleRecord, SignalRecord, TransitionEntry, Truth
from daemon.core.risk import RiskRequest
from daemon.core.states import Idle, Observation, Scheduled, at_risk, row_of
from daemon.core.trader import Advance, Desk, refusal_event, undo
from daemon.live.health import Health, backoff_s
from daemon.live.timings import Timings
from daemon.live.troubles import Troubles
from daemon.ports import Journal, StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Where every keeper writes and tells: shared by all keys."""

    store: StateStore
    journal: Journal
    announce: Callable[[Sequence[Announcement]], None]
    health: Health
    troubles: Troubles
    timings: Timings
    spawn: Callable[[Coroutine[object, object, Advance]], "asyncio.Task[Advance]"]
    has_changed: Callable[[Held], None]


class Keeper:
    """The durable memory of one key. `held` is always what is on disk."""

    def __init__(
        self, held: Held, desk: Desk, ledger: Ledger, *, is_schedule_stale: bool = False
    ) -> None:
        self.held = held
        self._desk = desk
        self._ledger = ledger
        self._is_schedule_stale = is_schedule_stale
        self._writing = asyncio.Lock()

    async def commit(self, after: Advance, seen: Observation) -> Advance:
        """Make `after` durable and announce its events; return what really came of it.

        That differs from `after` only where its write failed and risk refused the entry before
        it could be tried again. A cancelled caller does not undo it: the write goes on.
        """
        if self._frees_slot(after):
            # A crash before the write brings the position back: until then its slot is taken.
            undo(self.held.state, self._desk)
        return await asyncio.shield(self._ledger.spawn(self._commit_alone(after, seen)))

    async def mark(self, *, is_stopped: bool | None = None, is_paused: bool | None = None) -> bool:
        """Save a person's stop and pause, whatever the task is doing; say whether that was news.

        What was decided before is on disk when this returns: nothing is opened after it.
        """
        async with self._writing:
            before = self.held
            after = replace(
                before,
                is_stopped=before.is_stopped if is_stopped is None else is_stopped,
                is_paused=before.is_paused if is_paused is None else is_paused,
            )
            if after != before:
                await self._save(signal_record(after))
                self.held = after
        # What was decided while this was written stands in line behind it: its turn comes first.
        async with self._writing:
            return after != before

    def reassign(self, desk: Desk) -> None:
        """Let the risk profiles of `desk` count the key from now on, and no others."""
        desk.risk.forget(self.held.risk_names, self.held.key)
        self._desk = desk
        self.held = replace(self.held, risk_names=desk.risk_names)
        undo(self.held.state, desk)
        desk.risk.remember(desk.risk_names, self.held.key, self.held.history)
        self._ledger.has_changed(self.held)

    async def journal(self, entry: TransitionEntry) -> None:
        """Append an entry, as often as it takes, and announce its events."""
        ledger = self._ledger
        attempt = 0
        while True:
            try:
                await ledger.journal.append((entry,))
                break
            except TransientError as error:
                self._tell_failure("journal", error)
                await asyncio.sleep(backoff_s(attempt))
                attempt += 1
        self._tell_recovery("journal")
        ledger.announce(entry.events)

    async def _commit_alone(self, after: Advance, seen: Observation) -> Advance:
        async with self._writing:
            return await self._commit(after, seen)

    async def _commit(self, after: Advance, seen: Observation) -> Advance:
        if self._is_schedule_stale:
            await self._save(ScheduleRecord(key=self.held.key))
            self._is_schedule_stale = False
        target = held_after(self.held, after)
        record = record_of(self.held, target, after.events)
        try:
            seq = await self._save(record, after)
        except _EntryRefusedError as error:
            return await self._commit(error.instead, seen)
        was_waiting = isinstance(self.held.state, Scheduled)
        if self._frees_slot(after):
            undo(after.state, self._desk)
        self.held = target
        entry = TransitionEntry(
            key=target.key,
            events=after.events,
            at_ms=seen.known_at_ms,
            observation=seen,
            file="signal" if isinstance(record, SignalRecord) else "schedule",
            seq=seq,
        )
        self._ledger.has_changed(target)
        await self.journal(entry)
        if was_waiting and isinstance(record, SignalRecord):
            await self._empty_schedule()
        return after

    def _frees_slot(self, after: Advance) -> bool:
        return at_risk(self.held.state) and not at_risk(after.state)

    async def _empty_schedule(self) -> None:
        """Empty the schedule file of a signal that has opened; one try, the next commit insists."""
        self._is_schedule_stale = True
        with suppress(TransientError):
            await self._ledger.store.save(ScheduleRecord(key=self.held.key))
            self._is_schedule_stale = False

    async def _save(self, record: Truth, after: Advance | None = None) -> int:
        """Write `record`, as often as it takes. Raises _EntryRefusedError as `commit` says."""
        ledger = self._ledger
        attempt = 0
        while True:
            try:
                with ledger.timings.of("persistence_write", self.held.key):
                    seq = await ledger.store.save(record)
            except TransientError as error:
                self._tell_failure("state", error)
            else:
                self._tell_recovery("state")
                return seq
            # While nothing can be kept the slot is free, and must be won again.
            undo(self.held.state, self._desk)
            await asyncio.sleep(backoff_s(attempt))
            attempt += 1
            if after is not None:
                self._hold_again(after)

    def _hold_again(self, after: Advance) -> None:
        row = row_of(after.state)
        if row is None or not at_risk(after.state) or at_risk(self.held.state):
            return
        desk = self._desk
        request = RiskRequest(
            key=desk.key,
            pending_signal=row,
            current_price=row.price_open,
            timestamp=row.pending_at,
        )
        refusal = desk.risk.reserve(desk.risk_names, request, row)
        if refusal is not None:
            event = refusal_event(refusal, request)
            raise _EntryRefusedError(Advance(state=Idle(), events=(event,), refusal=refusal))

    def _tell_failure(self, writer: str, error: TransientError) -> None:
        if self._ledger.health.failed(f"{writer} {self.held.key}", str(error)):
            self._ledger.troubles.report("storage", self.held.key, error)

    def _tell_recovery(self, writer: str) -> None:
        self._ledger.health.recovered(f"{writer} {self.held.key}")


class _EntryRefusedError(Exception):
    """Between two tries of a write the last slot was taken by another key."""

    def __init__(self, instead: Advance) -> None:
        super().__init__("refused while the write was failing")
        self.instead = instead
