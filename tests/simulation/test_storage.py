"""The stores in memory keep what the ports promise, and fail where the hook says."""

import asyncio

import pytest

from daemon.core.errors import FatalError, TransientError
from daemon.core.records import (
    PartialRecord,
    RiskRecord,
    ScheduleRecord,
    SignalRecord,
    StateFault,
    TransitionEntry,
)
from daemon.core.signal import Key
from daemon.ports import CursorStore, Journal, StateStore
from daemon.simulation.storage import (
    DiskTrouble,
    MemoryCursorStore,
    MemoryDisk,
    MemoryJournal,
    MemoryStateStore,
    Operation,
)

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="breakout")
FULL = TransientError("no space left on device")


def a_record(last_signal_id: str = "a") -> SignalRecord:
    return SignalRecord(key=KEY, last_signal_id=last_signal_id)


def a_write(seq: int) -> TransitionEntry:
    return TransitionEntry(key=KEY, events=(), at_ms=seq, file="signal", seq=seq)


class Troubles:
    """Gives one trouble at a time, to the named operation."""

    def __init__(self, operation: Operation, *troubles: DiskTrouble) -> None:
        self._operation = operation
        self._troubles = list(troubles)

    def __call__(self, operation: Operation, subject: str) -> DiskTrouble | None:
        if operation == self._operation and self._troubles:
            return self._troubles.pop(0)
        return None


def are_ports(state: StateStore, journal: Journal, cursors: CursorStore) -> bool:
    return all(map(callable, (state.save, journal.append, cursors.save_cursor)))


def test_they_fit_the_ports() -> None:
    disk = MemoryDisk()

    assert are_ports(MemoryStateStore(disk), MemoryJournal(disk), MemoryCursorStore(disk))


async def test_a_new_store_on_the_same_disk_finds_everything() -> None:
    disk = MemoryDisk()
    store = MemoryStateStore(disk)
    numbers = [await store.save(a_record(name)) for name in "ab"]
    numbers.append(await store.save(ScheduleRecord(key=KEY)))
    await store.follow(RiskRecord(risk_name="main", symbol="BTC/USDT"))
    await store.follow(PartialRecord(symbol="BTC/USDT"))

    stored = await MemoryStateStore(disk).load()

    assert numbers == [1, 2, 1]
    assert stored.signals == (a_record("b"),)
    assert stored.schedules == (ScheduleRecord(key=KEY),)
    assert stored.sequences == {("signal", KEY): 2, ("schedule", KEY): 1}
    assert list(disk.risks) == [("main", "BTC/USDT")]
    assert list(disk.partials) == ["BTC/USDT"]


async def test_a_failed_save_changes_nothing_and_can_be_repeated() -> None:
    disk = MemoryDisk()
    store = MemoryStateStore(disk, Troubles("save", DiskTrouble(error=FULL)))

    with pytest.raises(TransientError, match="no space"):
        await store.save(a_record())

    assert disk.signals == {}
    assert await store.save(a_record()) == 1


async def test_a_late_failure_has_had_its_effect() -> None:
    disk = MemoryDisk()
    trouble = DiskTrouble(error=FULL, is_after=True)
    journal = MemoryJournal(disk, Troubles("append", trouble))

    with pytest.raises(TransientError):
        await journal.append([a_write(1)])
    await journal.append([a_write(1)])

    assert [item.number for item in await journal.read(0, 10)] == [1]


async def test_a_slow_save_keeps_its_place_before_the_next() -> None:
    disk = MemoryDisk()
    store = MemoryStateStore(disk, Troubles("save", DiskTrouble(delay_s=0.01)))

    async with asyncio.TaskGroup() as group:
        slow = group.create_task(store.save(a_record("slow")))
        quick = group.create_task(store.save(a_record("quick")))

    assert (slow.result(), quick.result()) == (1, 2)
    assert disk.signals[KEY].last_signal_id == "quick"


async def test_the_journal_numbers_without_gaps_and_leaves_out_repeats() -> None:
    journal = MemoryJournal(MemoryDisk())
    await journal.append([a_write(1), a_write(2)])
    await journal.append([a_write(2), a_write(3)])

    page = await journal.read(1, 1)

    assert [(item.number, item.entry) for item in page] == [(2, a_write(2))]
    assert journal.last_number == 3
    assert await journal.read(3, 10) == ()


async def test_a_cursor_is_none_until_it_was_saved() -> None:
    disk = MemoryDisk()
    cursors = MemoryCursorStore(disk)

    before = await cursors.load_cursor("telegram")
    await cursors.save_cursor("telegram", 7)

    assert before is None
    assert await MemoryCursorStore(disk).load_cursor("telegram") == 7


async def test_a_blocked_key_is_not_loaded_and_takes_no_saves() -> None:
    disk = MemoryDisk()
    await MemoryStateStore(disk).save(a_record())
    fault = StateFault(
        kind="signal", file="f", key=KEY, message="damaged", moved_to="", is_blocking=True
    )
    disk.faults.append(fault)
    store = MemoryStateStore(disk)

    stored = await store.load()

    assert stored.signals == ()
    assert stored.faults == (fault,)
    with pytest.raises(FatalError):
        await store.save(a_record())
