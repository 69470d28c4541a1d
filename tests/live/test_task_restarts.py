"""A task that dies is started again, with growing pauses, and at last left alone for a while."""

import asyncio
from itertools import pairwise

from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import KEY, a_market


class Once(dict[str, int]):
    """Can be read where the strategy is judged, and breaks the task that reads it then."""

    was_read = False

    def items(self):  # type: ignore[no-untyped-def]  # as a dict has it: its type has no name
        if self.was_read:
            raise RuntimeError("the task breaks here")
        self.was_read = True
        return super().items()


class Brittle(Strategy):
    """Is made, and then breaks the task that runs it."""

    interval = "1m"

    def __init__(self) -> None:
        # One for each instance; the type of the attribute knows only one for the class.
        self.__dict__["history"] = Once()

    def get_signal(self, view: View) -> Signal | None:
        return None


def test_p20_a_task_that_dies_again_and_again_is_tried_ever_more_seldom() -> None:
    scene = a_scene(Brittle)
    scene.market = a_market([100.0] * 4)
    restarted_s: list[float] = []
    conditions: set[str] = set()

    async def watch() -> None:
        daemon = scene.assemble()
        slot = daemon.supervisor.slots[KEY]
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            while loop.time() < begun_s + 200:
                await asyncio.sleep(0.1)
                conditions.add(slot.condition)
                if slot.restarts > len(restarted_s):
                    restarted_s.append(loop.time())
            daemon.stop()

    run_virtual(watch())

    pauses_s = [round(after - before) for before, after in pairwise(restarted_s)]
    assert pauses_s == [0, 0, 1, 2, 60, 60, 60]
    assert {"backing_off", "circuit_open"} <= conditions
