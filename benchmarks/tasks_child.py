"""A child: many tasks in one process on the in-memory exchange, or one of the references to it.

Arguments: what ("daemon", "market", "sleepers"), symbols, strategies. It says {"ready": true} when
everything runs, measures from SIGUSR1 to SIGTERM, and says what it found.
"""

import asyncio
import signal
import sys
from array import array
from collections.abc import Sequence

import orjson
import uvloop

from benchmarks.daemon_child import STRATEGIES
from benchmarks.step_market import symbols_of
from daemon.adapters.clock import wall_ms
from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.adapters.sinks.prometheus.sink import PrometheusSink
from daemon.app.config.rules_section import RulesSection
from daemon.app.config.sections import ExchangeSection, StrategySection
from daemon.app.config.settings import Config
from daemon.app.loading import load_code
from daemon.app.wiring import Daemon, Outlets, assemble
from daemon.app.world import World
from daemon.core.candles import DAY_MS
from daemon.core.subjects import Subjects
from daemon.live.workers import ThreadWorkers
from daemon.ports import CounterName, MeterName
from daemon.simulation.clock import SandboxClock
from daemon.simulation.generator import GeneratedMarket, a_usdt_pair
from daemon.simulation.memory import MemoryMarketData
from daemon.simulation.storage import (
    MemoryCursorStore,
    MemoryDisk,
    MemoryJournal,
    MemoryStateStore,
)

VOLATILITY_PERCENT = 0.05
HISTORY_MS = DAY_MS


class Ticks:
    """How late each tick began, and how many were finished."""

    def __init__(self) -> None:
        self.late_s = array("d")
        self.count = 0


class TickMeter:
    """The production meter, which keeps every tick beside it."""

    def __init__(self, metrics: Metrics, ticks: Ticks) -> None:
        self._metrics = metrics
        self._ticks = ticks

    def observe(self, name: MeterName, seconds: float) -> None:
        if name == "tick_lateness":
            self._ticks.late_s.append(seconds)
        elif name == "live_tick":
            self._ticks.count += 1
        self._metrics.observe(name, seconds)

    def count(self, name: CounterName, amount: float = 1.0) -> None:
        self._metrics.count(name, amount)


def main() -> None:
    """Run what the arguments name until SIGTERM."""
    what, symbols, strategies = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        match what:
            case "daemon":
                runner.run(_run_daemon(symbols_of(symbols), strategies))
            case "market":
                runner.run(_run_market(symbols_of(symbols)))
            case _:
                runner.run(_run_sleepers(symbols * strategies))


async def _run_daemon(symbols: Sequence[str], strategies: int) -> None:
    metrics = Metrics()
    ticks = Ticks()
    outlets = Outlets(
        subjects=Subjects(),
        meter=TickMeter(metrics, ticks),
        sinks=(PrometheusSink(metrics),),
    )
    daemon = _daemon(symbols, strategies, outlets)
    running = asyncio.get_running_loop().create_task(daemon.run())
    count = len(symbols) * strategies
    while _open_count(daemon) < count:  # noqa: ASYNC110 - no event of the daemon's says it
        await asyncio.sleep(0.2)
    await _watched(ticks)
    daemon.stop()
    await running


def _open_count(daemon: Daemon) -> int:
    return sum(task.state == "active" for task in daemon.supervisor.snapshot())


def _daemon(symbols: Sequence[str], strategies: int, outlets: Outlets) -> Daemon:
    config = Config(
        exchange=ExchangeSection(id="memory"),
        rules=RulesSection(align=False),
        strategies=tuple(
            StrategySection(
                name=f"wide-{number}", path=f"{STRATEGIES}:Wide", symbols=tuple(symbols)
            )
            for number in range(strategies)
        ),
    )
    data, clock = _market(symbols)
    disk = MemoryDisk()
    world = World(
        state=MemoryStateStore(disk),
        journal=MemoryJournal(disk),
        cursors=MemoryCursorStore(disk),
        clock=clock,
        data=data,
        connect=_nothing,
    )
    workers = ThreadWorkers(config.daemon.strategy_threads)
    daemon = assemble(config, load_code(config), world, outlets, workers)
    daemon.containment.install()
    return daemon


async def _run_market(symbols: Sequence[str]) -> None:
    data, _ = _market(symbols)
    reading = asyncio.get_running_loop().create_task(_read(data, symbols))
    await _watched(Ticks())
    reading.cancel()


async def _read(data: MemoryMarketData, symbols: Sequence[str]) -> None:
    async for _ in data.watch(symbols):
        pass


async def _run_sleepers(count: int) -> None:
    """Run tasks that do nothing but wake up once a second, spread over the second."""
    loop = asyncio.get_running_loop()
    ticks = Ticks()

    async def sleeper(number: int) -> None:
        due_s = loop.time() + number / count
        while True:
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            ticks.late_s.append(loop.time() - due_s)
            ticks.count += 1
            due_s += 1.0

    tasks = [loop.create_task(sleeper(number)) for number in range(count)]
    await _watched(ticks)
    for task in tasks:
        task.cancel()


async def _watched(ticks: Ticks) -> None:
    """Say that all runs, wait until it has been watched, and say what was seen of the ticks."""
    loop = asyncio.get_running_loop()
    begun, ended = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, begun.set)
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    _say({"ready": True})
    await begun.wait()
    ticks.late_s, ticks.count = array("d"), 0
    begun_s = loop.time()
    await ended.wait()
    seconds = loop.time() - begun_s
    _say({"late_s": list(ticks.late_s), "ticks": ticks.count, "seconds": seconds})


def _market(symbols: Sequence[str]) -> tuple[MemoryMarketData, SandboxClock]:
    clock = SandboxClock(wall_ms(), 1.0, asyncio.get_running_loop().time)
    specs = [
        a_usdt_pair(
            name.partition("/")[0],
            price_start=100.0,
            quantity_step=0.001,
            volatility_percent=VOLATILITY_PERCENT,
        )
        for name in symbols
    ]
    market = GeneratedMarket(specs, seed=7, start_ms=clock.now_ms() - HISTORY_MS)
    return MemoryMarketData(market, clock), clock


async def _nothing() -> None:
    """There is no exchange to reach."""


def _say(told: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
