"""The journal: numbered without gaps, never half appended, and readable after any damage."""

import asyncio
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.adapters.storage import lines as lines_module
from daemon.adapters.storage.journal import RECENT_COUNT
from daemon.adapters.storage.journal_tools import read_events, verify_journal
from daemon.core.errors import FatalError
from daemon.core.records import Journaled, JournalEntry
from tests.adapters.storage.journal_stage import (
    COMMAND,
    RUN,
    a_folder,
    appended,
    checked,
    opened,
    read_back,
    segments,
    waiting_for,
)
from tests.adapters.storage.samples import (
    KEY,
    a_candle,
    a_key,
    a_risk,
    a_storage,
    a_write,
    an_opened,
)


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
