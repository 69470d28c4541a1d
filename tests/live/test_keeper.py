"""A step is on disk before anybody hears of it, and is kept until it is there."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from daemon.core.errors import TransientError
from daemon.core.events import Announcement
from daemon.core.held import Held
from daemon.core.orders import fill_at_rule_price
from daemon.core.risk import RiskDesk, RiskProfile
from daemon.core.risk_limits import max_positions
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal
from daemon.core.states import Active, Idle, Proposal, Scheduled, tick
from daemon.core.subjects import Subjects
from daemon.core.trader import Advance, Desk, advance, propose
from daemon.core.validation import Moment
from daemon.live.health import Health
from daemon.live.keeper import Keeper, Ledger
from daemon.live.timings import Timings
from daemon.live.troubles import Troubles
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import (
    DiskTrouble,
    MemoryDisk,
    MemoryJournal,
    MemoryStateStore,
    Operation,
)
from tests.live.scene import AMeter

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
OTHER = replace(KEY, symbol="ETH/USDT")


class Bench:
    """A keeper over a disk whose troubles a test decides."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.disk = MemoryDisk()
        self.failing: set[Operation] = set()
        self.told: list[Announcement] = []
        self.saves = 0
        self.health = Health()
        self.risk = RiskDesk([RiskProfile(risk_name="one", validations=(max_positions(1),))])
        clock = VirtualClock(asyncio.get_running_loop())
        journal = MemoryJournal(self.disk, self.hook)
        self.desk = Desk(
            key=KEY, rules=Rules(), risk=self.risk, risk_names=("one",), broker=fill_at_rule_price
        )
        ledger = Ledger(
            store=MemoryStateStore(self.disk, self.hook),
            journal=journal,
            announce=self.told.extend,
            health=self.health,
            troubles=Troubles(clock, journal, self.told.extend, str),
            timings=Timings(AMeter(), clock, Subjects().performance, self._nobody),
            spawn=group.create_task,
            has_changed=lambda _: None,
        )
        self.keeper = Keeper(Held(key=KEY), self.desk, ledger)

    def hook(self, operation: Operation, subject: str) -> DiskTrouble | None:
        if operation == "save":
            self.saves += 1
        is_failing = operation in self.failing
        return DiskTrouble(error=TransientError("disk full")) if is_failing else None

    def entry(self, *, price_open: float | None = None) -> tuple[Advance, Proposal]:
        """Return the advance of a new signal, its slot taken."""
        signal = Signal(
            position="long",
            price_open=price_open,
            price_take_profit=102.0,
            price_stop_loss=98.0,
            minute_estimated_time=60,
        )
        proposal = propose(signal, Moment(key=KEY, at_ms=1000, price=100.0), self.desk)
        assert isinstance(proposal, Proposal)
        return advance(self.keeper.held.state, proposal, self.desk), proposal

    @staticmethod
    def _nobody(events: Sequence[Announcement]) -> None:
        raise AssertionError(events)


def test_nothing_is_announced_before_it_is_saved_and_journaled() -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            bench.failing = {"append"}
            after, _ = bench.entry()
            committing = group.create_task(bench.keeper.commit(after, tick(1000, 100.0)))
            await asyncio.sleep(10)
            assert isinstance(bench.keeper.held.state, Active), "saved, and only then in memory"
            heard = [event for event in bench.told if event in after.events]
            assert heard == []
            bench.failing = set()
            await committing
            assert [event for event in bench.told if event in after.events] == list(after.events)

    run_virtual(scene())


def test_a_failing_save_is_tried_again_with_the_same_step() -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            bench.failing = {"save"}
            after, _ = bench.entry()
            committing = group.create_task(bench.keeper.commit(after, tick(1000, 100.0)))
            await asyncio.sleep(20)
            assert bench.keeper.held.state == Idle()
            failing_while_full = bench.health.is_storage_failing
            assert failing_while_full
            assert bench.risk.positions("one") == (), "a failed save frees the slot"
            bench.failing = set()
            assert await committing == after
            assert bench.keeper.held.state == after.state
            assert len(bench.risk.positions("one")) == 1
            assert not bench.health.is_storage_failing
            assert bench.saves > 3

    run_virtual(scene())


def test_the_slot_of_a_position_is_taken_until_its_end_is_on_disk() -> None:
    """A crash before the write would bring the position back, beside whoever took its slot."""

    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            after, _ = bench.entry()
            await bench.keeper.commit(after, tick(1000, 100.0))
            target = tick(2000, 103.0)
            bench.failing = {"save"}
            ended = advance(bench.keeper.held.state, target, bench.desk)
            closing = group.create_task(bench.keeper.commit(ended, target))
            await asyncio.sleep(0)
            assert len(bench.risk.positions("one")) == 1
            await asyncio.sleep(20)
            assert len(bench.risk.positions("one")) == 1
            bench.failing = set()
            await closing
            assert bench.keeper.held.state == Idle()
            assert bench.risk.positions("one") == ()

    run_virtual(scene())


