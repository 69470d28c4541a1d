"""Worker processes: what they are sent, and every way in which they can end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from daemon.adapters.processes import SharedBytes, Task, Workers
from daemon.core.errors import WorkerError, WorkError

PARTS = [memoryview(b"abc"), memoryview(b""), memoryview(b"defgh")]


def start(material: str, views: list[memoryview]) -> Callable[[str], object]:
    if material == "broken":
        raise RuntimeError("no model")

    def work(item: str) -> object:
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "raise":
            raise ValueError("a bad item")
        if item == "spin":
            time.sleep(1.0)
        if item == "hang":
            signal.pause()
        return material, item, [bytes(view) for view in views], os.getpid()

    return work


@pytest.fixture
def shared() -> Iterator[SharedBytes]:
    made = SharedBytes.of(PARTS)
    yield made
    made.close()


def one(shared: SharedBytes, material: object = "m") -> Workers[Any, str, Any]:
    return Workers(Task(start, material, shared), 1)


async def test_a_worker_sees_the_bytes_and_survives_what_an_item_raises(
    shared: SharedBytes,
) -> None:
    workers = one(shared)
    (hand,) = workers.hands()

    first = await hand("x")
    with pytest.raises(WorkError, match=r"ValueError: a bad item \(at test_processes.py:\d+\)"):
        await hand("raise")
    second = await hand("y")
    pids = workers.process_ids
    await asyncio.to_thread(workers.close)

    assert first == ("m", "x", [b"abc", b"", b"defgh"], pids[0])
    assert second[3] == pids[0] != os.getpid()
    assert workers.process_ids == []
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_an_item_that_kills_its_process_is_given_up_and_the_next_one_works(
    shared: SharedBytes,
) -> None:
    workers = one(shared)
    (hand,) = workers.hands()

    with pytest.raises(WorkError, match=r"died 2 times \(killed by SIGKILL\)"):
        await hand("die")
    after = await hand("x")
    await asyncio.to_thread(workers.close)

    assert after[1] == "x"


async def test_closing_ends_a_process_in_the_middle_of_its_work(shared: SharedBytes) -> None:
    workers = one(shared)
    (hand,) = workers.hands()
    await hand("x")
    (pid,) = workers.process_ids

    hanging = asyncio.get_running_loop().create_task(hand("hang"))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(workers.close)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(WorkerError):
        await hanging


async def test_what_cannot_be_sent_or_begun_is_one_line(shared: SharedBytes) -> None:
    for material, message in (
        (lambda: None, r"cannot be sent to other processes: .*top level of a module"),
        ("broken", r"a worker process cannot begin: RuntimeError: no model \(at test_proc"),
    ):
        workers = one(shared, material)
        with pytest.raises(WorkerError, match=message) as caught:
            await workers.hands()[0]("x")
        await asyncio.to_thread(workers.close)
        assert "\n" not in str(caught.value)


PARENT = """
import asyncio, os
from daemon.adapters.processes import SharedBytes, Task, Workers
from tests.adapters.test_processes import PARTS, start

async def main():
    workers = Workers(Task(start, "m", SharedBytes.of(PARTS)), 1)
    (hand,) = workers.hands()
    await hand("x")
    print(*workers.process_ids, flush=True)
    await {then}

asyncio.run(main())
"""


@pytest.mark.parametrize("then", ["asyncio.sleep(60)", 'hand("spin")'])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_the_process_that_started_it(then: str, number: int) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.send_signal(number)
    parent.wait(timeout=20)
    parent.stdout.close()

    for _ in range(400):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.kill(worker, signal.SIGKILL)
    raise AssertionError("the worker went on")
