"""The journal: numbered without gaps, never half appended, and readable after any damage."""

import asyncio
import errno
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.adapters.storage import lines as lines_module
from daemon.adapters.storage.journal import RECENT_COUNT, FileJournal
from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.journal_tools import JournalCheck, read_events, verify_journal
from daemon.adapters.storage.lines import decode_entry, encode_entry
from daemon.adapters.storage.segments import list_segments, read_entries
from daemon.core.errors import FatalError, TransientError
from daemon.core.records import CommandEntry, Journaled, JournalEntry, RunEntry
from tests.adapters.storage.faulty_folder import Before, FaultyFolder, failing
from tests.adapters.storage.samples import (
    KEY,
    NOW_MS,
    a_candle,
    a_key,
    a_risk,
    a_storage,
    a_write,
    an_opened,
)

RUN = RunEntry(version="0.1.0", config_hash="abc", at_ms=1)
COMMAND = CommandEntry(command="stop", target="BTC/USDT", origin="cli", at_ms=2)


class Opened:
    """A journal on a folder whose calls can be made to fail."""

    def __init__(self, path: Path, segment_bytes_max: int = 1 << 24, floor: int = 0) -> None:
        self.folder = FaultyFolder(path)
        self.log = JournalLog(self.folder, segment_bytes_max)
        self.log.open(floor, NOW_MS)
        self.journal = FileJournal(self.log)

    async def numbers(self) -> list[int]:
        return [item.number for item in await self.journal.read(0, 10_000)]

    async def close(self) -> None:
        await asyncio.to_thread(self.journal.close)


async def opened(path: Path, segment_bytes_max: int = 1 << 24, floor: int = 0) -> Opened:
    return await asyncio.to_thread(Opened, path, segment_bytes_max, floor)


async def appended(path: Path, *entries: JournalEntry, segment_bytes_max: int = 1 << 24) -> None:
    one = await opened(path, segment_bytes_max)
    for entry in entries:
        await one.journal.append([entry])
    await one.close()


async def read_back(path: Path) -> list[Journaled]:
    one = await opened(path)
    found = list(await one.journal.read(0, 10_000))
    await one.close()
    return found


async def checked(folder: Path) -> JournalCheck:
    return await asyncio.to_thread(verify_journal, folder.parent)


def append_plainly(path: Path, *entries: JournalEntry) -> Path:
    """Append without an event loop; return the segment."""
    log = JournalLog(FaultyFolder(path))
    log.open(0, NOW_MS)
    log.append([(entry, encode_entry(entry)) for entry in entries])
    log.close()
    return segments(path)[0]


def waiting_for(event: threading.Event) -> Before:
    def before(call: str) -> None:
        event.wait()

    return before