def test_an_entry_whose_slot_was_lost_while_it_could_not_be_kept_is_refused() -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            bench.failing = {"save"}
            after, proposal = bench.entry()
            committing = group.create_task(bench.keeper.commit(after, tick(1000, 100.0)))
            await asyncio.sleep(0.05)
            bench.risk.hold(("one",), OTHER, proposal.row, 1000)
            await asyncio.sleep(1)
            bench.failing = set()
            result = await committing
            assert result.refusal is not None
            assert bench.keeper.held.state == Idle()
            assert [item.symbol for item in bench.risk.positions("one")] == ["ETH/USDT"]

    run_virtual(scene())


def test_p17_a_cancelled_caller_leaves_no_half_transition() -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            bench.failing = {"save"}
            after, _ = bench.entry()
            committing = group.create_task(bench.keeper.commit(after, tick(1000, 100.0)))
            await asyncio.sleep(0.05)
            committing.cancel()
            await asyncio.sleep(0.05)
            bench.failing = set()
            await asyncio.sleep(10)
            assert bench.keeper.held.state == after.state
            assert set(after.events) <= set(bench.told)
            assert len(bench.disk.entries) >= 1

    run_virtual(scene())


TICKS = {
    "open": [],
    "schedule": [],
    "activate": [98.9],
    "levels": [100.5],
    "close": [102.5],
}
"""The prices that a signal at 100 (or one that waits for 99) has seen by the transition."""


@pytest.mark.parametrize("turns", range(10))
@pytest.mark.parametrize("what", TICKS)
def test_p17_cancelled_at_any_turn_a_transition_is_whole_or_was_not(what: str, turns: int) -> None:
    """Memory, disk, journal and what was told agree, wherever the caller was cancelled."""

    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            waits = what in ("schedule", "activate")
            after, _ = bench.entry(price_open=99.0 if waits else None)
            seen = tick(1000, 100.0)
            for price in TICKS[what]:
                await bench.keeper.commit(after, seen)
                seen = tick(seen.at_ms + 1000, price)
                after = advance(bench.keeper.held.state, seen, bench.desk)
            before, told_before = bench.keeper.held.state, list(bench.told)

            committing = group.create_task(bench.keeper.commit(after, seen))
            for _ in range(turns):
                await asyncio.sleep(0)
            committing.cancel()
            await asyncio.sleep(10)

            assert after.state != before
            is_done = bench.keeper.held.state == after.state
            assert is_done == (turns > 0), "what has begun is carried to its end"
            assert is_done or bench.keeper.held.state == before
            heard = [event for event in bench.told if event not in told_before]
            assert heard == (list(after.events) if is_done else [])
            written = [item.entry for item in bench.disk.entries]
            events = [e for entry in written for e in getattr(entry, "events", ())]
            assert [event for event in events if event in after.events] == heard

    run_virtual(scene())


def test_the_schedule_file_is_emptied_once_its_signal_has_opened() -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            after, _ = bench.entry(price_open=99.0)
            await bench.keeper.commit(after, tick(1000, 100.0))
            assert isinstance(bench.keeper.held.state, Scheduled)
            seen = tick(2000, 98.9)
            opened = advance(bench.keeper.held.state, seen, bench.desk)
            await bench.keeper.commit(opened, seen)
            assert bench.disk.schedules[KEY].signal is None
            assert isinstance(bench.disk.signals[KEY].state, Active)

    run_virtual(scene())


def test_a_stop_and_a_pause_are_on_disk_when_they_return() -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            await bench.keeper.mark(is_stopped=True, is_paused=True)
            assert bench.disk.signals[KEY].is_stopped
            assert bench.disk.signals[KEY].is_paused

    run_virtual(scene())


def test_what_was_decided_before_a_stop_is_on_disk_when_it_returns() -> None:
    """A person who was told "stopped" sees nothing opened after it."""

    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            bench = Bench(group)
            bench.failing = {"save"}
            stopping = group.create_task(bench.keeper.mark(is_stopped=True))
            await asyncio.sleep(0.05)
            after, _ = bench.entry()
            group.create_task(bench.keeper.commit(after, tick(1000, 100.0)))
            await asyncio.sleep(0.05)
            bench.failing = set()
            assert await stopping
            assert bench.keeper.held.is_stopped
            assert bench.keeper.held.state == after.state

    run_virtual(scene())
