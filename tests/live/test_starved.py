"""A machine that gives the daemon no time: its ticks come late, none is lost or made up for."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from daemon.core.candles import Candle
from daemon.core.events import SignalClosed
from daemon.core.rules import Rules
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import VirtualLoop, run_virtual
from daemon.simulation.market import Market
from daemon.simulation.memory import MemoryMarketData
from tests.live.scene import START_MS, TURN_MS, Scene, a_scene
from tests.live.scripted import Buyer, a_market

STARVED_S = 200.0
TASKS = 30


class Looker(Strategy):
    """Only looks; keeps when it was asked."""

    interval = "1m"

    def __init__(self) -> None:
        self.asked_ms: list[int] = []
        ASKED.append(self.asked_ms)

    def get_signal(self, view: View) -> Signal | None:
        self.asked_ms.append(view.now_ms)
        return None


ASKED: list[list[int]] = []


class CountedData(MemoryMarketData):
    """Counts what the exchange is asked, by its symbol and second."""

    asked: Counter[tuple[str, int]]

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        self.asked[symbol, round(asyncio.get_running_loop().time())] += 1
        return await super().candles(symbol, interval, since_ms, limit)


def starve(seconds: float) -> None:
    """Let time pass in which nothing of this process runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._virtual_s += seconds


def counted(asked: Counter[tuple[str, int]], scene: Scene) -> Scene:
    def make(market: Market, clock: VirtualClock) -> MemoryMarketData:
        data = CountedData(market, clock, cadence_ms=5_000, turn_ms=TURN_MS)
        data.asked = asked
        return data

    scene.make_data = make
    return scene


def lateness(scene: Scene) -> list[float]:
    return scene.meter.seconds["tick_lateness"]


def test_p24_ticks_come_late_each_once_and_say_how_late() -> None:
    ASKED.clear()
    sections = [
        {"name": f"s{number}", "path": "tests:S", "symbols": ["BTC/USDT"]}
        for number in range(TASKS)
    ]
    asked: Counter[tuple[str, int]] = Counter()
    scene = counted(asked, a_scene(Looker, strategies=sections))
    scene.code = type(scene.code)(strategies={f"s{n}": Looker for n in range(TASKS)}, profiles=())
    scene.market = a_market([100.0] * 2)

    async def play() -> tuple[int, int, float]:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(90)
            before = len(lateness(scene))
            starve(STARVED_S)
            woken_s = asyncio.get_running_loop().time()
            await asyncio.sleep(1.0)
            soon = len(lateness(scene))
            await asyncio.sleep(60)
            daemon.stop()
        return before, soon, woken_s

    before, soon, woken_s = run_virtual(play())

    late = lateness(scene)
    assert max(late[:before]) < 0.01
    starved = [seconds for seconds in late[before:] if seconds > STARVED_S / 2]
    assert len(starved) == TASKS, "every task was late once, and it is measured"
    assert soon - before <= 2 * TASKS, "no missed tick is made up for"
    assert max(late[soon:]) < 0.01, "after that they are in time again"
    # Each is asked for the minute that it is, not for the three that it slept through.
    woken_ms = START_MS + woken_s * 1000
    for calls in ASKED:
        assert len([at_ms for at_ms in calls if at_ms < woken_ms]) == 2
        assert 1 <= len([at_ms for at_ms in calls if at_ms >= woken_ms]) <= 2
    # And the exchange hears of it once for each symbol, not once for each task.
    heard = [count for (_, second), count in asked.items() if 0 <= second - woken_s <= 3]
    assert 1 <= sum(heard) <= 3


def test_p24_a_target_that_was_reached_meanwhile_is_not_lost() -> None:
    Buyer.calls = []
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 103.0], minutes_each=5)

    async def play() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(120)
            starve(480.0)
            await asyncio.sleep(30)
            daemon.stop()

    run_virtual(play())

    (closed,) = [event for event in scene.journaled if isinstance(event, SignalClosed)]
    assert closed.close_reason == "take_profit"
    assert max(lateness(scene)) > 470.0
    assert Rules().max_price_age_s < 480.0, "the old price was doubted first"
