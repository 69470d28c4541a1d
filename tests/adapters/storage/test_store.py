"""The state store on a real folder: order, numbers, trust, and what stays blocked."""

import asyncio
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from daemon.adapters.storage.codec import encode
from daemon.adapters.storage.schema import Identity
from daemon.core.errors import FatalError
from daemon.core.records import ScheduleRecord, StoredState
from daemon.core.signal import Key
from tests.adapters.storage.samples import (
    KEY,
    a_key,
    a_partial,
    a_risk,
    a_storage,
    a_waiting,
    a_write,
    an_active,
    an_idle,
)

SIGNAL = "signal_BTC%2FUSDT_breakout.json"
SCHEDULE = "schedule_BTC%2FUSDT_breakout.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox-signal"


async def saved(path: Path, *, journaled: int = 0) -> None:
    """Save an active, then an idle signal (numbers 1 and 2); journal the first `journaled`."""
    async with a_storage(path) as storage:
        await storage.state.load()
        for number, record in ((1, an_active()), (2, an_idle())):
            assert await storage.state.save(record) == number
        await storage.journal.append([a_write(seq) for seq in range(1, journaled + 1)])


async def loaded(path: Path) -> StoredState:
    async with a_storage(path) as storage:
        return await storage.state.load()


def aside(path: Path, name: str = SIGNAL, why: str = "corrupt") -> list[bytes]:
    return [file.read_bytes() for file in path.glob(f"{name}.{why}-*")]


def the_only(path: Path, pattern: str) -> Path:
    (found,) = path.glob(pattern)
    return found


