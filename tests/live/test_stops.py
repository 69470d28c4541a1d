"""A daemon that is asked to stop ends in time, whatever cannot be finished."""

import asyncio

import pytest

from daemon.core.errors import TransientError
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, FaultHook, Operation
from tests.live.scene import a_scene
from tests.live.scripted import Buyer, a_market

STOP_S = 20.0


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
