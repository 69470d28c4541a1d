"""The strategy of a task may take its time to be made: it holds up nobody, and is not unwatched."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from daemon.core.events import ErrorContract, SignalClosed
from daemon.core.guard import Raised, Returned, call_foreign, describe
from daemon.core.strategy import Strategy, View
from daemon.live import containment as live_containment
from daemon.live.workers import InlineWorkers, LeakedThreadError, Outcome, ThreadWorkers
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import Buyer, a_market

INIT_S = 900.0


class SlowWorkers(InlineWorkers):
    """What is made takes `INIT_S` of virtual time; answers come at once."""

    async def call(self, function: Callable[[], object], *, timeout_s: float) -> Outcome:
        outcome = call_foreign(function)
        if isinstance(outcome, Returned) and isinstance(outcome.value, Strategy):
            await asyncio.sleep(INIT_S)
        return outcome


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def test_an_open_position_is_watched_while_its_strategy_is_being_made() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 103.0, 103.0, 103.0])
    run_virtual(scene.run(300))
    scene.workers = SlowWorkers()
    calls = len(Buyer.calls)

    run_virtual(scene.run(INIT_S - 100))

    assert any(isinstance(event, SignalClosed) for event in scene.journaled)
    assert len(Buyer.calls) == calls, "nobody is asked who is not there yet"


def test_a_strategy_that_was_long_in_the_making_is_asked_then() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 10)
    scene.workers = SlowWorkers()

    run_virtual(scene.run(INIT_S + 120))

    assert Buyer.calls


def test_a_stop_does_not_wait_for_a_strategy_in_the_making() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 10)
    scene.workers = SlowWorkers()

    async def run() -> float:
        daemon = scene.assemble()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30)
            assert daemon.status.snapshot().tasks[0].reason == "its strategy is being made"
            begun_s = loop.time()
            daemon.stop()
        return loop.time() - begun_s

    assert run_virtual(run()) < 5.0
    assert not any(isinstance(event, ErrorContract) for event in scene.journaled)


class _Lost(InlineWorkers):
    """Never brings back what is made."""

    async def call(self, function: Callable[[], object], *, timeout_s: float) -> Outcome:
        if isinstance(outcome := call_foreign(function), Returned) and outcome.value is None:
            return outcome
        return describe(LeakedThreadError(f"no answer in {timeout_s:g} s; its thread is given up"))


def test_an_init_that_never_ends_switches_off_and_names_the_setting() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 10)
    scene.workers = _Lost()

    run_virtual(scene.run(60))

    errors = [event for event in scene.journaled if isinstance(event, ErrorContract)]
    assert [error.where for error in errors] == ["strategy"]
    assert errors[0].message == (
        "its __init__ gave no answer in 180 s; its thread is given up"
        " (rules.max_signal_generation_seconds)"
    )


class Threaded(Strategy):
    """Remembers where it was made."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()

    def get_signal(self, view: View) -> None:
        return None


async def test_an_instance_is_made_in_a_worker_thread() -> None:
    workers = ThreadWorkers(1)
    containment = live_containment.Containment(workers, live_containment.Limits())

    made = await containment.make("s", Threaded)
    workers.close()

    assert not isinstance(made, Raised)
    assert made.value.thread is not threading.main_thread()
