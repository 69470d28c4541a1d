"""Whether a task counts as ready, and who is said to have switched it off."""

import asyncio
import re

import pytest

from daemon.core.commands import CommandName
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import KEY


class Silent(Strategy):
    """Never wants anything."""

    interval = "1m"

    def get_signal(self, view: View) -> Signal | None:
        return None


class Broken(Silent):
    """Fails at every call."""

    def get_signal(self, view: View) -> Signal | None:
        raise ValueError("no luck")


def reasons_after(
    commands: tuple[CommandName, ...], strategy: type[Strategy] = Silent
) -> list[str]:
    """Return why the daemon is not ready after ten minutes and what a person then wants."""

    async def play() -> list[str]:
        daemon = a_scene(strategy).assemble()
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await asyncio.sleep(601)
            for name in commands:
                await daemon.supervisor.command(KEY, name)
                await asyncio.sleep(10)
            status = daemon.status.snapshot()
            daemon.stop()
        assert status.is_ready == (not status.reasons)
        return list(status.reasons)

    return run_virtual(play())


@pytest.mark.parametrize(
    ("commands", "word", "remedy"),
    [(("pause",), "paused", "resume"), (("stop",), "stopped", "start-task")],
)
def test_l9_a_task_that_a_person_switched_off_is_not_ready_and_says_who_it_was(
    commands: tuple[CommandName, ...], word: str, remedy: str
) -> None:
    (reason,) = reasons_after(commands)

    assert reason == (f"BTC/USDT s: switched off by a person ({word}): tickd {remedy} BTC/USDT s")


@pytest.mark.parametrize("commands", [(), ("pause", "resume")])
def test_a_task_that_goes_on_again_is_ready(commands: tuple[CommandName, ...]) -> None:
    assert reasons_after(commands) == []


def test_p8_a_strategy_that_keeps_failing_was_switched_off_by_the_daemon() -> None:
    (reason,) = reasons_after((), Broken)

    assert re.search(r"switched off by the daemon: \d+ failures in a row", reason)
