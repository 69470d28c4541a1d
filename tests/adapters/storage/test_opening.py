"""The state folder as a whole: opened once, swept, quick, and closed again."""

import asyncio
from pathlib import Path

import pytest

from daemon.adapters.storage.opening import folder_of
from daemon.adapters.storage.schema import Identity
from daemon.core.errors import FatalError, StateLockedError
from daemon.ports import CursorStore, Journal, StateStore
from tests.adapters.storage.samples import (
    a_key,
    a_storage,
    a_waiting,
    a_write,
    an_active,
    an_idle,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dump" / "sandbox-signal"


def are_ports(state: StateStore, journal: Journal, cursors: CursorStore) -> bool:
    return all(map(callable, (state.save, journal.append, cursors.save_cursor)))


async def test_it_gives_the_three_ports(path: Path) -> None:
    async with a_storage(path) as storage:
        assert are_ports(storage.state, storage.journal, storage.cursors)


def test_a_folder_is_named_after_its_exchange_and_mode() -> None:
    identity = Identity(exchange="binance", mode="signal", account="mine")

    assert folder_of(Path("dump"), identity) == Path("dump/binance-signal")


async def test_d13_a_second_daemon_is_refused_and_the_first_goes_on(path: Path) -> None:
    async with a_storage(path) as first:
        await first.state.load()
        with pytest.raises(StateLockedError, match="is in use by the tickd with pid"):
            async with a_storage(path):
                pass
        assert await first.state.save(an_active()) == 1

    async with a_storage(path) as third:
        assert (await third.state.load()).signals == (an_active(),)


async def test_d21_temp_files_of_a_crash_are_swept_and_counted(path: Path) -> None:
    async with a_storage(path):
        pass
    for folder in (path, path / "journal"):
        (folder / ".tmp-0123456789ab-signal_A_b.json").write_bytes(b"half")

    async with a_storage(path) as storage:
        assert storage.swept_count == 2
        assert not list(path.rglob(".tmp-*"))  # noqa: ASYNC240 (the test may look)


async def test_a_failed_opening_lets_go_of_the_folder(path: Path) -> None:
    async with a_storage(path):
        pass
    (path / "journal").chmod(0o777)
    with pytest.raises(FatalError, match="chmod 700"):
        async with a_storage(path):
            pass
    (path / "journal").chmod(0o700)

    async with a_storage(path) as storage:
        assert storage.notes == ()


async def test_h3_a_crash_between_saving_and_journaling_is_made_good(path: Path) -> None:
    """The outbox of the loaded record, appended under its number, fills the gap just once."""
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        await storage.journal.append([a_write(1)])
        await storage.state.save(an_idle())  # the crash comes here

    for _ in range(2):
        async with a_storage(path) as storage:
            stored = await storage.state.load()
            (record,) = stored.signals
            entry = a_write(stored.sequences["signal", record.key], *record.outbox)
            await storage.journal.append([entry])

    async with a_storage(path) as storage:
        told = [item.entry for item in await storage.journal.read(0, 10)]
    assert told == [a_write(1), a_write(2, *an_idle().outbox)]


async def test_nothing_is_lost_when_it_is_closed_at_once(path: Path) -> None:
    async with asyncio.TaskGroup() as group, a_storage(path) as storage:
        await storage.state.load()
        group.create_task(storage.state.save(an_active()))
        group.create_task(storage.journal.append([a_write(1)]))
        await asyncio.sleep(0)

    async with a_storage(path) as storage:
        assert len((await storage.state.load()).signals) == 1
        assert storage.journal.last_number == 1


async def test_500_saved_signals_are_all_loaded(path: Path) -> None:
    keys = [a_key(f"S{number}/USDT") for number in range(500)]
    async with a_storage(path) as storage:
        await storage.state.load()
        async with asyncio.TaskGroup() as group:
            for key in keys:
                group.create_task(storage.state.save(an_active(key)))
                group.create_task(storage.state.save(a_waiting(key)))
        await storage.journal.append([a_write(1, key=key) for key in keys])

    async with a_storage(path) as storage:
        stored = await storage.state.load()

    assert (len(stored.signals), len(stored.schedules), stored.faults) == (500, 500, ())
