"""A person's hand on a running daemon: what commands do, leave behind and refuse."""

import asyncio
from typing import ClassVar

import pytest

from daemon.core.commands import CommandName, Target
from daemon.core.errors import RejectedError, TransientError, UnknownTargetError
from daemon.core.events import SignalCancelled, SignalClosed
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from daemon.simulation.storage import DiskTrouble, Operation
from tests.live.control_stage import CALLER, a_hand, commands_of
from tests.live.scene import Scene, a_scene, the_shipped_scene
from tests.live.scripted import HOUR_S, KEY, Buyer, Waiter, a_market, names


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def a_buying_scene() -> Scene:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 103.0, 103.0])
    return scene


def a_waiting_scene(*prices: float) -> Scene:
    scene = a_scene(Waiter)
    scene.market = a_market(prices or [100.0] * 4)
    return scene


def test_a_paused_task_opens_nothing_new_and_watches_what_is_open_to_its_end() -> None:
    scene = a_buying_scene()

    async def play() -> str:
        async with a_hand(scene) as hand:
            message = (await hand.do("pause")).message
            await asyncio.sleep(1700)
            return message

    message = run_virtual(play())

    assert message == "paused: it opens nothing new; the open long is watched to its end"
    assert names(scene)[0] == "opened"
    assert names(scene)[-1] == "closed"
    assert names(scene).count("opened") == 1


def test_a_pause_survives_a_restart_and_ends_with_resume() -> None:
    scene = a_buying_scene()

    async def late() -> None:
        await asyncio.sleep(20)

    scene.connect = late

    async def pause() -> None:
        async with a_hand(scene, after_s=10) as hand:
            assert (await hand.do("pause")).outcome == "done"
            await asyncio.sleep(90)

    async def resume() -> None:
        async with a_hand(scene) as hand:
            assert names(scene) == []
            assert (await hand.do("resume")).message == "goes on"
            await asyncio.sleep(90)

    run_virtual(pause())
    run_virtual(resume())

    assert names(scene)[0] == "opened"


def test_a_signal_that_waits_under_a_pause_is_dropped_when_its_entry_is_reached() -> None:
    scene = a_waiting_scene(100.0, 98.9, 98.9)

    async def play() -> None:
        async with a_hand(scene) as hand:
            await hand.do("pause")
            await asyncio.sleep(1500)

    run_virtual(play())

    assert names(scene) == ["scheduled", "cancelled"]
    cancelled = scene.journaled[-1]
    assert isinstance(cancelled, SignalCancelled)
    assert cancelled.reason == "user"


def test_a_stopped_task_can_be_started_again_though_it_was_the_last() -> None:
    scene = a_waiting_scene()

    async def play() -> list[str]:
        async with a_hand(scene) as hand:
            stopped = await hand.do("stop")
            await asyncio.sleep(60)
            condition = hand.daemon.supervisor.slots[KEY].condition
            started = [await hand.do("start"), await hand.do("start")]
            await asyncio.sleep(60)
            return [stopped.message, condition, *(each.message for each in started)]

    said = run_virtual(play())

    assert said == [
        "stopped: it opens nothing new; cancelled the long that waited for its entry",
        "stopped",
        "started",
        "not stopped; nothing was changed",
    ]
    assert names(scene) == ["scheduled", "cancelled", "scheduled"]


@pytest.mark.parametrize(
    ("name", "other", "scene"),
    [("close", "cancel", a_buying_scene()), ("cancel", "close", a_waiting_scene())],
)
def test_a_signal_ends_by_command_once_and_the_other_command_says_what_fits(
    name: CommandName, other: CommandName, scene: Scene
) -> None:
    async def play() -> list[str]:
        async with a_hand(scene) as hand:
            await hand.do("pause")
            told = [await hand.do(other), await hand.do(name), await hand.do(name)]
            return [each.outcome for each in told]

    outcomes = run_virtual(play())

    assert outcomes == ["nothing", "done", "nothing"]
    last = scene.journaled[-1]
    assert isinstance(last, SignalCancelled | SignalClosed)
    assert (last.reason if isinstance(last, SignalCancelled) else last.close_reason) == "user"


def test_a_command_about_one_signal_never_touches_the_one_that_came_since() -> None:
    class Quick(Buyer):
        def get_signal(self, view: View) -> Signal:
            return Signal(
                position="long",
                price_take_profit=view.price * 1.02,
                price_stop_loss=view.price * 0.98,
                minute_estimated_time=1,
            )

    scene = a_scene(Quick)
    scene.market = a_market([100.0] * 4)

    async def play() -> None:
        async with a_hand(scene) as hand:
            first = hand.daemon.status.snapshot().tasks[0].signal_id
            await asyncio.sleep(90)
            assert hand.daemon.status.snapshot().tasks[0].signal_id not in ("", first)
            with pytest.raises(UnknownTargetError, match="any more"):
                await hand.do("close", signal_id=first)
            effect = await hand.daemon.supervisor.command(KEY, "close", first)
            assert not effect.is_news

    run_virtual(play())

    reasons = {event.close_reason for event in scene.journaled if isinstance(event, SignalClosed)}
    assert reasons == {"time_expired"}


