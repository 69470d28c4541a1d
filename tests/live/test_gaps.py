"""What a gap touched is told once, by one warning, and decides nothing."""

import asyncio

import pytest

from daemon.core.candles import MINUTE_MS
from daemon.core.events import ErrorContract
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from tests.live.scene import Scene, a_scene
from tests.live.scripted import Buyer, a_market, names


def warnings(scene: Scene) -> list[str]:
    return [
        event.message
        for event in scene.journaled
        if isinstance(event, ErrorContract) and event.where == "gap"
    ]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def test_a_stop_that_was_touched_while_the_daemon_was_down_is_named_once() -> None:
    scene = a_scene(Buyer)
    # Ten minutes at each price: the low one passes while nobody watches.
    scene.market = a_market([100.0, 100.0, 90.0, 100.0, 100.0])
    run_virtual(scene.run(300))
    assert names(scene) == ["opened"]
    scene.start_ms += 30 * 60_000

    run_virtual(scene.run(60))

    told = warnings(scene)
    assert len(told) == 1
    assert "stop loss at " in told[0]
    assert "min ago" in told[0]
    assert "closed" not in names(scene), "missed minutes are not replayed"


def test_a_quiet_gap_and_a_gap_of_seconds_are_not_worth_a_word() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 6)
    run_virtual(scene.run(300))
    scene.start_ms += 20_000
    run_virtual(scene.run(30))
    scene.start_ms += 10 * 60_000
    run_virtual(scene.run(30))

    assert warnings(scene) == []
    assert names(scene) == ["opened"]


@pytest.mark.parametrize(("minutes", "count"), [(30, 1), (4, 0)])
def test_t4_a_stop_that_was_touched_while_the_process_stood_still_is_named_once(
    minutes: int, count: int
) -> None:
    """The market went on meanwhile; a gap no longer than the price looks back shows in it."""
    scene = a_scene(Buyer)
    scene.market = a_market([100.0, 100.0, 90.0, 100.0, 100.0])

    async def play() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(300)
            clock = daemon.world.clock
            assert isinstance(clock, VirtualClock)
            clock._anchor_ms += minutes * MINUTE_MS
            await asyncio.sleep(60)
            daemon.stop()

    run_virtual(play())

    told = warnings(scene)
    assert len(told) == count
    assert ["stop loss at 98 (15 min ago)" in text for text in told] == [True] * count, told
    assert names(scene).count("closed") == 0, "missed minutes are not replayed"
