"""A machine that dies in the middle of a daemon: at any step of its loop, or at any call to a disk.

The whole daemon runs in virtual time on the file layer's own code, over a disk that loses what was
not synced. A kill leaves the disk as it stood; a power cut takes the unsynced along. Somebody
outside hears of events and forgets nothing.
"""

import asyncio
import random  # noqa: TID251 (seeded)
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TypeVar

from daemon.adapters.storage.cursors import FileCursorStore
from daemon.adapters.storage.files import sweep
from daemon.adapters.storage.journal import FileJournal
from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.lanes import Lanes
from daemon.adapters.storage.persist import AdapterCalls, PersistClasses
from daemon.adapters.storage.schema import Identity
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.store import FileStateStore, StoreOptions
from daemon.core.records import Journaled, TransitionEntry
from daemon.simulation.loop import VirtualLoop, _ShuffledQueue
from tests.adapters.storage.lossy_disk import LossyFolder, PowerCut, Weather
from tests.crash.invariants import Image, Told, told_of

T = TypeVar("T")

DELAY_RATE = 0.1
DELAY_S_MAX = 0.05
"""Now and then the disk takes its time, as disks do, and others overtake."""

IDENTITY = Identity(exchange="sandbox", mode="signal")
WALL_MS = 1_767_225_600_000


@dataclass(slots=True, kw_only=True)
class Life:
    """One boot: it ends at step `steps_max` of its loop or at call `calls_max` of its disk.

    0 is never. `weather` counts the calls, `steps` the steps.
    """

    weather: Weather
    steps_max: int = 0
    calls_max: int = 0
    steps: int = 0
    _begun_at: int = 0

    def __post_init__(self) -> None:
        self._begun_at = self.weather.calls
        self.weather.cut_at = self._begun_at + self.calls_max if self.calls_max else 0

    @property
    def calls(self) -> int:
        """Return how many calls this boot has made to its disk."""
        return self.weather.calls - self._begun_at

    @property
    def is_over(self) -> bool:
        """Say whether it has died: nothing that still runs may have an effect."""
        return 0 < self.steps_max <= self.steps or 0 < self.calls_max <= self.calls

    def check(self) -> None:
        """Raise PowerCut if it is over."""
        if self.is_over:
            raise PowerCut

    def step(self) -> None:
        """Count a step of the loop. Raises PowerCut as `check` does."""
        self.steps += 1
        self.check()


class MortalLoop(VirtualLoop):
    """A virtual loop that runs no step after its life is over, but to clear up."""

    def __init__(self, rng: random.Random, life: Life) -> None:
        super().__init__()
        self._ready = _MortalQueue(rng, life)


class _MortalQueue(_ShuffledQueue):
    """The ready callbacks, in a random order; the end of the life is raised from it, once."""

    def __init__(self, rng: random.Random, life: Life) -> None:
        super().__init__(rng)
        self._life: Life | None = life

    def popleft(self) -> asyncio.Handle:
        life = self._life
        if life is not None:
            try:
                life.step()
            except PowerCut:
                self._life = None
                raise
        return super().popleft()


class InlineLanes(Lanes):
    """Lanes that work on the loop: others run before and after each piece of work."""

    def __init__(self, life: Life) -> None:
        super().__init__(1, "unused")
        self._life = life
        self._locks: dict[str, asyncio.Lock] = {}

    async def run(self, lane: str, work: Callable[[], T]) -> T:
        """Do `work` after whatever the lane has been given before; return its result."""
        task = asyncio.get_running_loop().create_task(self._run(lane, work))
        return await asyncio.shield(task)

    async def run_latest(self, lane: str, work: Callable[[], T]) -> T:
        """Do the same: one after the other is what nobody can tell from it."""
        return await self.run(lane, work)

    def _delay_s(self) -> float:
        rng = self._life.weather.rng
        return rng.uniform(0.0, DELAY_S_MAX) if rng.random() < DELAY_RATE else 0.0

    async def _run(self, lane: str, work: Callable[[], T]) -> T:
        async with self._locks.setdefault(lane, asyncio.Lock()):
            await asyncio.sleep(self._delay_s())
            self._life.check()
            try:
                return work()
            finally:
                # What the adapters make of a power cut is nobody's business any more.
                self._life.check()
                await asyncio.sleep(0)


@dataclass(slots=True, kw_only=True)
class Stores:
    """The daemon's own file stores on a lossy disk."""

    state: FileStateStore
    journal: FileJournal
    cursors: FileCursorStore


@dataclass(slots=True, kw_only=True)
class Machine:
    """One computer over all its boots."""

    weather: Weather
    state: LossyFolder
    journal: LossyFolder
    told: list[Told] = field(default_factory=list)

    def lose_power(self) -> None:
        """Take along what was not synced."""
        self.state = self.state.after_power_cut(self.weather)
        self.journal = self.journal.after_power_cut(self.weather)

    def boot(self, life: Life | None = None) -> Stores:
        """Open the folder as a start does."""
        life = life or Life(weather=self.weather)
        sweep(self.state)
        sweep(self.journal)
        shelf = Shelf(self.state, IDENTITY, PersistClasses(), AdapterCalls())
        cursors = FileCursorStore(shelf, _wall_ms)
        log = JournalLog(self.journal)
        log.open(cursors.highest_number, WALL_MS)
        journal = FileJournal(log)
        options = StoreOptions(identity=IDENTITY, classes=PersistClasses())
        state = FileStateStore(self.state, options, log.index.sequences, _wall_ms)
        cursors._lanes = InlineLanes(life)
        journal._lanes = InlineLanes(life)
        state._truths = InlineLanes(life)
        state._followers = InlineLanes(life)
        return Stores(state=state, journal=journal, cursors=cursors)

    async def look(self) -> Image:
        """Return what a start would read, mending nothing on the real disk."""
        copy = Machine(
            weather=self.weather, state=deepcopy(self.state), journal=deepcopy(self.journal)
        )
        stores = copy.boot()
        return Image(
            stored=await stores.state.load(), entries=await stores.journal.read(0, 1_000_000)
        )


@dataclass(slots=True, kw_only=True)
class Outside:
    """Somebody who hears of every event, and of none after the daemon's death."""

    machine: Machine
    life: Life
    name: str = "webhook"

    def wants(self, journaled: Journaled) -> bool:
        return isinstance(journaled.entry, TransitionEntry) and bool(journaled.entry.events)

    async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> None:
        """Hear the events one by one: a death may come between any two."""
        for item in entries:
            assert isinstance(item.entry, TransitionEntry)
            for event in item.entry.events:
                await asyncio.sleep(0)
                self.life.check()
                self.machine.told.append(told_of(item.number, event))
                await asyncio.sleep(0)


def a_machine(seed: int, skipped: frozenset[str] = frozenset()) -> Machine:
    """Return a computer with an empty folder, whose disk only pretends to make `skipped` calls."""
    weather = Weather(rng=random.Random(seed), skipped=skipped)
    return Machine(weather=weather, state=LossyFolder(weather), journal=LossyFolder(weather))


def _wall_ms() -> int:
    return WALL_MS
