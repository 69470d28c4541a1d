"""The runner's own pace: when it wakes, and when it has no reason to."""

import asyncio

import pytest

from daemon.core.events import ErrorContract
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
            await daemon.supervisor.command(KEY, "pause")
            asyncio.get_running_loop().call_later(600, daemon.stop)

    run_virtual(pause_before_a_turn())

    ticks = len(scene.meter.seconds["tick_lateness"])
    assert ticks <= 690


class Waiting(Silent):
    """Waits for somebody who does not answer in time, and says so."""

    async def get_signal(self, view: View) -> Signal | None:  # type: ignore[override]  # both will do
        await asyncio.sleep(2.0)
        raise TimeoutError("the model did not answer")


class Impatient(Silent):
    """Says the same without waiting."""

    def get_signal(self, view: View) -> Signal | None:
        raise TimeoutError("the model did not answer")


@pytest.mark.parametrize("strategy", [Waiting, Impatient])
def test_p8_a_time_out_of_the_strategys_own_is_told_as_its_own(strategy: type[Silent]) -> None:
    """It is no call of ours that took too long: the next turn comes, and the line is its own."""
    scene = a_scene(strategy)

    run_virtual(scene.run(150))

    errors = [event for event in scene.journaled if isinstance(event, ErrorContract)]
    assert [(event.where, event.error) for event in errors] == [("get_signal", "TimeoutError")] * 3
    assert all("test_runner.py" in event.message for event in errors)
    assert not any("180" in event.message for event in errors)
