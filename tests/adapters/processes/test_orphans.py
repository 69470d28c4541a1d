"""No worker process is left behind, however the one that started it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

PARENT = """
import asyncio, signal, uvloop
from daemon.adapters.processes.workers import Task, Workers
from daemon.adapters.processes.shared_bytes import SharedBytes
from tests.adapters.processes.test_workers import PARTS, start
signal.signal(signal.SIGINT, signal.default_int_handler)  # behind a shell it is ignored

async def main():
    shared = SharedBytes.of(PARTS)
    workers = Workers(Task(start, "{material}", shared), {count})
    if {is_copied}:
        await workers.copy_here(start("m", shared.views()))
    hand, *_ = workers.hands()
    await hand("x")
    print(*workers.process_ids, flush=True)
    await {then}

{loop}.run(main())
"""


@pytest.mark.parametrize(
    ("then", "number", "is_copied", "loop"),
    [
        ("asyncio.sleep(60)", signal.SIGKILL, False, "asyncio"),
        ("asyncio.sleep(60)", signal.SIGKILL, True, "asyncio"),
        ("asyncio.sleep(60)", signal.SIGKILL, True, "uvloop"),
        ("asyncio.sleep(60)", signal.SIGINT, False, "asyncio"),
        ('hand("spin")', signal.SIGKILL, False, "uvloop"),
        ('hand("spin")', signal.SIGKILL, True, "asyncio"),
        ('hand("spin")', signal.SIGINT, True, "asyncio"),
    ],
)
def test_no_worker_outlives_the_process_that_started_it(
    then: str, number: int, is_copied: bool, loop: str
) -> None:
    # Of two copies each has the line of the other.
    count = 2 if is_copied else 1
    source = PARENT.format(then=then, is_copied=is_copied, count=count, material="m", loop=loop)
    parent = subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout is not None
    workers = set(map(int, parent.stdout.readline().split()))
    assert len(workers) == (2 if is_copied else 1)
    parent.send_signal(number)
    parent.wait(timeout=20)
    parent.stdout.close()

    for _ in range(400):
        workers = {worker for worker in workers if is_alive(worker)}
        if not workers:
            return
        time.sleep(0.02)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    raise AssertionError("a worker went on")


def test_a_worker_whose_parent_dies_while_it_begins_goes_without_a_word() -> None:
    source = PARENT.format(then="None", is_copied=False, count=1, material="orphan", loop="asyncio")

    # All that hold the standard error are gone when it has been read.
    ended = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, timeout=30, check=False
    )

    assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, b"")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
