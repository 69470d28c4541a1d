"""A journal, cursors and an alert sink in memory, for the tests of the pump."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from daemon.core.alerts import is_alert
from daemon.core.candles import Candle
from daemon.core.errors import RejectedError, TransientError
from daemon.core.events import Transition
from daemon.core.guard import Raised
from daemon.core.records import CandleEntry, Journaled, JournalEntry, TransitionEntry
from daemon.live.alerts import AlertLimits, AlertPump
from daemon.ports import AlertSink, Progress
from tests.core.some_events import AT_MS, KEY, an_error, an_opened

LIMITS = AlertLimits(backoff_s=(0.001,), quiet_s=5.0, deliver_s=5.0)


class ListJournal:
    """A journal in memory that fails as often as told."""

    def __init__(self, *entries: JournalEntry) -> None:
        self.entries = list(entries)
        self.failures = 0

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        self.entries.extend(entries)

    async def read(self, after: int, limit: int) -> Sequence[Journaled]:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise TransientError("the disk is slow")
        found = self.entries[after : after + limit]
        return [
            Journaled(number=number, entry=entry) for number, entry in enumerate(found, after + 1)
        ]

    @property
    def last_number(self) -> int:
        return len(self.entries)


class DictCursors:
    """Cursors in memory that fail as often as told."""

    def __init__(self) -> None:
        self.saved: dict[str, int] = {}
        self.history: list[int] = []
        self.failures = 0

    async def load_cursor(self, sink: str) -> int | None:
        await asyncio.sleep(0)
        return self.saved.get(sink)

    async def save_cursor(self, sink: str, number: int) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise TransientError("the disk is full")
        self.saved[sink] = number
        self.history.append(number)


class Phone:
    """An alert sink that keeps what arrives, and first raises what it is told to."""

    def __init__(self, *raises: Exception) -> None:
        self.name = "phone"
        self.raises = list(raises)
        self.arrived: list[int] = []
        self.refuses: set[int] = set()

    def wants(self, journaled: Journaled) -> bool:
        return is_alert(journaled.entry)

    async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> Progress | None:
        await asyncio.sleep(0)
        if self.raises:
            raise self.raises.pop(0)
        if self.refuses & {entry.number for entry in entries}:
            raise RejectedError("cannot be read")
        self.arrived.extend(entry.number for entry in entries)
        return None


class Desk:
    """Everything that a pump works with, kept over a restart."""

    def __init__(self, *entries: JournalEntry) -> None:
        self.journal = ListJournal(*entries)
        self.cursors = DictCursors()
        self.reports: list[str] = []

    def pump(self, sink: AlertSink, limits: AlertLimits = LIMITS) -> AlertPump:
        return AlertPump(sink, self.journal, self.cursors, self._report, limits)

    def _report(self, where: str, raised: Raised) -> None:
        assert where == "sink"
        self.reports.append(raised.message)
        # As in the daemon: a report is journaled and becomes an alert itself.
        self.journal.entries.append(a_transition(an_error(where=where, message=raised.message)))


@asynccontextmanager
async def running(pump: AlertPump) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pump.run())
        try:
            yield
        finally:
            await pump.drain(5.0)
            await task


async def until(condition: Callable[[], object], rounds: int = 500_000) -> None:
    for _ in range(rounds):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came true")


def a_transition(event: Transition | None = None) -> TransitionEntry:
    return TransitionEntry(key=KEY, events=(event or an_opened(),), at_ms=AT_MS)


def a_candle() -> CandleEntry:
    candle = Candle(timestamp=0, open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0)
    return CandleEntry(symbol="BTC/USDT", candle=candle)
