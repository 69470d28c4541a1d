"""Messengers and trading: whatever happens to the one, the other goes on as if nothing were."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from daemon.core.errors import RateLimitedError, TransientError
from daemon.core.events import ErrorContract, Transition
from daemon.core.signal import Key
from daemon.live.alert_lane import AlertLane, Manners
from daemon.ports import Message
from daemon.simulation.loop import run_virtual
from tests.live.scene import Scene, the_shipped_scene

RUN_S = 1500


@dataclass
class Trouble:
    """A messenger that does to each message what it is told to."""

    does: Callable[[], Exception | None]
    hangs: bool = False
    heard: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if (error := self.does()) is not None:
            raise error
        self.heard.append(message)


def lanes(trouble: Trouble) -> tuple[AlertLane, ...]:
    return tuple(
        AlertLane(f"phone{is_urgent}", trouble, Manners(), is_urgent=is_urgent)
        for is_urgent in (True, False)
    )


def traded(scene: Scene) -> dict[Key, list[Transition]]:
    """Return everything that was told of each task, in order."""
    told: dict[Key, list[Transition]] = {}
    for event in scene.journaled:
        if not (isinstance(event, ErrorContract) and event.where == "sink"):
            told.setdefault(event.key, []).append(event)
    return told


@pytest.fixture(scope="module")
def undisturbed() -> dict[Key, list[Transition]]:
    scene = the_shipped_scene()
    run_virtual(scene.run(RUN_S))
    assert sum(map(len, traded(scene).values())) > 8
    return traded(scene)


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(lambda: None),
        Trouble(lambda: None, hangs=True),
        Trouble(lambda: TransientError("no route")),
        Trouble(lambda: RateLimitedError("429", 40.0)),
        Trouble(lambda: RuntimeError("a bug")),
    ],
    ids=["well", "hangs", "dead", "flooded", "broken"],
)
def test_s2_trading_is_the_same_whatever_the_messenger_does(
    trouble: Trouble, undisturbed: dict[Key, list[Transition]]
) -> None:
    scene = the_shipped_scene()
    scene.alert_sinks = lanes(trouble)

    run_virtual(scene.run(RUN_S))

    assert traded(scene) == undisturbed
