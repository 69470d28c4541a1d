"""What a person may command of one task: stop, pause, cancel, close."""

import asyncio

import pytest

from daemon.core.events import (
    SignalCancelled,
    SignalClosed,
)
from daemon.live.task_commands import SignalCommand
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import KEY, Buyer, Waiter, a_market, names


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def test_stopping_a_task_cancels_what_waits_and_survives_a_restart() -> None:
    scene = a_scene(Waiter)
    scene.market = a_market([100.0] * 4)

    async def stop_in_the_middle() -> None:
        daemon = scene.assemble()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30)
            await daemon.supervisor.command(KEY, "stop")
            scene.start_ms = daemon.world.clock.now_ms()
            loop.call_later(60, daemon.stop)

    run_virtual(stop_in_the_middle())
    run_virtual(scene.run(200))

    assert names(scene) == ["scheduled", "cancelled"]
    cancelled = scene.journaled[1]
    assert isinstance(cancelled, SignalCancelled)
    assert cancelled.reason == "stopped"


def test_a_stopped_task_watches_its_open_position_to_the_end() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 103.0, 103.0])

    async def stop_in_the_middle() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30)
            await daemon.supervisor.command(KEY, "stop")

    run_virtual(stop_in_the_middle())

    assert names(scene)[0] == "opened"
    assert names(scene)[-1] == "closed"
    assert names(scene).count("opened") == 1


@pytest.mark.parametrize("command", ["cancel", "close"])
def test_a_person_may_cancel_what_waits_and_close_what_is_open(command: SignalCommand) -> None:
    scene = a_scene(Waiter if command == "cancel" else Buyer)
    scene.market = a_market([100.0] * 4)

    async def command_in_the_middle() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30.5)
            await daemon.supervisor.command(KEY, "pause")
            await daemon.supervisor.command(KEY, command)
            await asyncio.sleep(100)
            daemon.stop()

    run_virtual(command_in_the_middle())

    assert names(scene) == (
        ["scheduled", "cancelled"] if command == "cancel" else ["opened", "closed"]
    )
    last = scene.journaled[-1]
    assert isinstance(last, SignalCancelled | SignalClosed)
    assert (last.reason if isinstance(last, SignalCancelled) else last.close_reason) == "user"
