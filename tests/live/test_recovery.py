"""A start reads everything first, builds the portfolio, and does it once for all tasks."""

import asyncio

import pytest

from daemon.core.errors import TransientError
from daemon.core.events import SignalOpened
from daemon.core.records import SignalRecord, StateFault, TransitionEntry
from daemon.core.risk import DayClose, RiskDesk, RiskProfile, TradeHistory
from daemon.core.signal import Key, SignalRow
from daemon.core.states import Active
from daemon.live.recovery import Recovery
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import (
    DiskTrouble,
    MemoryDisk,
    MemoryJournal,
    MemoryStateStore,
    Operation,
)

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
GONE = Key(exchange_name="sandbox", symbol="ETH/USDT", strategy_name="gone")


def a_row(key: Key = KEY) -> SignalRow:
    return SignalRow(
        id="a",
        label="",
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        position="long",
        price_open=100.0,
        price_take_profit=102.0,
        price_stop_loss=98.0,
        minute_estimated_time=60,
        note="",
        scheduled_at=0,
        pending_at=0,
        is_scheduled=False,
    )


class Bench:
    def __init__(self, disk: MemoryDisk | None = None) -> None:
        self.disk = disk or MemoryDisk()
        self.loads = 0
        self.failures = 0
        self.risk = RiskDesk([RiskProfile(risk_name="r", validations=())])
        clock = VirtualClock(asyncio.get_running_loop())
        store = MemoryStateStore(self.disk, self.hook)
        journal = MemoryJournal(self.disk)
        self.recovery = Recovery(store, journal, clock, {KEY: ("r",)}, self.risk)

    def hook(self, operation: Operation, subject: str) -> DiskTrouble | None:
        self.loads += operation == "load"
        if operation == "load" and self.loads <= self.failures:
            return DiskTrouble(error=TransientError("stale file handle"))
        return None

    def keep(self, record: SignalRecord, seq: int = 1) -> None:
        self.disk.signals[record.key] = record
        self.disk.sequences["signal", record.key] = seq


def test_all_callers_share_one_load() -> None:
    async def scene() -> int:
        bench = Bench()
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(bench.recovery.wait_for_init(KEY))
        return bench.loads

    assert run_virtual(scene()) == 1


def test_a_failure_can_be_tried_again() -> None:
    async def scene() -> int:
        bench = Bench()
        bench.failures = 1
        with pytest.raises(TransientError):
            await bench.recovery.wait_for_init(KEY)
        await bench.recovery.wait_for_init(KEY)
        return bench.loads

    assert run_virtual(scene()) == 2


def test_a_cancelled_caller_does_not_cancel_the_load_of_the_others() -> None:
    async def scene() -> bool:
        bench = Bench()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(bench.recovery.wait_for_init(KEY))
            other = group.create_task(bench.recovery.wait_for_init(KEY))
            await asyncio.sleep(0)
            first.cancel()
            await other
        return bench.loads == 1

    assert run_virtual(scene())


def test_the_portfolio_holds_what_is_open_and_remembers_the_day() -> None:
    async def scene() -> Bench:
        bench = Bench()
        history = TradeHistory(closes=(DayClose(at_ms=5, pnl_percentage=-1.0),), last_loss_at=5)
        bench.keep(SignalRecord(key=KEY, state=Active(signal=a_row()), history=history))
        await bench.recovery.recovered()
        return bench

    bench = run_virtual(scene())

    assert [item.signal for item in bench.risk.positions("r")] == [a_row()]


def test_an_orphan_holds_the_slots_of_its_own_profiles() -> None:
    async def scene() -> tuple[Bench, tuple[Key, ...]]:
        bench = Bench()
        state = Active(signal=a_row(GONE))
        bench.keep(SignalRecord(key=GONE, state=state, risk_names=("r",)))
        found = await bench.recovery.recovered()
        return bench, found.orphans

    bench, orphans = run_virtual(scene())

    assert orphans == (GONE,)
    assert len(bench.risk.positions("r")) == 1


def test_a_key_that_is_not_trusted_counts_as_one_position() -> None:
    async def scene() -> tuple[Bench, str]:
        bench = Bench()
        bench.disk.faults.append(
            StateFault(
                kind="signal", file="f", key=KEY, message="damaged", moved_to="g", is_blocking=True
            )
        )
        return bench, (await bench.recovery.wait_for_init(KEY)).block

    bench, block = run_virtual(scene())

    assert block == "damaged"
    assert len(bench.risk.positions("r")) == 1


def test_h4_what_a_crash_kept_from_the_journal_is_journaled_at_the_next_start_once() -> None:
    event = SignalOpened(id="a-opened", key=KEY, signal=a_row(), current_price=100.0, at_ms=7)

    async def scene() -> MemoryDisk:
        bench = Bench()
        bench.keep(SignalRecord(key=KEY, state=Active(signal=a_row()), outbox=(event,)), seq=3)
        await bench.recovery.recovered()
        again = Bench()
        again.disk = bench.disk
        again.recovery = Recovery(
            MemoryStateStore(bench.disk),
            MemoryJournal(bench.disk),
            again.recovery._clock,
            {},
            again.risk,
        )
        await again.recovery.recovered()
        return bench.disk

    disk = run_virtual(scene())

    entries = [item.entry for item in disk.entries]
    assert [entry.events for entry in entries if isinstance(entry, TransitionEntry)] == [(event,)]
    assert len(entries) == 1
