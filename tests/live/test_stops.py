"""A daemon that is asked to stop ends in time, whatever cannot be finished."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

import pytest

from daemon.app.wiring import Daemon
from daemon.core.errors import RejectedError, TransientError
from daemon.core.events import ErrorContract
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, FaultHook, Operation
from tests.live.scene import a_scene
from tests.live.scripted import KEY, Buyer, a_market

STOP_S = 20.0


class Idler(Strategy):
    """Never wants anything."""

    def get_signal(self, view: View) -> Signal | None:
        return None


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def full_for(broken: Operation) -> FaultHook:
    """Return a disk that takes the entry of the run itself, and then nothing of one kind."""
    seen: list[Operation] = []

    def hook(operation: Operation, subject: str) -> DiskTrouble | None:
        del subject
        seen.append(operation)
        is_full = operation == broken and (broken != "append" or seen.count("append") > 1)
        return DiskTrouble(error=TransientError("full")) if is_full else None

    return hook


@pytest.mark.parametrize("broken", ["save", "append"])
def test_p3_a_stop_ends_in_time_though_the_disk_takes_nothing(broken: Operation) -> None:
    scene = a_scene(Buyer, daemon={"stop_timeout_s": STOP_S})
    scene.market = a_market([100.0])
    scene.hook = full_for(broken)

    async def run() -> float:
        daemon = scene.assemble()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30)
            assert Buyer.calls
            assert daemon.status.snapshot().reasons
            begun_s = loop.time()
            daemon.stop()
        return loop.time() - begun_s

    assert run_virtual(run()) <= 3 * STOP_S


async def _stopped_task(daemon: Daemon) -> None:
    """Let a person stop the only task, and come back when it has ended."""
    await asyncio.sleep(30)
    await daemon.supervisor.command(KEY, "stop")
    # To the turn of the loop: one later the daemon has noticed.
    while daemon.supervisor.slots[KEY].condition != "stopped":  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


def test_a_task_that_is_started_again_in_time_keeps_the_daemon_running() -> None:
    async def run() -> tuple[str, bool]:
        daemon = a_scene(Idler).assemble()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(daemon.run())
            await _stopped_task(daemon)
            await daemon.supervisor.command(KEY, "start")
            await asyncio.sleep(600)
            after = daemon.supervisor.slots[KEY].condition, running.done()
            daemon.stop()
        return after

    assert run_virtual(run()) == ("running", False)


def test_a_start_that_comes_too_late_is_not_said_to_be_granted() -> None:
    async def run() -> None:
        daemon = a_scene(Idler).assemble()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(daemon.run())
            await _stopped_task(daemon)
            await asyncio.wait({running})
            with pytest.raises(RejectedError, match="starts with its next run"):
                await daemon.supervisor.command(KEY, "start")

    run_virtual(run())


def test_p3_a_stop_while_the_exchange_is_away_is_quick_and_tells_of_no_step() -> None:
    class Reader(Idler):
        history: ClassVar[Mapping[str, int]] = {"1h": 5}

    scene = a_scene(Reader)

    async def refuse() -> None:
        raise TransientError("connection refused")

    async def run() -> float:
        scene.connect = refuse
        daemon = scene.assemble()
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30)
            begun_s = loop.time()
            daemon.stop()
        return loop.time() - begun_s

    assert run_virtual(run()) < 1.0
    told = [event.where for event in scene.journaled if isinstance(event, ErrorContract)]
    assert told == ["exchange"]
