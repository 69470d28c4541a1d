"""The whole daemon in virtual time: it recovers, contains, restarts, protects and stops."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import pytest

from daemon.app.loading import load_profile
from daemon.core.alerts import is_alert
from daemon.core.errors import TransientError
from daemon.core.events import (
    ErrorContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    name_of,
)
from daemon.core.records import Journaled, StateFault, StopEntry
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, Operation
from tests.live.alert_stage import Phone
from tests.live.scene import START_MS, TURN_MS, a_scene, the_shipped_scene
from tests.live.scripted import HOUR_S, KEY, Buyer, Waiter, a_market, names


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def test_the_shipped_daemon_shows_everything_within_an_hour() -> None:
    scene = the_shipped_scene()

    run_virtual(scene.run(HOUR_S))

    seen = set(names(scene))
    assert {"scheduled", "opened", "closed", "cancelled", "risk", "partial_profit"} <= seen
    assert "error" not in seen


def test_what_is_announced_is_what_was_journaled_in_order() -> None:
    scene = the_shipped_scene()

    run_virtual(scene.run(HOUR_S))

    assert scene.sink.heard == scene.journaled
    assert len({event.id for event in scene.journaled}) == len(scene.journaled)


def test_aligned_calls_come_right_after_each_multiple_of_the_interval() -> None:
    scene = a_scene(Buyer, rules={"max_signal_lifetime_minutes": 1440})
    scene.market = a_market([100.0] * 3)

    run_virtual(scene.run(90))

    assert [call - START_MS for call in Buyer.calls] == [TURN_MS]


def test_a_position_opens_reaches_levels_and_closes_at_its_very_target() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 101.0, 103.0])

    run_virtual(scene.run(1500))

    closed = [event for event in scene.journaled if isinstance(event, SignalClosed)]
    assert names(scene)[:6] == ["opened"] + ["partial_profit"] * 5
    assert closed[0].close_reason == "take_profit"
    assert closed[0].current_price == pytest.approx(102.0)


def test_a_restart_goes_on_with_the_open_position() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 101.0, 101.0, 103.0])

    run_virtual(scene.run(600))
    opened = [event for event in scene.journaled if isinstance(event, SignalOpened)]
    run_virtual(scene.run(300))
    assert len(Buyer.calls) == 1, "a tick with an open signal asks for no new one"
    run_virtual(scene.run(1500))

    closed = [event for event in scene.journaled if isinstance(event, SignalClosed)]
    assert closed[0].signal.id == opened[0].signal.id
    assert len({event.id for event in scene.journaled}) == len(scene.journaled)


def test_a_restart_tells_the_strategy_of_its_open_position_with_the_first_price() -> None:
    heard: list[tuple[str, float]] = []

    class Listener(Buyer):
        def on_active(self, symbol: str, row: object, price: float, backtest: bool) -> None:
            heard.append((symbol, price))

    scene = a_scene(Listener)
    scene.market = a_market([100.0, 100.0, 100.0])
    run_virtual(scene.run(30))
    heard.clear()

    run_virtual(scene.run(0.5))

    assert heard[0][0] == "BTC/USDT"
    assert heard[0][1] == pytest.approx(100.0)


def test_a_full_disk_stops_entries_and_they_resume_by_themselves() -> None:
    """The entry that could not be kept is kept later, with the ids and prices of its moment."""
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 6)

    def full(operation: Operation, subject: str) -> DiskTrouble | None:
        is_full = asyncio.get_running_loop().time() < 90
        error = TransientError("no space left on device")
        return DiskTrouble(error=error) if is_full and operation == "save" else None

    scene.hook = full
    run_virtual(scene.run(200))

    opened = [event for event in scene.journaled if isinstance(event, SignalOpened)]
    assert len(opened) == 1
    assert opened[0].signal.scheduled_at == START_MS + TURN_MS
    assert len(Buyer.calls) == 1
    storage = [
        event
        for event in scene.sink.heard
        if isinstance(event, ErrorContract) and event.where == "storage"
    ]
    assert len(storage) == 1, "a trouble is told once, not at every try"


def test_a_strategy_that_always_fails_is_left_alone_and_the_others_go_on() -> None:
    class Broken(Strategy):
        interval = "1m"
        calls: ClassVar[list[int]] = []

        def get_signal(self, view: View) -> Signal | None:
            self.calls.append(view.now_ms)
            raise ValueError("no luck")

    scene = the_shipped_scene()
    scene.code = replace(scene.code, strategies={**scene.code.strategies, "pullback": Broken})
    run_virtual(scene.run(HOUR_S))

    errors = [event for event in scene.journaled if isinstance(event, ErrorContract)]
    assert {event.strategy_name for event in errors} == {"pullback"}
    assert {"get_signal", "circuit"} == {event.where for event in errors}
    assert any(isinstance(event, SignalClosed) for event in scene.journaled)


def test_a_signal_that_is_no_good_is_refused_with_every_fault() -> None:
    class Nonsense(Strategy):
        interval = "1m"

        def get_signal(self, view: View) -> Signal | None:
            return Signal(
                position="long",
                price_take_profit=float("nan"),
                price_stop_loss=-1.0,
                minute_estimated_time=0,
            )

    scene = a_scene(Nonsense)
    scene.market = a_market([100.0] * 3)

    run_virtual(scene.run(30))

    error = scene.journaled[0]
    assert isinstance(error, ErrorContract)
    for fault in ("price_take_profit must be finite", "price_stop_loss must be positive"):
        assert fault in error.message


def test_c10_a_position_of_a_strategy_that_left_the_configuration_is_watched_to_its_end() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 97.0, 97.0])
    run_virtual(scene.run(60))
    other = a_scene(Waiter, strategies=[{"name": "t", "path": "tests:T", "symbols": ["BTC/USDT"]}])
    other.code = replace(other.code, strategies={"t": Waiter})
    other.disk, other.market, other.start_ms = scene.disk, scene.market, scene.start_ms

    daemon = run_virtual(other.run(1200))

    closed = [event for event in other.journaled if isinstance(event, SignalClosed)]
    assert [event.close_reason for event in closed] == ["stop_loss"]
    assert daemon.supervisor.orphans == (KEY,)


def test_a_key_that_is_not_trusted_refuses_entries_and_counts_as_a_position() -> None:
    scene = a_scene(
        Buyer,
        risk=[{"name": "one", "max_positions": 1}],
        strategies=[
            {"name": "s", "path": "tests:S", "symbols": ["BTC/USDT"], "risk": ["one"]},
            {"name": "t", "path": "tests:T", "symbols": ["BTC/USDT"], "risk": ["one"]},
        ],
    )
    scene.code = replace(
        scene.code,
        strategies={"s": Buyer, "t": Buyer},
        profiles=tuple(load_profile(section) for section in scene.config.risk),
    )
    scene.market = a_market([100.0] * 3)
    fault = StateFault(
        kind="signal", file="x", key=KEY, message="damaged", moved_to="y", is_blocking=True
    )
    scene.disk.faults.append(fault)

    daemon = run_virtual(scene.run(90))

    assert "opened" not in names(scene)
    assert names(scene).count("risk") >= 1
    status = {task.strategy_name: task for task in daemon.status.snapshot().tasks}
    assert status["s"].is_blocked
    assert not status["s"].is_ready


def test_p18_a_part_that_dies_ends_the_daemon_loudly() -> None:
    class BugError(RuntimeError):
        pass

    async def die() -> None:
        raise BugError("a bug")

    scene = a_scene(Buyer)

    async def run() -> None:
        scene.connect = die
        daemon = scene.assemble()
        await daemon.run()

    with pytest.raises(BaseExceptionGroup) as raised:
        run_virtual(run())

    assert raised.group_contains(BugError)


def test_p23_with_the_exchange_down_at_start_state_is_there_and_readiness_waits() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 3)
    run_virtual(scene.run(30))
    seen: list[tuple[bool, str, bool]] = []
    reasons: list[str] = []

    async def refuse() -> None:
        if asyncio.get_running_loop().time() < 60:
            raise TransientError("connection refused")

    scene.connect = refuse

    async def watch() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(30)
            status = daemon.status.snapshot()
            seen.append((status.is_ready, status.tasks[0].state, status.is_live))
            reasons.append(status.tasks[0].reason)
            assert daemon.supervisor.has_recovered.is_set()
            await asyncio.sleep(60)
            status = daemon.status.snapshot()
            seen.append((status.is_ready, status.tasks[0].state, status.is_live))
            daemon.stop()

    run_virtual(watch())

    assert seen == [(False, "active", True), (True, "active", True)]
    assert reasons == ["connection refused"]
    errors = [event for event in scene.journaled if isinstance(event, ErrorContract)]
    assert [event.where for event in errors] == ["exchange"], "told once, not at every try"
    assert len(Buyer.calls) == 1


def test_p20_a_strategy_that_cannot_be_made_costs_only_its_own_task() -> None:
    class Unmakeable(Strategy):
        interval = "1m"

        def __init__(self) -> None:
            raise OSError("no model file")

        def get_signal(self, view: View) -> Signal | None:
            return None

    scene = the_shipped_scene()
    scene.code = replace(scene.code, strategies={**scene.code.strategies, "pullback": Unmakeable})

    daemon = run_virtual(scene.run(HOUR_S))

    states = {(task.strategy_name, task.condition) for task in daemon.status.snapshot().tasks}
    assert ("pullback", "off") in states
    assert any(isinstance(event, SignalOpened) for event in scene.journaled)


def test_order_of_a_signals_life_in_the_journal() -> None:
    """Scheduled before opened before its levels before closed, for each signal."""
    scene = the_shipped_scene(11)

    run_virtual(scene.run(HOUR_S))

    ranks = {"scheduled": 0, "opened": 1, "partial_profit": 2, "partial_loss": 2, "closed": 3}
    lives: dict[str, list[int]] = {}
    for event in scene.journaled:
        if name_of(event) in ranks:
            lives.setdefault(event.id.partition("-")[0], []).append(ranks[name_of(event)])
    assert lives
    assert all(one <= two for life in lives.values() for one, two in pairwise(life))


def test_the_restored_waiting_signal_still_times_out() -> None:
    scene = a_scene(Waiter, rules={"schedule_await_minutes": 5})
    scene.market = a_market([100.0] * 4)
    run_virtual(scene.run(60))
    assert isinstance(scene.journaled[0], SignalScheduled)

    run_virtual(scene.run(300))

    cancelled = [event for event in scene.journaled if isinstance(event, SignalCancelled)]
    assert cancelled[0].reason == "timeout"


class SlowPhone(Phone):
    """Takes longer than the daemon has before it is stopped."""

    def wants(self, journaled: Journaled) -> bool:
        return is_alert(journaled.entry)

    async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> None:
        await asyncio.sleep(3)
        await super().deliver(entries)


def test_a_graceful_stop_delivers_the_last_alerts() -> None:
    phone = SlowPhone()
    scene = a_scene(Buyer)
    scene.market = a_market([100.0])
    scene.alert_sinks = (phone,)

    daemon = run_virtual(scene.run(2))

    assert names(scene) == ["opened"]
    told = [item.number for item in scene.disk.entries if is_alert(item.entry)]
    assert isinstance(scene.disk.entries[-1].entry, StopEntry)
    assert told == phone.arrived
    assert daemon.status.snapshot().sinks[-1].queued == 0
