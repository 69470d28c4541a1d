"""What ends a run is told before it ends, and after the next start if not before."""

import pytest

from daemon.core.errors import FatalError, TransientError
from daemon.core.events import ExitContract
from daemon.core.guard import Raised
from daemon.live.alert_lane import AlertLane, MessengerPreferences
from daemon.simulation.loop import run_virtual
from tests.live.scene import Scene, a_scene
from tests.live.scripted import Buyer, a_market
from tests.live.test_alert_lane import Person


def a_doomed_scene(person: Person) -> Scene:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0])
    scene.alert_sinks = (AlertLane("phone", person, MessengerPreferences(), is_urgent=True),)
    return scene


async def no_exchange() -> None:
    raise FatalError("the exchange does not know BTC/USDT")


def run(scene: Scene) -> None:
    with pytest.RaisesGroup(FatalError, flatten_subgroups=True):
        run_virtual(scene.run(30))


def test_what_ends_a_run_is_told_at_once() -> None:
    person = Person()
    scene = a_doomed_scene(person)
    scene.connect = no_exchange
    heard: list[ExitContract] = []
    scene.subjects.exit.subscribe(heard.append)

    run(scene)

    (event,) = [event for event in scene.journaled if isinstance(event, ExitContract)]
    assert heard == [event]
    assert event.message.startswith("the exchange does not know BTC/USDT")
    assert [message.words.lines[0] for message in person.heard] == [f"FatalError: {event.message}"]


def test_what_could_not_be_told_is_told_after_the_next_start() -> None:
    person = Person(raises=[TransientError("no line")])
    scene = a_doomed_scene(person)
    scene.connect = no_exchange
    run(scene)
    assert person.heard == []

    scene.connect = None
    run_virtual(scene.run(30))

    assert len(person.heard) == 1
    assert isinstance(scene.journaled[0], ExitContract)


def test_a_graceful_stop_is_no_exit() -> None:
    person = Person()
    scene = a_doomed_scene(person)

    run_virtual(scene.run(30))

    assert person.heard == []
    assert not isinstance(scene.journaled[-1], Raised)
