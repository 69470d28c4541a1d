"""A strategy or a risk rule that tells a secret of its own accord: no file keeps it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from daemon.core.events import RiskContract, SignalOpened
from daemon.core.risk import RiskPayload, RiskProfile, RiskRejectedError, RiskValidation, Verdict
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


def _says(_: RiskPayload) -> Verdict:
    return f"the account of {SECRET} has no money {'x' * 600}"


def _raises(_: RiskPayload) -> Verdict:
    raise RiskRejectedError(f"no answer for {SECRET}")


def _breaks(_: RiskPayload) -> Verdict:
    raise OSError(f"https://risk.example/?key={SECRET}")


def _forbids(_: RiskPayload) -> Verdict:
    return False


@pytest.mark.parametrize("rule", [_says, _raises, _breaks, _forbids])
def test_q5_a_reason_of_a_risk_rule_with_a_secret_reaches_no_journal(
    rule: Callable[[RiskPayload], Verdict],
) -> None:
    section = {"name": "s", "path": "tests:S", "symbols": ["BTC/USDT"], "risk": ["strict"]}
    profile = RiskProfile(
        risk_name="strict",
        validations=(RiskValidation(validate=rule, note=f"asks with {SECRET}"),),
    )
    scene = a_scene(Buyer, strategies=[section], risk=[{"name": "strict", "max_positions": 1}])
    scene.code = replace(scene.code, profiles=(profile,))
    scene.redactor.learn([SECRET])

    run_virtual(scene.run(120))

    refused = [event for event in scene.journaled if isinstance(event, RiskContract)]
    assert refused
    assert "[redacted]" in refused[0].comment
    assert all(SECRET not in repr(event) for event in scene.journaled)
