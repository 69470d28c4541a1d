"""Steps, sleeps and wrong clocks: what is open stays open, and the exchange knows the time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from daemon.adapters.clock import MachineClocks, SteadyClock
from daemon.app.wiring import Daemon
from daemon.core.candles import MINUTE_MS
from daemon.core.events import ErrorContract, SignalClosed, SignalOpened
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.ports import CheckedClock, MarketData
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from daemon.simulation.market import Market
from daemon.simulation.memory import MemoryMarketData
from tests.live.scene import START_MS, TURN_MS, Scene, a_scene
from tests.live.scripted import a_market

DAY_S = 86_400.0
HOUR_S = 3_600.0
ESTIMATED_MINUTES = 30


class Holder(Strategy):
    """Buys at its first call and holds for half an hour."""

    interval = "1m"

    def get_signal(self, view: View) -> Signal | None:
        return Signal(
            position="long",
            price_take_profit=view.price * 1.05,
            price_stop_loss=view.price * 0.95,
            minute_estimated_time=ESTIMATED_MINUTES,
        )


class TrueTime:
    """What time it really is: the loop's seconds, and those that a machine slept through."""

    speed = 1.0

    def __init__(self, awake: VirtualClock, machine: "Machine") -> None:
        self._awake = awake
        self._machine = machine

    def now_ms(self) -> int:
        return self._awake.now_ms() + round(self._machine.slept_s * 1000)


@dataclass
class Machine:
    """A machine on a virtual loop; `set_s` is how wrong its wall clock is.

    It was suspended for `slept_s`; where it is blind to that, only its wall clock knows.
    """

    set_s: float = 0.0
    slept_s: float = 0.0
    is_blind: bool = False

    def clock(self, awake: VirtualClock) -> CheckedClock:
        loop, true = asyncio.get_running_loop(), TrueTime(awake, self)
        return SteadyClock(
            MachineClocks(
                wall_ms=lambda: true.now_ms() + round(self.set_s * 1000),
                passed_s=lambda: loop.time() + (0.0 if self.is_blind else self.slept_s),
                running_s=loop.time,
            )
        )

    def data(self, market: Market, awake: VirtualClock) -> MarketData:
        return MemoryMarketData(market, TrueTime(awake, self), cadence_ms=5_000, turn_ms=TURN_MS)

    def scene(self) -> Scene:
        scene = a_scene(Holder)
        scene.market = a_market([100.0] * 12)
        scene.make_clock, scene.make_data = self.clock, self.data
        return scene


def play(scene: Scene, scenario: Callable[[Daemon], Awaitable[None]]) -> None:
    """Run the daemon of `scene` and a scenario beside it, until that has ended."""

    async def main() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await scenario(daemon)
            daemon.stop()

    run_virtual(main())


def opened(scene: Scene) -> list[SignalOpened]:
    return [event for event in scene.journaled if isinstance(event, SignalOpened)]


def closed(scene: Scene) -> list[SignalClosed]:
    return [event for event in scene.journaled if isinstance(event, SignalClosed)]


def told(scene: Scene) -> list[str]:
    """Return what a person was told about clocks."""
    errors = [event for event in scene.journaled if isinstance(event, ErrorContract)]
    # After a sleep a position may be told of as not watched until REST has answered.
    assert {event.where for event in errors} <= {"clock", "price"}
    return [event.message for event in errors if event.where == "clock"]


def is_fresh(daemon: Daemon) -> bool:
    assert daemon.supervisor.feed is not None
    return daemon.supervisor.feed.of("BTC/USDT").is_fresh()


async def freshness(daemon: Daemon, seconds: float) -> list[bool]:
    """Return whether the price was fresh, twenty times a second."""
    seen = []
    for _ in range(round(seconds * 20)):
        await asyncio.sleep(0.05)
        seen.append(is_fresh(daemon))
    return seen