def test_every_command_leaves_who_what_and_result_in_the_journal_and_the_log() -> None:
    scene = a_buying_scene()

    async def play() -> list[tuple[str, ...]]:
        async with a_hand(scene) as hand:
            await hand.do("pause", symbol="BTC/USDT")
            seen = commands_of(scene)[-1].result
            assert seen.startswith("done: paused"), "the line is there before the answer"
            await hand.do("pause", symbol="BTC/USDT")
            with pytest.raises(UnknownTargetError):
                await hand.do("pause", symbol="BTC/USD\n")
            return [(line.command, line.target, line.identity, line.result) for line in hand.lines]

    told = run_virtual(play())

    results = [result.partition(":")[0] for *_, result in told]
    assert results == ["asked", "done", "asked", "already", "refused"]
    assert {(command, identity) for command, _, identity, _ in told} == {("pause", "somebody")}
    assert all("\n" not in part for line in told for part in line)
    journaled = [entry.result.partition(":")[0] for entry in commands_of(scene)]
    assert journaled == ["asked", "done", "asked", "already"]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (Target(symbol="btc/usdt"), "Did you mean BTC/USDT"),
        (Target(strategy_name="brekout"), "Did you mean breakout"),
        (Target(strategy_name="zzz"), "there is breakout, pullback"),
        (Target(symbol="BTC/USDT", signal_id="nothing"), "no signal 'nothing'"),
    ],
)
def test_an_unknown_target_is_refused_with_what_is_near(target: Target, told: str) -> None:
    async def play() -> None:
        async with a_hand(the_shipped_scene(), after_s=5.0) as hand:
            with pytest.raises(UnknownTargetError, match=told):
                await hand.control.command("pause", target, CALLER)

    run_virtual(play())


def test_a_command_to_all_reaches_every_task() -> None:
    scene = the_shipped_scene()

    async def play() -> None:
        async with a_hand(scene, after_s=5.0) as hand:
            results = await hand.control.command("pause", Target(), CALLER)
            assert [result.outcome for result in results] == ["done"] * 6
            opened_before = names(scene).count("opened")
            await asyncio.sleep(HOUR_S)
            assert all(task.is_paused for task in hand.daemon.status.snapshot().tasks)
            assert names(scene).count("opened") == opened_before
            assert "cancelled" in names(scene)

    run_virtual(play())

    assert commands_of(scene)[-1].result == "6 done"


def test_a_pause_does_not_wait_for_a_strategy_that_thinks_and_its_answer_opens_nothing() -> None:
    class Thinker(Strategy):
        interval = "1m"
        waits: ClassVar[float] = 100.0

        async def get_signal(self, view: View) -> Signal:
            await asyncio.sleep(self.waits)
            return Buyer().get_signal(view) or pytest.fail("no signal")

    scene = a_scene(Thinker)
    scene.market = a_market([100.0] * 4)

    async def play() -> float:
        async with a_hand(scene) as hand:
            loop = asyncio.get_running_loop()
            asked_s = loop.time()
            await hand.do("pause")
            took_s = loop.time() - asked_s
            await asyncio.sleep(300)
            return took_s

    assert run_virtual(play()) < 1.0
    assert names(scene) == []


def test_a_pause_holds_though_the_exchange_is_away() -> None:
    scene = a_buying_scene()

    async def refuse() -> None:
        raise TransientError("connection refused")

    scene.connect = refuse

    async def play() -> list[str]:
        async with a_hand(scene) as hand:
            return [(await hand.do("pause")).outcome, (await hand.do("close")).outcome]

    assert run_virtual(play()) == ["done", "nothing"]


def test_a_position_is_not_closed_at_a_price_that_nobody_trusts() -> None:
    scene = a_buying_scene()

    async def play() -> tuple[str, str]:
        async with a_hand(scene) as hand:
            feed = hand.daemon.supervisor.feed
            assert feed is not None
            feed.of("BTC/USDT").doubt("the clock was set")
            feed.of("BTC/USDT").distrust = "the clock was set"
            told = await hand.do("close")
            return told.outcome, told.message

    outcome, message = run_virtual(play())

    assert outcome == "refused"
    assert "its price is not trusted" in message
    assert "closed" not in names(scene)


def test_a_full_disk_makes_a_pause_pending_and_it_holds_once_there_is_room() -> None:
    scene = a_buying_scene()

    def full(operation: Operation, subject: str) -> DiskTrouble | None:
        is_full = 30 < asyncio.get_running_loop().time() < 60
        error = TransientError("no space left on device")
        return DiskTrouble(error=error) if is_full else None

    scene.hook = full

    async def play() -> list[object]:
        async with a_hand(scene) as hand:
            told = await hand.do("pause")
            held = hand.daemon.supervisor.keepers[KEY]
            before = held.held.is_paused
            await asyncio.sleep(90)
            return [told.outcome, before, held.held.is_paused, hand.lines[-1].result[:4]]

    assert run_virtual(play()) == ["pending", False, True, "done"]


def test_a_command_without_a_running_daemon_is_refused() -> None:
    scene = a_buying_scene()

    async def play() -> None:
        async with a_hand(scene) as hand:
            kept = hand
        with pytest.raises(RejectedError):
            await kept.control.command("pause", Target(), CALLER)

    run_virtual(play())