def an_empty(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def plant_what_is_no_file(path: Path) -> None:
    an_empty(path / "signal_A_b.json")
    os.mkfifo(path / "signal_C_d.json")
    (path / "signal_E_f.json").symlink_to("/dev/zero")
    with (path / "signal_G_h.json").open("wb") as huge:
        huge.truncate(1 << 30)


def a_copy(path: Path, copy: Path) -> None:
    skip = shutil.ignore_patterns(".tmp-*")
    shutil.copytree(path, copy, copy_function=shutil.copy, ignore=skip)
    for folder in (copy, copy / "journal"):
        folder.chmod(0o700)


def a_newer_file(data: bytes) -> bytes:
    """Return the same file as a later program would write it."""
    head, _, body = data.split(b"\n", 2)
    body = body.replace(b'"schema": 1', b'"schema": 2').replace(b'"record"', b'"matter"')
    digest = sha256(body).hexdigest().encode()
    return b"\n".join([head, b'  "checksum": "sha256:' + digest + b'",', body])


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


async def test_d7_a_damaged_file_that_was_announced_blocks_its_key_for_good(path: Path) -> None:
    await saved(path, journaled=2)
    damaged = (path / SIGNAL).read_bytes()[:-5]
    (path / SIGNAL).write_bytes(damaged)

    for _ in range(3):  # every start tells it again
        async with a_storage(path) as storage:
            stored = await storage.state.load()
            with pytest.raises(FatalError, match="tickd state repair"):
                await storage.state.save(an_active())

        assert stored.signals == ()
        (fault,) = stored.faults
        assert fault.is_blocking
        assert fault.key == KEY
        assert fault.moved_to.startswith(f"{SIGNAL}.corrupt-")
        assert aside(path) == [damaged]
        assert (path / f"{SIGNAL}.prev").exists()


async def test_d6_a_damaged_file_that_was_never_announced_gives_way_to_the_one_before(
    path: Path,
) -> None:
    await saved(path, journaled=1)
    damaged = (path / SIGNAL).read_bytes()[:-5] + b"\0" * 5
    (path / SIGNAL).write_bytes(damaged)

    first, second = await loaded(path), await loaded(path)

    (fault,) = first.faults
    assert not fault.is_blocking
    assert "nobody was told" in fault.message
    assert aside(path) == [damaged]
    assert first.signals == second.signals == (an_active(),)
    assert first.sequences == second.sequences == {("signal", KEY): 1}
    assert second.faults == ()


async def test_d7_a_closed_signal_does_not_come_back_with_the_version_before(path: Path) -> None:
    await saved(path, journaled=2)
    (path / SIGNAL).write_bytes(b"")

    stored = await loaded(path)

    assert stored.signals == ()
    assert stored.faults[0].is_blocking


async def test_d8_an_older_copy_is_not_believed(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        backup = (path / SIGNAL).read_bytes()
        for _ in range(3):
            await storage.state.save(an_idle())
        await storage.journal.append([a_write(seq) for seq in range(1, 5)])
    (path / SIGNAL).write_bytes(backup)
    (path / f"{SIGNAL}.prev").write_bytes(backup)

    stored = await loaded(path)

    assert stored.signals == ()
    assert stored.faults[0].is_blocking
    assert "older copy" in stored.faults[0].message
    assert aside(path) == [backup]


@pytest.mark.parametrize("is_previous_left", [True, False])
async def test_d8_a_missing_file_that_the_journal_knows_blocks(
    path: Path, is_previous_left: bool
) -> None:
    await saved(path, journaled=2)
    (path / SIGNAL).unlink()
    if not is_previous_left:
        (path / f"{SIGNAL}.prev").unlink()

    first, second = await loaded(path), await loaded(path)

    assert first.signals == second.signals == ()
    assert [fault.is_blocking for fault in first.faults] == [True]
    assert "missing" in first.faults[0].message
    assert second.faults == first.faults


async def test_a_blocked_key_stays_blocked_even_if_the_journal_is_lost(path: Path) -> None:
    await saved(path, journaled=2)
    (path / SIGNAL).unlink()
    await loaded(path)
    for segment in (path / "journal").iterdir():
        segment.unlink()

    stored = await loaded(path)

    assert stored.signals == ()
    assert [fault.is_blocking for fault in stored.faults] == [True]


async def test_a_lost_file_of_a_lost_journal_gives_way_to_the_one_before(path: Path) -> None:
    await saved(path)
    (path / SIGNAL).unlink()

    stored = await loaded(path)

    assert stored.signals == (an_active(),)


async def test_d8_files_swapped_between_two_strategies_are_both_refused(path: Path) -> None:
    other = a_key(strategy_name="reversal")
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_active())
        await storage.state.save(an_active(other))
    one, two = path / SIGNAL, path / "signal_BTC%2FUSDT_reversal.json"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)

    stored = await loaded(path)

    assert stored.signals == ()
    assert {fault.key for fault in stored.faults if fault.is_blocking} == {KEY, other}
    assert "it is the file of signal BTC/USDT reversal" in stored.faults[0].message


@pytest.mark.parametrize(
    "foreign",
    [
        Identity(exchange="sandbox", mode="live"),
        Identity(exchange="sandbox", mode="signal", account="other"),
    ],
)
async def test_d8_a_file_of_another_account_or_mode_is_refused(
    path: Path, foreign: Identity
) -> None:
    (an_empty(path) / SIGNAL).write_bytes(encode(an_active(), 1, foreign))

    stored = await loaded(path)

    assert stored.signals == ()
    assert stored.faults[0].is_blocking
    assert f"it belongs to {foreign}" in stored.faults[0].message


async def test_a_stray_copy_is_set_aside_and_blocks_nobody(path: Path) -> None:
    await saved(path, journaled=2)
    stray = path / "signal_BTC%2FUSDT_breakout (copy).json"
    stray.write_bytes((path / SIGNAL).read_bytes())

    stored = await loaded(path)

    assert stored.signals == (an_idle(),)
    assert [fault.is_blocking for fault in stored.faults] == [False]
    assert not stray.exists()
    assert len(aside(path, stray.name)) == 1


