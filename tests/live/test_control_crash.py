"""A daemon that is killed between a command and its effect: the next start finds one of the two."""

import asyncio
from copy import deepcopy
from itertools import count

import pytest

from daemon.core.commands import CommandName
from daemon.core.events import SignalCancelled, SignalClosed, SignalOpened
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import MemoryDisk
from tests.live.control_stage import a_hand
from tests.live.scene import Scene, a_scene
from tests.live.scripted import KEY, Buyer, Waiter, a_market

AFTER_S = 30.5


def the_scene(name: CommandName) -> Scene:
    Buyer.calls = []
    scene = a_scene(Buyer if name == "close" else Waiter)
    # The entry of what waits is reached after ten minutes.
    scene.market = a_market([100.0, 98.9, 98.9])
    return scene


def images(name: CommandName) -> list[tuple[MemoryDisk, bool]]:
    """Return the disk at every turn of the loop from the command to its answer, and after it."""

    async def play() -> list[tuple[MemoryDisk, bool]]:
        scene = the_scene(name)
        seen: list[tuple[MemoryDisk, bool]] = []
        async with a_hand(scene, after_s=AFTER_S) as hand, asyncio.TaskGroup() as group:
            asked = group.create_task(hand.do(name))
            for turn in count():
                is_done = asked.done()
                if not seen or seen[-1][0] != scene.disk or is_done:
                    seen.append((deepcopy(scene.disk), is_done))
                if is_done:
                    break
                await asyncio.sleep(0)
                assert turn < 10_000
        return seen

    return run_virtual(play())


def after_restart(name: CommandName, image: MemoryDisk) -> Scene:
    """Return what a start on this disk came to, a quarter of an hour later."""
    scene = the_scene(name)
    scene.disk = image
    scene.start_ms += int(AFTER_S * 1000)
    run_virtual(scene.run(900))
    return scene


@pytest.mark.parametrize("name", ["close", "cancel", "stop", "pause"])
def test_p1_a_kill_between_a_command_and_its_effect_leaves_one_of_the_two(
    name: CommandName,
) -> None:
    ends: set[str] = set()

    for image, is_answered in images(name):
        scene = after_restart(name, image)
        events = scene.journaled
        assert len({event.id for event in events}) == len(events)
        ended = [
            event.close_reason if isinstance(event, SignalClosed) else event.reason
            for event in events
            if isinstance(event, SignalClosed | SignalCancelled)
        ]
        held = run_virtual(look(scene))
        opened = sum(isinstance(event, SignalOpened) for event in events)
        marks = {"stop": held[0], "pause": held[1]}
        has_effect = ended[:1] == ["stopped" if name == "stop" else "user"]
        if name in marks:
            assert marks[name] == has_effect, "a mark without its effect, or the other way round"
            assert not (has_effect and opened), "nothing is opened once a person forbade it"
        assert has_effect or not is_answered, "what was answered has happened"
        ends.add("after" if has_effect else "before")

    assert ends == {"before", "after"}


async def look(scene: Scene) -> tuple[bool, bool]:
    """Return whether the task is stopped and paused, as a further start finds it."""
    async with a_hand(scene, after_s=1.0) as hand:
        held = hand.daemon.supervisor.keepers[KEY].held
        return held.is_stopped, held.is_paused
