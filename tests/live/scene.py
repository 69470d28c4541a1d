"""A whole daemon on a virtual loop: the real parts over a market, a disk and a clock in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from daemon.app.config.load import load_config
from daemon.app.config.settings import Config
from daemon.app.loading import Code, load_code
from daemon.app.wiring import Daemon, Outlets, assemble
from daemon.app.world import World
from daemon.core.events import Announcement, Transition
from daemon.core.records import TransitionEntry
from daemon.core.redaction import Redactor
from daemon.core.strategy import Strategy
from daemon.core.subjects import Subjects
from daemon.live.workers import InlineWorkers, Workers
from daemon.ports import AlertSink, CheckedClock, CounterName, MarketData, MeterName
from daemon.simulation.clock import VirtualClock
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.market import Market
from daemon.simulation.memory import MemoryMarketData
from daemon.simulation.storage import (
    FaultHook,
    MemoryCursorStore,
    MemoryDisk,
    MemoryJournal,
    MemoryStateStore,
    no_faults,
)

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""
TURN_MS = 200
"""So long after its turn a new minute is told of."""


@dataclass(slots=True)
class AMeter:
    """Keeps what was measured."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)

    def observe(self, name: MeterName, seconds: float) -> None:
        self.seconds.setdefault(name, []).append(seconds)

    def count(self, name: CounterName, amount: float = 1.0) -> None:
        self.counts[name] = self.counts.get(name, 0.0) + amount


@dataclass(slots=True)
class ASink:
    """Keeps what was announced."""

    name: str = "test"
    heard: list[Announcement] = field(default_factory=list)

    def wants(self, event: Announcement) -> bool:
        return isinstance(event, Transition)

    async def send(self, events: Sequence[Announcement]) -> None:
        self.heard += events


@dataclass(slots=True, kw_only=True)
class Scene:
    """One start of a daemon; `disk` goes on from start to start."""

    config: Config
    code: Code
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    hook: FaultHook = no_faults
    start_ms: int = START_MS
    seed: int = 7
    market: Market | None = None
    subjects: Subjects = field(default_factory=Subjects)
    sink: ASink = field(default_factory=ASink)
    alert_sinks: tuple[AlertSink, ...] = ()
    redactor: Redactor = field(default_factory=Redactor)
    meter: AMeter = field(default_factory=AMeter)
    make_data: Callable[[Market, VirtualClock], MarketData] = field(
        default_factory=lambda: partial(MemoryMarketData, cadence_ms=5_000, turn_ms=TURN_MS)
    )
    connect: Callable[[], Awaitable[None]] | None = None
    workers: Workers = field(default_factory=InlineWorkers)
    make_clock: Callable[[VirtualClock], CheckedClock] | None = None

    def assemble(self) -> Daemon:
        """Return the daemon, nothing running yet."""
        clock = VirtualClock(asyncio.get_running_loop(), self.start_ms)
        market = self.market or GeneratedMarket(
            default_specs(), self.seed, self.start_ms - 10 * DAY_MS
        )
        data = self.make_data(market, clock)
        checked = self.make_clock(clock) if self.make_clock else None
        world = World(
            state=MemoryStateStore(self.disk, self.hook),
            journal=MemoryJournal(self.disk, self.hook),
            cursors=MemoryCursorStore(self.disk, self.hook),
            clock=checked or clock,
            checked_clock=checked,
            data=data,
            connect=self.connect or _nothing,
        )
        outlets = Outlets(
            subjects=self.subjects,
            meter=self.meter,
            sinks=(self.sink,),
            alert_sinks=self.alert_sinks,
            redactor=self.redactor,
        )
        return assemble(self.config, self.code, world, outlets, self.workers)

    async def run(self, seconds: float) -> Daemon:
        """Run for so many virtual seconds, then stop gracefully; return what ran."""
        daemon = self.assemble()
        asyncio.get_running_loop().call_later(seconds, daemon.stop)
        await daemon.run()
        self.start_ms = daemon.world.clock.now_ms()
        return daemon

    @property
    def journaled(self) -> list[Transition]:
        """Return every event in the journal, in order."""
        return [
            event
            for item in self.disk.entries
            if isinstance(item.entry, TransitionEntry)
            for event in item.entry.events
        ]


async def _nothing() -> None:
    """Reach an exchange that is in memory."""


def the_shipped_scene(seed: int = 7) -> Scene:
    """Return what a newcomer gets, in virtual time."""
    config = load_config().config
    return Scene(config=config, code=load_code(config), seed=seed)


def a_scene(strategy: type[Strategy], **settings: object) -> Scene:
    """Return one strategy on BTC/USDT; `settings` go over the configuration's sections."""
    section = {"name": "s", "path": "tests:S", "symbols": ["BTC/USDT"]}
    values: dict[str, object] = {"strategies": [section], **settings}
    config = Config(**values)  # type: ignore[arg-type]  # checked by pydantic
    return Scene(config=config, code=Code(strategies={"s": strategy}, profiles=()))
