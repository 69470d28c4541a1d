"""A person decides; nothing is lost by it, and it stays decided."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.adapters.storage.journal_tools import read_events
from daemon.adapters.storage.repair import RepairAction, Repaired, RepairOrder, repair
from daemon.adapters.storage.tools import show
from daemon.core.errors import RejectedError, StateLockedError
from daemon.core.records import CommandEntry, ScheduleRecord, SignalRecord, StoredState
from daemon.core.states import Idle
from tests.adapters.storage.samples import (
    KEY,
    SANDBOX,
    a_row,
    a_storage,
    a_waiting,
    a_write,
    an_active,
    an_idle,
    now_ms,
)

SIGNAL = "signal_BTC%2FUSDT_breakout.json"
SCHEDULE = "schedule_BTC%2FUSDT_breakout.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox-signal"


async def start(path: Path) -> StoredState:
    async with a_storage(path) as storage:
        return await storage.state.load()


async def closed_and_waiting(path: Path) -> None:
    """Leave a closed signal (numbers 1, 2), both told, and its old waiting form (1)."""
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(a_waiting())
        await storage.state.save(an_active())
        await storage.state.save(an_idle())
        await storage.journal.append([a_write(1), a_write(2), a_write(1, file="schedule")])


def damaged(path: Path) -> bytes:
    """Damage the closed signal's file and let a start find it."""
    asyncio.run(closed_and_waiting(path))
    rubbish = b"rubbish" + (path / SIGNAL).read_bytes()
    (path / SIGNAL).write_bytes(rubbish)
    asyncio.run(start(path))
    return rubbish


def decide(path: Path, action: RepairAction) -> tuple[Repaired, ...]:
    return repair(path, SANDBOX, RepairOrder(key=KEY, action=action, origin="cli"), now_ms)


def every_content(path: Path) -> set[bytes]:
    return {file.read_bytes() for file in path.iterdir() if file.is_file()}


def test_flat_frees_the_key_and_its_old_signals_do_not_come_back(path: Path) -> None:
    rubbish = damaged(path)
    previous = (path / f"{SIGNAL}.prev").read_bytes()
    waiting = (path / SCHEDULE).read_bytes()

    done = decide(path, "flat")
    stored = asyncio.run(start(path))

    assert {one.file: one.seq for one in done} == {SIGNAL: 3, SCHEDULE: 2}
    assert stored.faults == ()
    (signal,) = stored.signals
    assert signal.state == Idle()
    assert signal.last_signal_id == a_row().id
    assert stored.schedules == (ScheduleRecord(key=KEY),)
    assert every_content(path) >= {rubbish, previous, waiting}


def test_flat_stays_even_if_its_file_is_damaged_at_once(path: Path) -> None:
    damaged(path)
    decide(path, "flat")
    (path / SIGNAL).write_bytes(b"")

    stored = asyncio.run(start(path))

    assert stored.signals == ()
    assert [fault.is_blocking for fault in stored.faults] == [True]


def test_the_previous_version_is_believed_on_demand_and_tells_nothing_twice(path: Path) -> None:
    damaged(path)

    (done,) = decide(path, "previous")
    stored = asyncio.run(start(path))

    assert done.seq == 3
    assert stored.faults == ()
    (signal,) = stored.signals
    assert signal.state == an_active().state
    assert signal.outbox == ()
    assert stored.schedules == (a_waiting(),)


def test_an_older_copy_that_was_restored_on_purpose_can_be_accepted(path: Path) -> None:
    asyncio.run(closed_and_waiting(path))
    backup = (path / f"{SIGNAL}.prev").read_bytes()
    (path / f"{SIGNAL}.prev").unlink()
    (path / SIGNAL).write_bytes(backup)
    refused = asyncio.run(start(path))

    decide(path, "previous")
    accepted = asyncio.run(start(path))

    assert refused.signals == ()
    assert [signal.state for signal in accepted.signals] == [an_active().state]


def test_a_missing_file_can_be_declared_flat(path: Path) -> None:
    asyncio.run(closed_and_waiting(path))
    for name in (SIGNAL, f"{SIGNAL}.prev"):
        (path / name).unlink()
    with pytest.raises(RejectedError, match="no whole version"):
        decide(path, "previous")

    decide(path, "flat")

    assert asyncio.run(start(path)).signals == (SignalRecord(key=KEY),)


def test_the_decision_is_journaled(path: Path) -> None:
    damaged(path)

    decide(path, "flat")

    commands = [e.entry for e in read_events(path) if isinstance(e.entry, CommandEntry)]
    assert commands == [
        CommandEntry(
            command="repair flat", target="BTC/USDT/breakout", origin="cli", at_ms=now_ms()
        )
    ]


def test_it_can_be_repeated_after_a_crash_in_the_middle(path: Path) -> None:
    damaged(path)
    mark = (path / f"{SIGNAL}.blocked").read_bytes()
    decide(path, "flat")
    (path / f"{SIGNAL}.blocked").write_bytes(mark)  # the crash came before it was taken away
    blocked = asyncio.run(start(path))

    decide(path, "flat")

    assert [fault.is_blocking for fault in blocked.faults] == [True]
    assert asyncio.run(start(path)).faults == ()


@pytest.mark.parametrize("action", ["previous", "flat"])
def test_a_key_that_waits_for_nothing_is_left_alone(path: Path, action: RepairAction) -> None:
    asyncio.run(closed_and_waiting(path))
    before = every_content(path)

    with pytest.raises(RejectedError, match="nothing to repair"):
        decide(path, action)

    assert every_content(path) == before


def test_it_is_refused_while_a_daemon_runs(path: Path) -> None:
    damaged(path)

    async def meanwhile(ask: Callable[[], object]) -> None:
        async with a_storage(path):
            await asyncio.to_thread(ask)

    with pytest.raises(StateLockedError):
        asyncio.run(meanwhile(lambda: decide(path, "flat")))


def test_a_blocked_key_is_shown_as_one_until_then(path: Path) -> None:
    damaged(path)
    before = [state.condition for state in show(path)]

    decide(path, "flat")

    assert before == ["blocked"]
    assert [state.condition for state in show(path)] == ["idle"]