def segments(path: Path) -> list[Path]:
    return sorted(path.glob("journal-*.jsonl"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the journal's folder in a state folder."""
    path = tmp_path / "state" / "journal"
    path.parent.mkdir(mode=0o700)
    path.mkdir(mode=0o700)
    return path


async def test_every_kind_of_entry_is_read_back_in_order(folder: Path) -> None:
    error = a_write(0, file="signal")
    entries: list[JournalEntry] = [RUN, a_write(1), a_candle(1), COMMAND, replace(error, file="")]

    await appended(folder, *entries)

    assert await read_back(folder) == [
        Journaled(number=number, entry=entry) for number, entry in enumerate(entries, start=1)
    ]


async def test_repeats_are_left_out_also_after_a_restart(folder: Path) -> None:
    await appended(folder, a_write(1), a_write(1), a_candle(1), a_candle(1), RUN)
    await appended(folder, a_write(1), a_candle(1), RUN, a_write(2), a_candle(2))

    found = [item.entry for item in await read_back(folder)]

    assert found == [a_write(1), a_candle(1), RUN, RUN, a_write(2), a_candle(2)]


async def test_a_line_is_json_for_any_reader(folder: Path) -> None:
    await appended(folder, a_write(1), a_candle(7))

    lines = [json.loads(line) for line in segments(folder)[0].read_text().splitlines()]

    assert [line.get("number") for line in lines] == [None, 1, 2]
    assert lines[2]["entry"]["candle"][0] == 420_000


async def test_concurrent_appends_share_syncs(folder: Path) -> None:
    one = await opened(folder)
    await one.journal.append([RUN])
    disk_answers = threading.Event()
    one.folder.before = waiting_for(disk_answers)
    one.folder.calls.clear()

    async with asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(one.journal.append([a_write(1, key=a_key(f"S{number}"))]))
        await asyncio.sleep(0)
        disk_answers.set()
    numbers = await one.numbers()
    await one.close()

    assert one.folder.calls.count("sync") <= 2
    assert numbers == list(range(1, 102))


async def test_d15_a_stuck_sync_does_not_stop_reading(folder: Path) -> None:
    one = await opened(folder)
    await one.journal.append([RUN])
    disk_answers = threading.Event()
    one.folder.before = waiting_for(disk_answers)

    async with asyncio.TaskGroup() as group:
        stuck = group.create_task(one.journal.append([a_write(1)]))
        await asyncio.sleep(0)
        while_stuck = await one.numbers()
        assert not stuck.done()
        disk_answers.set()
    after = await one.numbers()
    await one.close()

    assert (while_stuck, after) == ([1], [1, 2])


async def test_segments_rotate_and_are_all_kept(folder: Path) -> None:
    entries = [a_write(seq) for seq in range(1, 41)]
    await appended(folder, *entries, segment_bytes_max=4_000)

    one = await opened(folder, 4_000)
    pages: list[int] = []
    while page := await one.journal.read(pages[-1] if pages else 0, 7):
        pages += [item.number for item in page]
    await one.close()

    assert len(segments(folder)) > 5
    assert pages == list(range(1, 41))
    assert one.log.index.sequences == {("signal", KEY): 40}


async def test_what_is_no_longer_in_memory_is_read_from_the_disk(folder: Path) -> None:
    one = await opened(folder)
    count = RECENT_COUNT + 50
    await one.journal.append([a_candle(minute) for minute in range(count)])

    old = await one.journal.read(3, 2)
    new = await one.journal.read(count - 2, 10)
    await one.close()

    assert [item.number for item in old] == [4, 5]
    assert [item.number for item in new] == [count - 1, count]


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


async def test_a_torn_end_is_kept_aside_and_appending_goes_on(folder: Path) -> None:
    await appended(folder, a_write(1))
    with segments(folder)[0].open("ab") as file:
        file.write(b'{"sum":"0123')

    one = await opened(folder)
    await one.journal.append([a_write(2)])
    await one.close()

    (note,) = one.journal.notes
    assert "12 torn bytes" in note
    assert [item.number for item in await read_back(folder)] == [1, 2]


async def test_numbers_go_on_above_what_a_sink_has_dealt_with(folder: Path) -> None:
    """The last line was damaged after it had been delivered: its number must not come again."""
    await appended(folder, a_write(1), a_write(2))
    whole = segments(folder)[0].read_bytes()
    segments(folder)[0].write_bytes(whole[:-9])

    one = await opened(folder, floor=2)
    await one.journal.append([a_write(2)])
    await one.close()

    assert [item.number for item in await read_back(folder)] == [1, 3]
    assert (await checked(folder)).gaps == ((1, 3),)


async def test_the_index_survives_the_loss_of_a_segments_first_line(folder: Path) -> None:
    entries = [a_write(seq) for seq in range(1, 21)]
    await appended(folder, *entries, a_candle(5), segment_bytes_max=4_000)
    for segment in segments(folder)[1:]:
        segment.write_bytes(b"#" + segment.read_bytes()[1:])

    one = await opened(folder)
    await one.close()

    assert one.log.index.number == 21
    assert one.log.index.sequences == {("signal", KEY): 20}
    assert one.log.index.candles == {"BTC/USDT": 300_000}


async def test_d9_a_journal_of_a_newer_schema_is_refused_and_left_alone(folder: Path) -> None:
    body = b'"' + b',"schema":2,"index":"all else"}\n'
    newer = lines_module._MARK + lines_module._digest(body) + body
    (folder / "journal-000000000001-01.jsonl").write_bytes(newer)

    with pytest.raises(FatalError, match="schema 2"):
        await opened(folder)

    assert segments(folder)[0].read_bytes() == newer


async def test_d12_a_linked_segment_is_not_appended_to(folder: Path) -> None:
    path = folder / "journal"
    await appended(await a_folder(path), a_write(1))
    os.link(segments(path)[0], folder / "other-name")
    before = (folder / "other-name").read_bytes()

    await appended(path, a_write(2))

    assert (folder / "other-name").read_bytes() == before
    assert [item.number for item in await read_back(path)] == [1, 2]


async def a_folder(path: Path) -> Path:
    await asyncio.to_thread(path.mkdir, 0o700)
    return path


async def test_p13_an_entry_that_json_cannot_hold_fails_alone(folder: Path) -> None:
    one = await opened(folder)
    bad = replace(a_write(1), events=(replace(an_opened(), current_price=float("nan")),))

    async with asyncio.TaskGroup() as group:
        good = group.create_task(one.journal.append([a_write(1, key=a_key("ETH/USDT"))]))
        with pytest.raises(FatalError, match="cannot be journaled"):
            await one.journal.append([bad])
    numbers = await one.numbers()
    await one.close()

    assert good.result() is None
    assert numbers == [1]


async def test_the_tools_read_a_journal_while_it_is_written(folder: Path) -> None:
    path = folder / "sandbox-signal"
    async with a_storage(path, segment_bytes_max=3_000) as storage:
        await storage.state.load()
        await storage.state.follow(a_risk())
        await storage.journal.append([a_write(seq) for seq in range(1, 11)])
        await storage.journal.append([RUN])
        check = await asyncio.to_thread(verify_journal, path)
        events = await asyncio.to_thread(lambda: list(read_events(path, after=9)))

    assert check.is_sound
    assert (check.entry_count, check.first_number, check.last_number) == (11, 1, 11)
    assert len(check.segments) == 2
    assert [item.number for item in events] == [10, 11]


async def test_a_damaged_line_in_the_middle_is_found_and_the_rest_stays(folder: Path) -> None:
    path = folder / "sandbox-signal"
    async with a_storage(path) as storage:
        await storage.journal.append([a_write(seq) for seq in range(1, 6)])
    (segment,) = segments(path / "journal")
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"long", b"LONG")
    segment.write_bytes(b"".join(lines))

    async with a_storage(path) as storage:
        numbers = [item.number for item in await storage.journal.read(0, 100)]
        await storage.journal.append([a_write(6)])
        check = await asyncio.to_thread(verify_journal, path)

    assert numbers == [1, 2, 4, 5]
    assert not check.is_sound
    assert check.gaps == ((2, 4),)
    assert [(bad.segment, bad.length) for bad in check.bad_lines] == [(segment.name, len(lines[3]))]
    assert check.last_number == 6
