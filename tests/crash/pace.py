"""Market time that waits for the daemon: it steps on once everything written has been told.

On a busy machine a clock that runs through would skip prices, and each run would make other calls;
this one makes nearly the same ones however slow the machine is.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from daemon.core.records import (
    Follower,
    Journaled,
    JournalEntry,
    StoredState,
    TransitionEntry,
    Truth,
)
from daemon.ports import CursorStore, Journal, StateStore

SPEED = 1200.0
"""What the clock says of itself: timers are set by it. It only runs so fast while nothing waits."""

STEP_MS = 30_000
POLL_S = 0.004
QUIET_POLLS = 3
"""Together more than the market's cadence: each step has been seen and ticked on by then."""

REST_POLLS = 12
"""Longer than the quietest tick: whatever follows from the last step has begun by then."""

SINK = "webhook"


@dataclass(slots=True)
class SteppedClock:
    """Market time (UTC epoch ms) that stands still between two steps."""

    at_ms: int
    speed: float = SPEED

    def now_ms(self) -> int:
        """Return the market time."""
        return self.at_ms


@dataclass(slots=True)
class Busy:
    """How many writes are under way."""

    count: int = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Count as a write meanwhile."""
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


@dataclass(frozen=True, slots=True)
class CountedStore:
    """The daemon's own state store; what it has to do is counted."""

    inner: StateStore
    busy: Busy

    async def load(self) -> StoredState:
        with self.busy.writing():
            return await self.inner.load()

    async def save(self, record: Truth) -> int:
        with self.busy.writing():
            return await self.inner.save(record)

    async def follow(self, record: Follower) -> None:
        with self.busy.writing():
            await self.inner.follow(record)


@dataclass(frozen=True, slots=True)
class CountedJournal:
    """The daemon's own journal, whose appends are counted."""

    inner: Journal
    busy: Busy

    @property
    def last_number(self) -> int:
        return self.inner.last_number

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        with self.busy.writing():
            await self.inner.append(entries)

    async def read(self, after: int, limit: int) -> Sequence[Journaled]:
        return await self.inner.read(after, limit)


class Pace:
    """Steps the clock on whenever nothing is being written and nothing is left to tell."""

    def __init__(
        self, clock: SteppedClock, busy: Busy, journal: Journal, cursors: CursorStore
    ) -> None:
        self._clock = clock
        self._busy = busy
        self._journal = journal
        self._cursors = cursors
        self._told_to = 0

    async def until(self, at_ms: int) -> None:
        """Go on to `at_ms`, and return once the daemon is at rest there."""
        while self._clock.at_ms < at_ms:
            await self._quiet(QUIET_POLLS)
            self._clock.at_ms += STEP_MS
        await self._quiet(REST_POLLS)

    async def _quiet(self, polls: int) -> None:
        left = polls
        while left:
            await asyncio.sleep(POLL_S)
            is_waiting = self._busy.count > 0 or await self._is_anything_untold()
            left = polls if is_waiting else left - 1

    async def _is_anything_untold(self) -> bool:
        """Say whether the journal has transitions behind the sink's cursor."""
        cursor = await self._cursors.load_cursor(SINK)
        self._told_to = max(self._told_to, cursor or 0)
        while self._told_to < self._journal.last_number:
            for item in await self._journal.read(self._told_to, 1000):
                if isinstance(item.entry, TransitionEntry) and item.entry.events:
                    return True
                self._told_to = item.number
        return False
