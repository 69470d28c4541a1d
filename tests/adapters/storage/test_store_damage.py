"""Damaged, swapped, lost and newer state files: noticed, kept aside, never believed."""

import asyncio
from pathlib import Path

import pytest

from daemon.adapters.storage.codec import encode
from daemon.adapters.storage.schema import Identity
from daemon.core.errors import FatalError
from daemon.core.signal import Key
from tests.adapters.storage.samples import (
    KEY,
    a_key,
    a_partial,
    a_storage,
    a_write,
    an_active,
    an_idle,
)
from tests.adapters.storage.store_stage import (
    SIGNAL,
    a_copy,
    a_newer_file,
    an_empty,
    aside,
    loaded,
    plant_what_is_no_file,
    saved,
    the_only,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox-signal"


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
