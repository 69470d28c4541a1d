"""The journal on failing disks, with damaged lines and deleted files."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.lines import decode_entry
from daemon.adapters.storage.segments import list_segments, read_entries
from daemon.core.errors import TransientError
from daemon.core.records import Journaled, JournalEntry
from tests.adapters.storage.faulty_folder import FaultyFolder, failing
from tests.adapters.storage.journal_stage import (
    RUN,
    a_folder,
    append_plainly,
    appended,
    checked,
    opened,
    read_back,
    segments,
)
from tests.adapters.storage.samples import (
    NOW_MS,
    a_candle,
    a_write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the journal's folder in a state folder."""
    path = tmp_path / "state" / "journal"
    path.parent.mkdir(mode=0o700)
    path.mkdir(mode=0o700)
    return path


def events_of(path: Path) -> list[Journaled]:
    one = JournalLog(FaultyFolder(path))
    one.open(0, NOW_MS)
    one.close()
    listed = list_segments(one.folder)
    found = []
    for segment in listed:
        for numbered, _ in read_entries(one.folder, listed, segment, 0):
            entry = decode_entry(numbered.payload)
            assert entry is not None
            found.append(Journaled(number=numbered.number, entry=entry))
    return found


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["create", "write", "sync", "sync_folder"])
@pytest.mark.parametrize("is_first", [True, False])
async def test_d1_d2_d3_a_failed_append_leaves_nothing_and_service_resumes(
    folder: Path, call: str, code: int, is_first: bool
) -> None:
    one = await opened(folder)
    if not is_first:
        await one.journal.append([a_write(1)])
        await one.close()
        one = await opened(folder)
        # Every call is needed only where a segment is begun.
        one.log.close()
    before = await one.numbers()
    one.folder.before = failing(call, code)

    for _ in range(3):
        with pytest.raises(TransientError, match=os.strerror(code)):
            await one.journal.append([a_write(2), RUN])
    assert await one.numbers() == before
    one.folder.before = lambda call: None
    await one.journal.append([a_write(2), RUN])
    await one.close()

    assert [item.entry for item in await read_back(folder)][-2:] == [a_write(2), RUN]
    assert (await checked(folder)).is_sound


async def test_d2_after_a_failed_sync_a_new_segment_is_begun(folder: Path) -> None:
    one = await opened(folder)
    await one.journal.append([a_write(1)])
    one.folder.before = failing("sync", errno.EIO)
    with pytest.raises(TransientError):
        await one.journal.append([a_write(2)])
    one.folder.before = lambda call: None

    await one.journal.append([a_write(2)])
    await one.close()

    assert [file.name for file in segments(folder)] == [
        "journal-000000000001-01.jsonl",
        "journal-000000000002-01.jsonl",
    ]
    assert [item.number for item in await read_back(folder)] == [1, 2]


async def test_d2_what_a_failed_append_left_in_the_old_segment_never_counts(
    folder: Path,
) -> None:
    await appended(folder, a_write(1), a_write(2))
    first = segments(folder)[0].read_bytes()
    one = await opened(folder)
    one.folder.before = failing("sync", errno.EIO)
    with pytest.raises(TransientError):
        await one.journal.append([a_write(3)])
    one.folder.before = lambda call: None
    await one.journal.append([RUN])
    await one.close()
    # The pages got through after all, though the sync had failed.
    extra = await line_of(folder / "spare", a_write(3), after=2)
    segments(folder)[0].write_bytes(first + extra)

    found = await read_back(folder)

    assert [(item.number, item.entry) for item in found][2:] == [(3, RUN)]
    assert (await checked(folder)).void_count == 1


async def line_of(path: Path, entry: JournalEntry, after: int) -> bytes:
    one = await opened(await a_folder(path), floor=after)
    await one.journal.append([entry])
    await one.close()
    return segments(path)[0].read_bytes().splitlines(keepends=True)[1]


async def test_d17_a_deleted_journal_is_noticed_at_the_next_append(folder: Path) -> None:
    one = await opened(folder / "journal")
    await one.journal.append([a_write(1)])
    await asyncio.to_thread(remove, folder / "journal")

    with pytest.raises(TransientError, match="deleted"):
        await one.journal.append([a_write(2)])
    await one.close()


async def test_d17_a_deleted_segment_is_not_written_to_any_more(folder: Path) -> None:
    one = await opened(folder)
    await one.journal.append([a_write(1)])
    segments(folder)[0].unlink()

    await one.journal.append([a_write(2)])
    await one.close()

    assert [item.number for item in await read_back(folder)] == [2]


def remove(path: Path) -> None:
    for file in path.iterdir():
        file.unlink()
    path.rmdir()


def test_d6_d7_every_truncation_loses_only_what_was_cut(folder: Path) -> None:
    segment = append_plainly(folder, a_candle(1), a_candle(2), a_candle(3))
    whole = segment.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]

    for length in range(len(whole)):
        path = folder / str(length)
        path.mkdir()
        (path / segment.name).write_bytes(whole[:length])
        log = JournalLog(FaultyFolder(path))
        log.open(0, NOW_MS)
        log.close()

        kept = [end for end in ends if end <= length]
        assert log.index.number == max(0, len(kept) - 1), length
        torn = [file.read_bytes() for file in path.glob("*.torn-*")]
        assert b"".join(torn) == whole[kept[-1] if kept else 0 : length]


def test_d7_every_flipped_bit_costs_at_most_its_own_line(folder: Path) -> None:
    segment = append_plainly(folder, a_candle(1), a_candle(2), a_candle(3))
    whole = segment.read_bytes()
    lines = whole.splitlines(keepends=True)

    for place in range(len(whole)):
        hit = next(n for n in range(len(lines)) if place < sum(map(len, lines[: n + 1])))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path = folder / str(place)
        path.mkdir()
        (path / segment.name).write_bytes(flipped)
        log = JournalLog(FaultyFolder(path))
        log.open(0, NOW_MS)
        log.close()

        found = [item.number for item in events_of(path)]
        is_line_end = whole[place] == 10
        assert set(found) >= {1, 2, 3} - {hit}, place
        assert set(found) <= {1, 2, 3} if is_line_end else set(found) <= {1, 2, 3} - {hit}, place
        kept = sum(file.stat().st_size for file in path.iterdir())
        assert kept == len(whole), "nothing is ever deleted"
