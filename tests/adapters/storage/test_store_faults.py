"""The store on a disk that fails, is slow or is gone: nothing changes, and it resumes alone."""

import asyncio
import errno
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.adapters.storage.persist import PersistClasses
from daemon.adapters.storage.store import FileStateStore, StoreOptions
from daemon.core.errors import TransientError
from daemon.core.signal import Key
from tests.adapters.storage.faulty_folder import CALLS, FaultyFolder, failing
from tests.adapters.storage.samples import (
    KEY,
    SANDBOX,
    a_key,
    a_partial,
    an_active,
    an_idle,
    now_ms,
)


class Opened:
    """A store on a folder whose calls can be made to fail."""

    def __init__(self, path: Path, keys: tuple[Key, ...] = ()) -> None:
        self.folder = FaultyFolder(path)
        options = StoreOptions(identity=SANDBOX, classes=PersistClasses(), keys=keys)
        self.store = FileStateStore(self.folder, options, {}, now_ms)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    one = Opened(tmp_path / "state")
    yield one
    one.store.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", CALLS)
async def test_d1_d2_d3_a_failed_save_says_so_and_the_next_one_succeeds(
    opened: Opened, call: str, code: int, tmp_path: Path
) -> None:
    store = opened.store
    await store.load()
    first = await store.save(an_active())
    opened.folder.before = failing(call, code)

    for _ in range(3):
        with pytest.raises(TransientError, match=os.strerror(code)):
            await store.save(an_idle())
    opened.folder.before = lambda call: None
    second = await store.save(an_idle())

    other = Opened(tmp_path / "state")
    stored = await other.store.load()
    await asyncio.to_thread(other.store.close)
    assert first < second
    assert stored.signals == (an_idle(),)
    assert stored.sequences == {("signal", KEY): second}
    assert stored.faults == ()


async def test_d15_a_stuck_sync_holds_up_neither_the_loop_nor_another_key(opened: Opened) -> None:
    store = opened.store
    await store.load()
    disk_answers = threading.Event()
    stuck_once = threading.Event()

    def before(call: str) -> None:
        if call == "sync" and not stuck_once.is_set():
            stuck_once.set()
            disk_answers.wait()

    opened.folder.before = before

    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(store.save(an_active()))
        behind = group.create_task(store.save(an_idle()))
        await asyncio.to_thread(stuck_once.wait)
        for number in range(5):
            assert await store.save(an_active(a_key(f"S{number}"))) == 1
        await store.follow(a_partial())
        assert not stuck.done()
        assert not behind.done()
        disk_answers.set()

    assert (stuck.result(), behind.result()) == (1, 2)


async def test_d17_a_deleted_folder_is_noticed_by_the_next_save(opened: Opened) -> None:
    await opened.store.load()
    await opened.store.save(an_active())
    await asyncio.to_thread(shutil.rmtree, opened.folder.path)

    for _ in range(2):
        with pytest.raises(TransientError, match="deleted, moved or unmounted"):
            await opened.store.save(an_idle())


async def test_d17_a_folder_that_comes_back_is_written_to_again(
    opened: Opened, tmp_path: Path
) -> None:
    await opened.store.load()
    await asyncio.to_thread(os.rename, opened.folder.path, tmp_path / "away")
    with pytest.raises(TransientError):
        await opened.store.save(an_active())
    await asyncio.to_thread(os.rename, tmp_path / "away", opened.folder.path)

    assert await opened.store.save(an_active()) == 2


async def test_d18_a_limit_on_file_sizes_is_an_error_like_any_other(opened: Opened) -> None:
    await opened.store.load()
    await opened.store.save(an_active())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(TransientError, match="File too large"):
            await opened.store.save(an_idle())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert await opened.store.save(an_idle()) == 3


async def test_d19_a_store_on_a_disk_of_short_writes_and_reads(
    opened: Opened, tmp_path: Path
) -> None:
    opened.folder.bytes_per_call = 11
    await opened.store.load()
    await opened.store.save(an_active())

    other = Opened(tmp_path / "state")
    other.folder.bytes_per_call = 13
    stored = await other.store.load()
    await asyncio.to_thread(other.store.close)

    assert stored.signals == (an_active(),)


async def test_d3_a_damaged_file_on_a_read_only_disk_blocks_all_the_same(
    opened: Opened, tmp_path: Path
) -> None:
    await opened.store.load()
    await opened.store.save(an_active())
    file = opened.folder.path / "signal_BTC%2FUSDT_breakout.json"
    file.write_bytes(b"rubbish")
    other = Opened(tmp_path / "state")
    other.folder.before = failing("create", errno.EROFS)

    stored = await other.store.load()
    await asyncio.to_thread(other.store.close)

    assert [(fault.is_blocking, fault.moved_to) for fault in stored.faults] == [(True, "")]
    assert file.read_bytes() == b"rubbish"
