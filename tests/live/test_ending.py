"""What a task merely waits for is given up when it is to end."""

import asyncio
import threading
import time

import pytest

from daemon.core.strategy import Strategy, View
from daemon.live.ending import Ending
from daemon.live.workers import ThreadWorkers
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import a_market


class Thinker(Strategy):
    """Thinks for a minute and a half, as one does that asks a language model."""

    interval = "1m"

    async def get_signal(self, view: View) -> None:
        await asyncio.sleep(90)


def test_a_stop_does_not_wait_for_a_strategy_that_thinks() -> None:
    scene = a_scene(Thinker)
    scene.market = a_market([100.0])

    async def play() -> float:
        daemon = scene.assemble()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(100)
            stopped_s = loop.time()
            daemon.stop()
        return loop.time() - stopped_s

    took_s = run_virtual(play())

    assert took_s < 1.0
    assert scene.journaled == [], "and says nothing of a step that could not be finished"


async def test_a_thread_that_thinks_is_not_waited_for() -> None:
    ending, is_over = Ending(), threading.Event()
    workers = ThreadWorkers(1)
    asyncio.get_running_loop().call_later(0.05, ending.begin)
    started_s = time.perf_counter()

    outcome = await ending.unless(workers.call(is_over.wait, timeout_s=60))

    is_over.set()
    assert outcome is None
    assert time.perf_counter() - started_s < 30


async def test_what_comes_in_time_is_had_and_a_limit_of_its_own_stays_one() -> None:
    ending = Ending()

    async def quick() -> int:
        return 7

    async def late() -> int:
        raise TimeoutError("its own")

    assert await ending.unless(quick()) == 7
    with pytest.raises(TimeoutError, match="its own"):
        await ending.unless(late())
