"""A strategy is asked once the minute before its turn is known to be over, or soon after."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import pytest

from daemon.core.candles import MINUTE_MS
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.live.pace import FeedPace
from daemon.simulation.loop import run_virtual
from daemon.simulation.memory import MemoryMarketData
from tests.live.scene import START_MS, Scene, a_scene
from tests.live.scripted import KEY

WAIT_MS = round(FeedPace().final_s * 1000)


class Reader(Strategy):
    """Notes when it is asked and which minute is the newest that it is shown."""

    interval = "1m"
    history: ClassVar[Mapping[str, int]] = {"1m": 3}
    seen: ClassVar[list[tuple[int, int]]] = []

    def get_signal(self, view: View) -> Signal | None:
        self.seen.append((view.now_ms - START_MS, int(view.candles("1m", 3).timestamp[-1])))
        return None


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Reader.seen = []


def seen_where(turn_ms: int | None) -> list[tuple[int, int]]:
    """Return after the turn (ms) of each call, and how many minutes old its newest candle was."""
    scene = a_scene(Reader)
    scene.make_data = partial(MemoryMarketData, cadence_ms=5_000, turn_ms=turn_ms)
    run_virtual(scene.run(600))
    return [
        (at_ms % MINUTE_MS, (at_ms // MINUTE_MS * MINUTE_MS + START_MS - newest_ms) // MINUTE_MS)
        for at_ms, newest_ms in Reader.seen[1:]
    ]


@pytest.mark.parametrize("turn_ms", [0, 1, 700, 2_400])
def test_the_minute_that_has_just_ended_is_shown_as_soon_as_it_is_known(turn_ms: int) -> None:
    calls = seen_where(turn_ms)

    assert len(calls) == 9
    assert {newest for _, newest in calls} == {1}
    assert all(turn_ms <= after_ms <= turn_ms + 2 for after_ms, _ in calls)


def test_where_nothing_is_told_the_wait_ends_and_no_forming_minute_is_shown() -> None:
    """The next update comes five seconds after the turn: the minute before is not over for us."""
    calls = seen_where(None)

    assert len(calls) == 9
    assert {newest for _, newest in calls} == {2}
    assert all(WAIT_MS <= after_ms <= WAIT_MS + 5 for after_ms, _ in calls)


def test_a_task_that_is_paused_while_its_turn_waits_ticks_at_its_usual_pace() -> None:
    scene: Scene = a_scene(Reader)
    scene.make_data = partial(MemoryMarketData, cadence_ms=5_000)

    async def pause_while_it_waits() -> None:
        daemon = scene.assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(121)
            await daemon.supervisor.command(KEY, "pause")
            asyncio.get_running_loop().call_later(300, daemon.stop)

    run_virtual(pause_while_it_waits())

    assert len(Reader.seen) == 2
    assert len(scene.meter.seconds["tick_lateness"]) <= 420


def test_the_wait_is_short_in_a_market_that_runs_fast() -> None:
    assert FeedPace.of(a_scene(Reader).config.rules, speed=1.0).final_s == 2.5
    assert FeedPace.of(a_scene(Reader).config.rules, speed=60.0).final_s == 0.25
