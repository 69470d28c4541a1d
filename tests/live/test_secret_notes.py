"""A strategy that tells a secret of its own accord: no file keeps it."""

from daemon.core.events import SignalOpened
from daemon.core.signal import Signal
from daemon.core.strategy import View
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import Buyer

SECRET = "CANARY-0123456789"


class Gossip(Buyer):
    """Says the key to the exchange in its note."""

    def get_signal(self, view: View) -> Signal | None:
        return Signal(
            position="long",
            price_take_profit=view.price * 1.02,
            price_stop_loss=view.price * 0.98,
            minute_estimated_time=600,
            note=f"asked with {SECRET}",
            id=SECRET,
        )


def test_s1_a_note_with_a_secret_reaches_no_state_and_no_journal() -> None:
    scene = a_scene(Gossip)
    scene.redactor.learn([SECRET])

    run_virtual(scene.run(120))

    opened = [event for event in scene.journaled if isinstance(event, SignalOpened)]
    assert opened
    assert {event.signal.note for event in opened} == {"asked with [redacted]"}
    assert all(SECRET not in repr(event) for event in scene.journaled)
