"""The state store on a real folder: order, numbers, trust, and what stays blocked."""

import asyncio
from pathlib import Path

import pytest

from daemon.core.errors import FatalError
from daemon.core.records import ScheduleRecord
from tests.adapters.storage.samples import (
    KEY,
    a_partial,
    a_risk,
    a_storage,
    a_waiting,
    an_active,
    an_idle,
)
from tests.adapters.storage.store_stage import (
    SCHEDULE,
    loaded,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox-signal"


async def test_what_was_saved_is_loaded_with_its_number(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        records = (an_active(), an_idle(), a_waiting())
        numbers = [await storage.state.save(record) for record in records]

    stored = await loaded(path)

    assert numbers == [1, 2, 1]
    assert stored.signals == (an_idle(),)
    assert stored.schedules == (a_waiting(),)
    assert stored.faults == ()
    assert stored.sequences == {("signal", KEY): 2, ("schedule", KEY): 1}


async def test_h1_a_waiting_signal_survives_and_its_end_is_written_as_null(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(a_waiting())
        await storage.state.save(ScheduleRecord(key=KEY))

    stored = await loaded(path)

    assert stored.schedules == (ScheduleRecord(key=KEY),)
    assert (path / SCHEDULE).exists()


async def test_saves_of_one_key_keep_their_order(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(storage.state.save(an_active(number=number)))
                for number in range(1, 21)
            ]

    stored = await loaded(path)

    assert [task.result() for task in tasks] == list(range(1, 21))
    assert stored.signals == (an_active(number=20),)


async def test_a_save_goes_on_though_its_caller_is_cancelled(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        task = asyncio.get_running_loop().create_task(storage.state.save(an_active()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert (await loaded(path)).signals == (an_active(),)


async def test_of_many_followers_the_newest_stays(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        async with asyncio.TaskGroup() as group:
            for level in range(10, 110, 10):
                group.create_task(storage.state.follow(a_partial(level=level)))
            group.create_task(storage.state.follow(a_risk()))
        partial = (path / "partial_BTC%2FUSDT.json").read_text()

    assert "100\n" in partial
    assert (path / "risk_BTC%2FUSDT_main.json").exists()


async def test_nothing_is_saved_before_the_folder_was_read(path: Path) -> None:
    async with a_storage(path) as storage:
        with pytest.raises(FatalError, match="must be loaded"):
            await storage.state.save(an_active())
