"""The small parts of the live driver: asking, troubles, minutes, followers, the loop monitor."""

import asyncio
import time

import pytest

from daemon.core.candles import Candle
from daemon.core.errors import TransientError
from daemon.core.events import Announcement, ErrorContract
from daemon.core.guard import describe
from daemon.core.held import Held
from daemon.core.risk import RiskDesk, RiskProfile
from daemon.core.signal import Key
from daemon.core.states import Active
from daemon.live.asking import Asking, Patience
from daemon.live.containment import Containment, Limits
from daemon.live.followers import Followers
from daemon.live.loop_monitor import LoopMonitor
from daemon.live.minutes import WAITING_MAX, MinuteLog
from daemon.live.troubles import Troubles
from daemon.live.workers import InlineWorkers
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, MemoryDisk, MemoryJournal, MemoryStateStore
from tests.live.scene import AMeter
from tests.live.test_recovery import a_row

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
CANDLE = Candle(60_000, 1.0, 2.0, 0.5, 1.5, 3.0)


def test_the_circuit_opens_after_failures_in_a_row_and_lets_one_trial_through_later() -> None:
    asking = Asking(
        60_000, Patience(failures_in_row_max=3, circuit_reset_s=10), align=True, since_ms=0
    )

    opened = [asking.failed(now_s=0) for _ in range(3)]

    assert opened == [False, False, True]
    assert asking.is_circuit_open(9.9)
    assert not asking.is_circuit_open(10.0)
    assert asking.failed(now_s=10.0), "one more failure shuts it again"
    asking.succeeded()
    assert not asking.failed(now_s=30.0)


def test_an_aligned_strategy_gets_its_first_turn_at_the_next_multiple() -> None:
    asking = Asking(300_000, Patience(), align=True, since_ms=10_000)

    assert asking.due_ms(10_000) == 300_000
    assert asking.due_ms(300_500) == 300_500
    asking.begin(300_500)
    assert asking.due_ms(300_600) == 600_000


def test_a_trouble_is_told_at_once_and_journaled_when_the_disk_is_back() -> None:
    async def scene() -> tuple[int, int]:
        told: list[Announcement] = []
        is_full = True

        def hook(operation: str, subject: str) -> DiskTrouble | None:
            return DiskTrouble(error=TransientError("full")) if is_full else None

        disk = MemoryDisk()
        clock = VirtualClock(asyncio.get_running_loop())
        troubles = Troubles(clock, MemoryJournal(disk, hook), told.extend, str)
        running = asyncio.get_running_loop().create_task(troubles.run())
        troubles.report("feed", KEY, TransientError("line lost"))
        await asyncio.sleep(30)
        before = len(disk.entries)
        is_full = False
        await asyncio.sleep(30)
        running.cancel()
        assert len(told) == 1
        return before, len(disk.entries)

    assert run_virtual(scene()) == (0, 1)


def test_q1_a_secret_in_an_error_is_redacted_before_it_is_told() -> None:
    async def scene() -> ErrorContract:
        told: list[Announcement] = []
        troubles = Troubles(
            VirtualClock(asyncio.get_running_loop()),
            MemoryJournal(MemoryDisk()),
            told.extend,
            lambda text: text.replace("hunter2hunter2", "[redacted]"),
        )
        troubles.report("feed", KEY, describe(ValueError("key=hunter2hunter2")))
        assert isinstance(told[0], ErrorContract)
        return told[0]

    assert run_virtual(scene()).message == "key=[redacted]"


def test_troubles_of_one_place_and_moment_have_ids_of_their_own() -> None:
    async def scene() -> set[str]:
        told: list[Announcement] = []
        troubles = Troubles(
            VirtualClock(asyncio.get_running_loop()), MemoryJournal(MemoryDisk()), told.extend, str
        )
        for _ in range(3):
            troubles.report("feed", KEY, "the same")
        return {event.id for event in told if isinstance(event, ErrorContract)}

    assert len(run_virtual(scene())) == 3


def test_minutes_reach_the_journal_once_each() -> None:
    async def scene() -> int:
        disk = MemoryDisk()
        minutes = MinuteLog(MemoryJournal(disk))
        minutes.add("BTC/USDT", CANDLE)
        await minutes.flush()
        minutes.add("BTC/USDT", CANDLE)
        await minutes.flush()
        return len(disk.entries)

    assert run_virtual(scene()) == 1


def test_a_journal_that_never_takes_a_minute_costs_bounded_memory() -> None:
    async def scene() -> int:
        minutes = MinuteLog(MemoryJournal(MemoryDisk()))
        for number in range(WAITING_MAX + 5):
            minutes.add("BTC/USDT", CANDLE._replace(timestamp=number * 60_000))
        return minutes.dropped

    assert run_virtual(scene()) == 5


def test_followers_tell_levels_and_slots_of_a_symbol() -> None:
    async def scene() -> MemoryDisk:
        disk = MemoryDisk()
        risk = RiskDesk([RiskProfile(risk_name="r", validations=())])
        risk.hold(("r",), KEY, a_row(), 0)
        held = Held(key=KEY, state=Active(signal=a_row(), profit_levels=(10, 20)))
        followers = Followers(MemoryStateStore(disk), risk, lambda: [held])
        followers.mark(held)
        await followers.flush()
        return disk

    disk = run_virtual(scene())

    assert disk.partials["BTC/USDT"].signals[0].profit_levels == (10, 20)
    assert disk.risks["r", "BTC/USDT"].positions[0].strategy_name == "s"


@pytest.mark.may_block("what holds the loop up is the point")
async def test_whoever_holds_the_loop_up_is_named_with_the_line() -> None:
    told: list[str] = []
    containment = Containment(InlineWorkers(), Limits())
    meter = AMeter()
    monitor = LoopMonitor(meter, containment, told.append, threshold_s=0.2)
    running = asyncio.get_running_loop().create_task(monitor.run())
    await asyncio.sleep(0.15)

    containment.holder = "BTC/USDT/slow"
    time.sleep(0.6)  # noqa: ASYNC251 - the sin that is tested
    containment.holder = ""
    await asyncio.sleep(0.35)
    running.cancel()

    assert len(told) == 1
    assert "BTC/USDT/slow at test_small_parts.py:" in told[0]
    assert max(meter.seconds["loop_lag"]) > 0.3
