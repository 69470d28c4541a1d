"""Worker processes: what they are sent, and every way in which they can end."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from daemon.adapters.processes.shared_bytes import SharedBytes
from daemon.adapters.processes.workers import Task, Workers
from daemon.core.errors import WorkerError, WorkError

PARTS = [memoryview(b"abc"), memoryview(b""), memoryview(b"defgh")]


def start(material: str, views: list[memoryview]) -> Callable[[str], object]:
    if material == "broken":
        raise RuntimeError("no model")
    if material == "orphan":
        outlive_parent()

    def work(item: str) -> object:
        if item.startswith("note") and is_first(item, Path(material)) and item == "note and die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "raise":
            raise ValueError("a bad item")
        if item == "spin":
            time.sleep(1.0)
        if item == "hang":
            signal.pause()
        if item == "print":
            print("an author's word")
        return material, item, [bytes(view) for view in views], os.getpid()

    return work


def is_first(item: str, begun: Path) -> bool:
    before = begun.read_text() if begun.exists() else ""
    begun.write_text(f"{before}{item}\n")
    return item not in before


def outlive_parent() -> None:
    parent = os.getppid()
    os.kill(parent, signal.SIGKILL)
    while os.getppid() == parent:
        time.sleep(0.01)


@pytest.fixture
def shared() -> Iterator[SharedBytes]:
    made = SharedBytes.of(PARTS)
    # The file is written when it is first needed: not on the loop of a test.
    made.views()
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
    with pytest.raises(WorkError, match=r"ValueError: a bad item \(at test_workers.py:\d+\)"):
        await hand("raise")
    second = await hand("y")
    pids = workers.process_ids
    await workers.close()

    assert first == ("m", "x", [b"abc", b"", b"defgh"], pids[0])
    assert second[3] == pids[0] != os.getpid()
    assert workers.process_ids == []
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_what_an_item_prints_is_not_on_the_standard_output(
    shared: SharedBytes, capfd: pytest.CaptureFixture[str]
) -> None:
    workers = one(shared)
    (hand,) = workers.hands()

    await hand("print")
    await workers.close()

    told = capfd.readouterr()
    assert told.out == ""
    assert "an author's word" in told.err


async def test_an_item_that_kills_its_process_is_given_up_and_the_next_one_works(
    shared: SharedBytes,
) -> None:
    workers = one(shared)
    (hand,) = workers.hands()

    with pytest.raises(WorkError, match=r"died 2 times \(killed by SIGKILL\)"):
        await hand("die")
    after = await hand("x")
    await workers.close()

    assert after[1] == "x"


async def test_closing_ends_a_process_in_the_middle_of_its_work(shared: SharedBytes) -> None:
    workers = one(shared)
    (hand,) = workers.hands()
    await hand("x")
    (pid,) = workers.process_ids

    hanging = asyncio.get_running_loop().create_task(hand("hang"))
    await asyncio.sleep(0.05)
    await workers.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(WorkerError):
        await hanging


async def test_what_cannot_be_sent_or_begun_is_one_line(shared: SharedBytes) -> None:
    for material, message in (
        (lambda: None, r"cannot be sent to other processes: .*top level of a module"),
        ("broken", r"a worker process cannot begin: RuntimeError: no model \(at test_workers"),
    ):
        workers = one(shared, material)
        with pytest.raises(WorkerError, match=message) as caught:
            await workers.hands()[0]("x")
        await workers.close()
        assert "\n" not in str(caught.value)


async def test_an_item_that_waits_for_its_turn_survives_the_death_of_its_process(
    shared: SharedBytes, tmp_path: Path
) -> None:
    workers = one(shared, str(tmp_path / "begun"))
    (hand,) = workers.hands()
    items = ["note and die", "note y", "note z"]

    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(hand(item)) for item in items]
    await workers.close()

    assert [task.result()[1] for task in answers] == items
    assert (tmp_path / "begun").read_text().splitlines() == ["note and die", *items]


async def test_items_are_with_the_process_before_anybody_reads_an_answer(
    shared: SharedBytes, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    workers = one(shared, str(begun))
    (hand,) = workers.hands()
    await hand("x")

    loop = asyncio.get_running_loop()
    given_up, wanted = (loop.create_task(hand(item)) for item in ("note y", "note z"))
    for _ in range(3):
        await asyncio.sleep(0)  # the loop writes what it has when it has nothing else to do
    is_there = both_begin(begun)
    given_up.cancel()
    answer = await wanted
    await workers.close()

    assert is_there
    assert answer[1] == "note z", "not that of the item before, which was given up"


def both_begin(begun: Path) -> bool:
    """Wait for two items while the loop stands still."""
    until_s = perf_counter() + 10.0
    while perf_counter() < until_s:
        if begun.exists() and begun.read_text() == "note y\nnote z\n":
            return True
        time.sleep(0.01)
    return False


async def test_one_who_goes_while_the_process_starts_leaves_it_to_the_next(
    shared: SharedBytes,
) -> None:
    workers = one(shared)
    (hand,) = workers.hands()
    loop = asyncio.get_running_loop()

    gone = loop.create_task(hand("x"))
    await asyncio.sleep(0)
    gone.cancel()
    answers = [await hand("y"), await hand("z")]
    pids = workers.process_ids
    await workers.close()

    assert [answer[1] for answer in answers] == ["y", "z"]
    assert [answer[3] for answer in answers] == pids * 2


async def test_closing_gives_up_what_waits_for_its_turn(
    shared: SharedBytes, tmp_path: Path
) -> None:
    workers = one(shared, str(tmp_path / "begun"))
    (hand,) = workers.hands()
    await hand("note x")

    loop = asyncio.get_running_loop()
    waiting = [loop.create_task(hand(item)) for item in ("hang", "note y")]
    await asyncio.sleep(0.05)
    await workers.close()
    ended = await asyncio.wait(waiting)

    assert len(ended[0]) == 2
    assert workers.process_ids == []
    assert (tmp_path / "begun").read_text() == "note x\n"
    assert await are_gone("worker-process")


async def are_gone(threads: str) -> bool:
    """Wait for the end of threads with such names: they were told, and nobody waited for them."""
    for _ in range(500):
        if not [each for each in threading.enumerate() if each.name.startswith(threads)]:
            return True
        await asyncio.sleep(0.01)
    return False


async def copied(shared: SharedBytes, count: int = 1) -> Workers[Any, str, Any]:
    workers: Workers[Any, str, Any] = Workers(Task(start, "m", shared), count)
    await workers.copy_here(start("here", shared.views()))
    return workers


async def test_a_copy_works_with_what_is_there_and_is_there_at_once(shared: SharedBytes) -> None:
    workers = await copied(shared, 2)
    pids = workers.process_ids
    one, two = workers.hands()

    answers = [await one("x"), await two("y"), await one("z")]
    await workers.close()

    assert answers == [
        ("here", item, [b"abc", b"", b"defgh"], pid)
        for item, pid in (("x", pids[0]), ("y", pids[1]), ("z", pids[0]))
    ]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_in_the_place_of_a_copy_that_died_one_is_started_afresh(shared: SharedBytes) -> None:
    workers = await copied(shared)
    (hand,) = workers.hands()
    (pid,) = workers.process_ids

    with pytest.raises(WorkError, match=r"died 2 times \(killed by SIGKILL\)"):
        await hand("die")
    after = await hand("x")
    await workers.close()

    assert after[0] == "m"
    assert after[3] not in (pid, os.getpid())


async def test_a_copy_hears_neither_ctrl_c_nor_what_its_original_is_told(
    shared: SharedBytes,
) -> None:
    heard: list[str] = []
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, heard.append, "told to end")
    workers = await copied(shared, 2)
    one, two = workers.hands()
    pids = workers.process_ids
    # They have begun: until then a copy may hear what its original hears.
    await one("w")
    await two("w")

    os.kill(pids[0], signal.SIGINT)
    after = await one("x")
    os.kill(pids[1], signal.SIGTERM)
    afresh = await two("y")
    loop.remove_signal_handler(signal.SIGTERM)
    await workers.close()

    assert (after[3], afresh[0]) == (pids[0], "m")
    assert heard == []


async def test_a_copy_too_works_only_with_what_could_be_sent(shared: SharedBytes) -> None:
    workers = one(shared, lambda: None)

    with pytest.raises(WorkerError, match="cannot be sent to other processes"):
        await workers.copy_here(start("here", shared.views()))

    await workers.close()
