"""Work off the loop: in order within a lane, never waiting for another lane."""

import asyncio
import threading
from functools import partial

import pytest

from daemon.adapters.storage.lanes import Lanes
from daemon.core.errors import FatalError, TransientError


async def close(lanes: Lanes) -> None:
    await asyncio.to_thread(lanes.close)


async def test_a_lane_keeps_its_order() -> None:
    lanes = Lanes(4, "test")
    done: list[int] = []

    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(lanes.run("a", partial(done.append, number)))
    await close(lanes)

    assert done == list(range(50))


async def test_d15_a_stuck_lane_holds_up_neither_the_loop_nor_another_lane() -> None:
    lanes = Lanes(2, "test")
    disk_answers = threading.Event()

    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(lanes.run("stuck", disk_answers.wait))
        for _ in range(10):
            assert await lanes.run("free", lambda: "done") == "done"
        assert not stuck.done()
        disk_answers.set()
    await close(lanes)

    assert stuck.result() is True


async def test_only_the_newest_of_what_waits_is_done_and_all_hear_of_it() -> None:
    lanes = Lanes(1, "test")
    disk_answers = threading.Event()
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number

    async with asyncio.TaskGroup() as group:
        group.create_task(lanes.run("a", disk_answers.wait))
        tasks = [
            group.create_task(lanes.run_latest("a", partial(work, number))) for number in range(5)
        ]
        await asyncio.sleep(0)
        disk_answers.set()
    await close(lanes)

    assert done == [4]
    assert [task.result() for task in tasks] == [4] * 5


async def test_what_fails_fails_its_caller_alone() -> None:
    lanes = Lanes(1, "test")

    def fail() -> None:
        raise TransientError("no space")

    with pytest.raises(TransientError, match="no space"):
        await lanes.run("a", fail)

    assert await lanes.run("a", lambda: 1) == 1
    await close(lanes)


async def test_what_was_handed_in_is_done_before_it_closes() -> None:
    lanes = Lanes(1, "test")
    done: list[int] = []
    task = asyncio.get_running_loop().create_task(lanes.run("a", lambda: done.append(1)))
    await asyncio.sleep(0)
    task.cancel()

    await close(lanes)

    assert done == [1]
    with pytest.raises(FatalError, match="test is closed"):
        await lanes.run("a", lambda: None)


async def test_the_slowest_work_under_way_shows_for_how_long_it_has_been() -> None:
    lanes = Lanes(2, "test")
    begun, disk_answers = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        disk_answers.wait()

    loop = asyncio.get_running_loop()
    assert lanes.busy_s == 0.0
    async with asyncio.TaskGroup() as group:
        group.create_task(lanes.run("stuck", work))
        await asyncio.to_thread(begun.wait)
        since_s = loop.time()
        while loop.time() < since_s + 0.02:
            await lanes.run("free", lambda: None)
        busy_s = lanes.busy_s
        disk_answers.set()
    await close(lanes)

    assert busy_s > 0.019, "less than the work was waited for (the clock's last digits aside)"
    assert lanes.busy_s == 0.0
