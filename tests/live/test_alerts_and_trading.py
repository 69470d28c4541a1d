"""Messengers and trading: whatever happens to the one, the other goes on as if nothing were."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from daemon.core.errors import RateLimitedError, TransientError
from daemon.core.events import ErrorContract, Transition
from daemon.core.signal import Key
from daemon.live.alert_lane import AlertLane, MessengerPreferences
from daemon.ports import Message
from daemon.simulation.loop import run_virtual
from tests.live.scene import Scene, a_scene, the_shipped_scene
from tests.live.scripted import Buyer, a_market

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
        AlertLane(f"phone{is_urgent}", trouble, MessengerPreferences(), is_urgent=is_urgent)
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


def test_s10_a_loop_of_restarts_tells_of_a_position_once() -> None:
    Buyer.calls = []
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 3)
    phone = Trouble(lambda: None)

    for _ in range(6):
        scene.alert_sinks = lanes(phone)
        run_virtual(scene.run(20))

    told = Counter(message.words.title.split(maxsplit=1)[1] for message in phone.heard)
    opened = [times for title, times in told.items() if title.startswith("BTC/USDT s: long opened")]
    assert opened == [1]
    assert told["tickd stopped"] == 6
    assert len(Buyer.calls) == 1