async def test_d9_a_newer_schema_is_left_alone_and_blocks(path: Path) -> None:
    await saved(path, journaled=2)
    newer = a_newer_file((path / SIGNAL).read_bytes())
    (path / SIGNAL).write_bytes(newer)

    for _ in range(2):
        async with a_storage(path) as storage:
            stored = await storage.state.load()
            with pytest.raises(FatalError, match="schema 2"):
                await storage.state.save(an_active())

        assert stored.faults[0].is_blocking
        assert "schema 2" in stored.faults[0].message
        assert stored.faults[0].moved_to == ""
        assert (path / SIGNAL).read_bytes() == newer


async def test_a_damaged_follower_is_set_aside_and_rebuilt(path: Path) -> None:
    name = "partial_BTC%2FUSDT.json"
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.follow(a_partial())
    (path / name).write_bytes(b"{}")

    async with a_storage(path) as storage:
        stored = await storage.state.load()
        await storage.state.follow(a_partial(level=20))
    again = await loaded(path)

    assert [fault.is_blocking for fault in stored.faults] == [False]
    assert aside(path, name) == [b"{}"]
    assert again.faults == ()


async def test_a_newer_follower_is_left_alone_and_blocks_nobody(path: Path) -> None:
    name = "partial_BTC%2FUSDT.json"
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.follow(a_partial())
    newer = a_newer_file((path / name).read_bytes())
    (path / name).write_bytes(newer)

    async with a_storage(path) as storage:
        stored = await storage.state.load()
        await storage.state.follow(a_partial(level=20))

    assert [fault.is_blocking for fault in stored.faults] == [False]
    assert (path / name).read_bytes() == newer


async def test_d14_a_damaged_file_with_a_cut_name_is_known_by_the_journal(path: Path) -> None:
    key = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="x" * 300)
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_active(key))
        await storage.journal.append([a_write(1, key=key)])
    file = the_only(path, "signal_*.json")

    assert (await loaded(path)).signals == (an_active(key),)
    file.write_bytes(b"garbage")

    stored = await loaded(path)

    assert [(fault.key, fault.is_blocking) for fault in stored.faults] == [(key, True)]


async def test_d14_a_damaged_cut_name_that_nobody_knows_still_takes_no_writes(path: Path) -> None:
    key = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="x" * 300)
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_active(key))
    file = the_only(path, "signal_*.json")
    file.write_bytes(b"garbage")

    async with a_storage(path) as storage:
        stored = await storage.state.load()
        with pytest.raises(FatalError):
            await storage.state.save(an_active(key))

    assert [(fault.key, fault.is_blocking) for fault in stored.faults] == [(None, True)]


async def test_d16_what_is_no_file_is_moved_aside_without_hanging(path: Path) -> None:
    plant_what_is_no_file(an_empty(path))

    stored = await loaded(path)

    assert [fault.is_blocking for fault in stored.faults] == [True] * 4
    for name in ("signal_A_b.json", "signal_C_d.json", "signal_E_f.json", "signal_G_h.json"):
        assert the_only(path, f"{name}.corrupt-*").name.startswith(name)
    reasons = " ".join(fault.message for fault in stored.faults)
    for word in ("not a regular file", "symbolic link", "1073741824 bytes"):
        assert word in reasons


async def test_d20_a_copy_of_a_living_folder_loads_or_blocks_never_lies(
    path: Path, tmp_path: Path
) -> None:
    keys = [a_key(strategy_name=f"s{number}") for number in range(4)]
    copies = [tmp_path / f"copy-{number}" for number in range(5)]
    async with a_storage(path) as storage:
        await storage.state.load()
        for number, copy in enumerate(copies, start=1):
            async with asyncio.TaskGroup() as group:
                for key in keys:
                    group.create_task(storage.state.save(an_active(key, number)))
                await asyncio.to_thread(a_copy, path, copy)
            await storage.journal.append([a_write(number, key=key) for key in keys])

    for number, copy in enumerate(copies, start=1):
        stored = await loaded(copy)
        whole = {an_active(key, age) for key in keys for age in (number - 1, number)}
        blocked = {fault.key for fault in stored.faults if fault.is_blocking}

        assert set(stored.signals) <= whole
        assert blocked.isdisjoint(record.key for record in stored.signals)
