"""The runner's own pace: when it wakes, and when it has no reason to."""

import asyncio

from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import KEY


class Silent(Strategy):
    """Is asked each minute and never has an answer."""

    interval = "1m"

    def get_signal(self, view: View) -> Signal | None:
        return None


def test_a_paused_task_does_not_wake_for_the_turns_that_it_must_not_take() -> None:
    """Its turn stays due: woken for that, it would tick at every millisecond."""
    scene = a_scene(Silent)

    async def pause_before_a_turn() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(90)
            await daemon.supervisor.wish(KEY, "pause")
            asyncio.get_running_loop().call_later(600, daemon.stop)

    run_virtual(pause_before_a_turn())

    ticks = len(scene.meter.seconds["tick_lateness"])
    assert ticks <= 690
