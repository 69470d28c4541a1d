"""The state folder on file systems that are really full, read-only, unmounted or failing."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.core.errors import FatalError, TransientError
from daemon.ports import Journal
from tests.adapters.storage.samples import a_storage, a_write, an_active, an_idle

pytestmark = pytest.mark.root


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a small file system of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    options = getattr(request, "param", "size=512k")
    mount("-t", "tmpfs", "-o", options, "tmpfs", str(path))
    yield path
    subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def take_inodes(disk: Path) -> list[Path]:
    """Take every file that is left."""
    taken: list[Path] = []
    with contextlib.suppress(OSError):
        while True:
            taken.append(disk / f"inode-{len(taken)}")
            taken[-1].touch()
    return taken


async def append_until_full(journal: Journal) -> None:
    """Append: some lines may still fit into the page that their segment has begun."""
    for seq in range(2, 50):
        await journal.append([a_write(seq)])


async def test_d1_a_full_disk_stops_saving_and_room_lets_it_go_on(disk: Path) -> None:
    async with a_storage(disk / "state") as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        await storage.journal.append([a_write(1)])
        filler = await asyncio.to_thread(fill, disk)
        for _ in range(2):
            with pytest.raises(TransientError, match="No space left"):
                await storage.state.save(an_idle())
        with pytest.raises(TransientError, match="No space left"):
            await append_until_full(storage.journal)
        last_number = storage.journal.last_number
        await asyncio.to_thread(filler.unlink)
        seq = await storage.state.save(an_idle())
        await storage.journal.append([a_write(seq + 50)])

    async with a_storage(disk / "state") as storage:
        stored = await storage.state.load()
        numbers = [item.number for item in await storage.journal.read(0, 100)]
    # The journal was told numbers that no file ever had: only this test may do that.
    assert [fault.is_blocking for fault in stored.faults] == [True]
    assert numbers == list(range(1, last_number + 2))


@pytest.mark.parametrize("disk", ["size=1m,nr_inodes=40"], indirect=True)
async def test_d18_a_disk_without_inodes_stops_saving_and_resumes(disk: Path) -> None:
    async with a_storage(disk / "state") as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        taken = await asyncio.to_thread(take_inodes, disk)
        with pytest.raises(TransientError, match="No space left"):
            await storage.state.save(an_idle())
        for file in taken[:3]:  # a hard link counts as one too
            await asyncio.to_thread(file.unlink)
        assert await storage.state.save(an_idle()) == 3

    async with a_storage(disk / "state") as storage:
        assert (await storage.state.load()).signals == (an_idle(),)


async def test_d3_a_start_on_a_read_only_disk_says_so(disk: Path) -> None:
    async with a_storage(disk / "state") as storage:
        await storage.state.load()
    await asyncio.to_thread(mount, "-o", "remount,ro", str(disk))

    with pytest.raises(FatalError, match="Read-only"):
        async with a_storage(disk / "state"):
            pass


async def test_d17_an_unmounted_folder_is_noticed_by_the_next_write(disk: Path) -> None:
    async with a_storage(disk / "state") as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        await asyncio.to_thread(subprocess.run, ["umount", "-l", str(disk)], check=True)

        with pytest.raises(TransientError, match="unmounted"):
            await storage.state.save(an_idle())
        with pytest.raises(TransientError, match="unmounted"):
            await storage.journal.append([a_write(1)])
        with pytest.raises(TransientError, match="unmounted"):
            await storage.cursors.save_cursor("telegram", 1)


async def test_d11_a_folder_of_another_user_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "state"
    async with a_storage(path):
        pass
    await asyncio.to_thread(os.chown, path, 12345, 12345)

    with pytest.raises(FatalError, match="belongs to user 12345, tickd runs as root: run it as"):
        async with a_storage(path):
            pass


@pytest.mark.parametrize(
    ("parent_mode", "remedy"), [(0o755, "chown -R 12345"), (0o700, "set daemon.state_dir")]
)
async def test_d11_a_folder_of_roots_is_refused_to_another_user_with_the_remedy(
    parent_mode: int, remedy: str
) -> None:
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent) / "state"
        async with a_storage(path):
            pass
        await asyncio.to_thread(os.chmod, parent, parent_mode)
        os.seteuid(12345)
        try:
            with pytest.raises(FatalError, match=remedy):
                async with a_storage(path):
                    pass
        finally:
            os.seteuid(0)


PROGRAM = """
    import asyncio, sys
    from pathlib import Path
    from daemon.core.errors import TransientError
    from tests.adapters.storage.samples import a_storage, a_write, an_active

    async def main():
        async with a_storage(Path(sys.argv[1])) as storage:
            await storage.state.load()
            failed = 0
            for number in range(1, 9):
                while True:
                    try:
                        seq = await storage.state.save(an_active(number=number))
                        await storage.journal.append([a_write(seq)])
                        break
                    except TransientError as error:
                        failed += 1
                        assert failed < 50, error
            print(f"failed {failed} last {storage.journal.last_number}")

    asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("fault", "is_felt"),
    [
        ("fsync:error=EIO:when=3+3", True),
        ("fdatasync:error=EIO:when=1+2", True),
        ("rename,renameat,renameat2:error=EROFS:when=3+4", True),
        ("fsync:error=EINTR:when=1+2", False),
        ("fsync:delay_enter=20000:when=1+1", False),
    ],
)
def test_d2_d3_d15_d19_injected_into_the_system_calls(
    tmp_path: Path, fault: str, is_felt: bool
) -> None:
    path = tmp_path / "state"
    asyncio.run(opened_once(path))
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}"]
    command += [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    _, failed, _, last = done.stdout.split()
    assert last == "8"
    if is_felt:
        assert int(failed) > 0
    asyncio.run(holds_the_eighth(path))


async def opened_once(path: Path) -> None:
    async with a_storage(path):
        pass


async def holds_the_eighth(path: Path) -> None:
    async with a_storage(path) as storage:
        stored = await storage.state.load()
    assert stored.faults == ()
    assert stored.signals == (an_active(number=8),)