@pytest.mark.parametrize("step_s", [DAY_S, -HOUR_S, HOUR_S, -DAY_S, 74 * 365 * DAY_S])
def test_t1_t2_an_open_position_survives_a_step_of_the_wall_clock(step_s: float) -> None:
    machine = Machine()
    scene = machine.scene()

    async def scenario(daemon: Daemon) -> None:
        await asyncio.sleep(300.4)
        assert is_fresh(daemon)
        machine.set_s = step_s
        seen = await freshness(daemon, 4.0)
        assert not all(seen), "nothing is decided until the exchange has answered"
        assert seen[-1]
        await asyncio.sleep(ESTIMATED_MINUTES * 60 - 310)
        assert len(opened(scene)) == 1
        assert closed(scene) == []
        await asyncio.sleep(30)

    play(scene, scenario)

    # The position ends when its half hour has really passed.
    position = opened(scene)[0]
    (end,) = closed(scene)
    assert end.close_reason == "time_expired"
    assert end.at_ms - position.at_ms == pytest.approx(ESTIMATED_MINUTES * MINUTE_MS, abs=50)
    what = f"the wall clock was set by {step_s:+.1f} s"
    assert told(scene) == [f"{what}: no price decides until the exchange has confirmed it"]
    assert scene.meter.counts["clock_steps"] == 1


def test_t1_a_strategy_is_asked_in_its_minutes_in_spite_of_a_step() -> None:
    asked = []
    for step_s in (0.0, DAY_S, -HOUR_S):
        machine = Machine()
        scene = machine.scene()

        async def scenario(
            daemon: Daemon, machine: Machine = machine, step_s: float = step_s
        ) -> None:
            await asyncio.sleep(60)
            machine.set_s = step_s
            await asyncio.sleep(ESTIMATED_MINUTES * 60)

        play(scene, scenario)
        asked.append([event.at_ms for event in opened(scene)])

    calm, *stepped = asked
    assert len(calm) == 2
    for times_ms in stepped:
        assert times_ms == pytest.approx(calm, abs=1_000)


@pytest.mark.parametrize("is_blind", [False, True])
def test_t4_after_a_sleep_the_past_is_not_ticked_and_time_is_the_exchanges(is_blind: bool) -> None:
    """Where no clock saw the sleep but the wall's, the exchange tells that it was one."""
    machine = Machine(is_blind=is_blind)
    scene = machine.scene()
    woken_ms = START_MS + (HOUR_S + 300.4) * 1000

    async def scenario(daemon: Daemon) -> None:
        await asyncio.sleep(300.4)
        assert closed(scene) == []
        machine.slept_s = HOUR_S
        if not is_blind:
            assert not is_fresh(daemon), "stale at once, before anybody has looked"
        await asyncio.sleep(10)
        assert is_fresh(daemon)
        assert daemon.world.clock.now_ms() == pytest.approx(woken_ms + 10_000, abs=50)

    play(scene, scenario)

    (end,) = closed(scene)
    assert end.close_reason == "time_expired"
    assert 0 <= end.at_ms - woken_ms <= 10_000
    assert len(told(scene)) == (2 if is_blind else 1)
    assert scene.meter.counts["clock_steps"] == len(told(scene))


@pytest.mark.parametrize("wrong_s", [DAY_S, -DAY_S, -START_MS / 1000, 2.0])
def test_t7_a_clock_that_is_wrong_at_the_start_is_put_right_before_anything_is_decided(
    wrong_s: float,
) -> None:
    machine = Machine(set_s=wrong_s)
    scene = machine.scene()

    async def scenario(daemon: Daemon) -> None:
        await asyncio.sleep(90)

    play(scene, scenario)

    (position,) = opened(scene)
    side = "ahead of" if wrong_s > 0 else "behind"
    assert position.at_ms == pytest.approx(START_MS, abs=2_000)
    (words,) = told(scene)
    assert words.startswith(f"the machine's time was {abs(wrong_s):.1f} s {side} the exchange's")
