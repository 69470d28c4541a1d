"""Worker processes: what cannot be sent, and who is cancelled while they begin or end."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from daemon.adapters.processes.shared_bytes import SharedBytes
from daemon.adapters.processes.workers import Task, Workers
from daemon.core.errors import WorkerError, WorkError


def start(_material: None, _views: list[memoryview]) -> Callable[[object], object]:
    return work


def work(item: object) -> object:
    return (lambda: None) if item == "unsendable" else os.getpid()


@pytest.fixture
def shared() -> Iterator[SharedBytes]:
    made = SharedBytes.of([])
    # The file is written when it is first needed: not on the loop of a test.
    made.views()
    yield made
    made.close()


def some_workers(shared: SharedBytes, count: int = 1) -> Workers[Any, object, Any]:
    return Workers(Task(start, None, shared), count)


def alive(pids: list[int]) -> list[int]:
    """Return those that are there, also if they have ended and nobody has asked how."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def test_an_item_that_cannot_be_sent_harms_no_other(shared: SharedBytes) -> None:
    workers = some_workers(shared)
    (hand,) = workers.hands()

    for _ in range(2):
        with pytest.raises(WorkError, match=r"^an item cannot be sent .*lambda[^\n]*$"):
            await hand(lambda: None)
        await hand("x")
    (pid,) = workers.process_ids
    os.kill(pid, signal.SIGKILL)
    after = await hand("y")
    await workers.close()

    assert after != pid


async def test_an_answer_that_cannot_be_sent_is_one_line_and_costs_no_process(
    shared: SharedBytes,
) -> None:
    workers = some_workers(shared)
    (hand,) = workers.hands()
    first = await hand("x")

    with pytest.raises(WorkError, match=r"^in a worker process: .*lambda[^\n]*$"):
        await hand("unsendable")
    second = await hand("y")
    await workers.close()

    assert second == first


async def test_copies_are_made_at_once_and_gone_when_nobody_waits_for_them(
    shared: SharedBytes,
) -> None:
    workers = some_workers(shared, 3)
    copying = asyncio.get_running_loop().create_task(workers.copy_here(work))

    await asyncio.sleep(0)
    pids = workers.process_ids
    copying.cancel()
    await asyncio.wait([copying])
    await workers.close()

    assert copying.cancelled()
    assert len(pids) == 3, "in the loop's next turn a thread may start, and then none can be made"
    assert not alive(pids)


async def test_who_is_cancelled_while_he_closes_hears_of_it_when_all_are_gone(
    shared: SharedBytes,
) -> None:
    workers = some_workers(shared, 2)
    await workers.copy_here(work)
    pids = workers.process_ids

    closing = asyncio.get_running_loop().create_task(workers.close())
    for _ in range(2):
        await asyncio.sleep(0)
        closing.cancel()
    await asyncio.wait([closing])

    assert closing.cancelled()
    assert not alive(pids)


async def test_a_process_for_which_there_is_no_room_is_one_line(
    shared: SharedBytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_process: object) -> None:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", refuse)
    workers = some_workers(shared)

    with pytest.raises(WorkerError, match=r"^a worker process could not be started: Resource"):
        await workers.hands()[0]("x")
    await workers.close()
