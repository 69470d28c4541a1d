"""The process that is killed: the whole service, on a market in memory instead of a socket.

State folder, journal, cursors, supervisor, alerts, webhook, log and signals are those of
`tickd run`; only the exchange is left out, so that a start takes milliseconds.
"""

import asyncio
import os
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import sendfds
from pathlib import Path

from daemon.adapters.clock import wall_ms
from daemon.adapters.storage.opening import StorageOptions, folder_of, open_storage
from daemon.adapters.storage.schema import Identity
from daemon.app.config.settings import Config
from daemon.app.service import run_service
from daemon.app.world import World
from daemon.core.candles import MINUTE_MS
from daemon.core.records import CandleEntry, Journaled, JournalEntry
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.simulation.memory import MemoryMarketData
from tests.crash.mutants import plant
from tests.crash.pace import Busy, CountedJournal, CountedStore, Pace, SteppedClock
from tests.crash.script import (
    SETTLED_MS,
    START_MS,
    STRATEGIES,
    SYMBOLS,
    ScriptedMarket,
    a_config,
)
from tests.crash.system_calls import install_filter

CADENCE_MS = 12_000
"""Ten ms at the clock's speed."""

ENTRIES_MAX = 1_000_000
IDENTITY = Identity(exchange="sandbox", mode="signal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One start: it signals until `until_ms` of the market and ends once everybody was told."""

    home: Path
    url: str
    until_ms: int
    symbols: tuple[str, ...] = SYMBOLS
    strategies: tuple[type[Strategy], ...] = STRATEGIES
    mutant: str = ""

    @property
    def state_path(self) -> Path:
        """Return the state folder."""
        return folder_of(self.home / "dump", IDENTITY)

    @property
    def log_path(self) -> Path:
        """Return where its standard output and error go."""
        return self.home / "log.jsonl"

    def run(self) -> int:
        """Run the service in this very process; return its exit code."""
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        config = a_config(
            self.home / "dump", self.url, self.until_ms, self.symbols, self.strategies
        )
        try:
            return run_service(config, opener=self._opened)
        except BaseException:  # noqa: BLE001 (the last word of a process)
            traceback.print_exc()
            return 70
        finally:
            sys.stdout.flush()
            sys.stderr.flush()

    @asynccontextmanager
    async def _opened(
        self, config: Config, keys: tuple[Key, ...], strategies: tuple[type[Strategy], ...]
    ) -> AsyncIterator[World]:
        del strategies
        path = folder_of(config.daemon.state_dir, IDENTITY)
        options = StorageOptions(identity=IDENTITY, keys=keys)
        storage = await asyncio.to_thread(open_storage, path, options, wall_ms)
        try:
            busy = Busy()
            entries = await storage.journal.read(0, ENTRIES_MAX)
            clock = SteppedClock(newest_ms(entries))
            pace = Pace(clock, busy, storage.journal, storage.cursors)

            async def keep() -> None:
                await pace.until(self.until_ms + SETTLED_MS)
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.Event().wait()

            yield World(
                state=CountedStore(storage.state, busy),
                journal=CountedJournal(storage.journal, busy),
                cursors=storage.cursors,
                clock=clock,
                data=MemoryMarketData(
                    ScriptedMarket(self.symbols), clock, cadence_ms=CADENCE_MS, turn_ms=0
                ),
                connect=_connect,
                where="memory",
                notes=storage.notes,
                keep=keep,
            )
        finally:
            await asyncio.to_thread(storage.close)


def start(child: Child, watcher: Connection | None) -> None:
    """Run `child` in this forked process; its system calls are answered through `watcher`."""
    if child.mutant:
        plant(child.mutant)
    if watcher is not None:
        # Made before: from the filter to the answer of its listener no other call may be made.
        with socket.fromfd(watcher.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as line:
            sendfds(line, [install_filter()])
    sys.exit(child.run())


def newest_ms(entries: Sequence[Journaled]) -> int:
    """Return the market time (ms) up to which the journal knows what happened."""
    return max([START_MS, *(_time_of(item.entry) for item in entries)])


async def _connect() -> None:
    """Reach an exchange that is in memory."""


def _time_of(entry: JournalEntry) -> int:
    return entry.candle.timestamp + MINUTE_MS if isinstance(entry, CandleEntry) else entry.at_ms
