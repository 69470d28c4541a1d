"""What is to run after a recovery."""

import asyncio
from dataclasses import replace

from daemon.app.loading import Code
from daemon.app.wiring import Daemon
from daemon.core.risk import RiskProfile, RiskValidation
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import Buyer, a_market, names


def test_p20_an_open_position_of_an_unloadable_strategy_counts_and_is_watched_to_its_end() -> None:
    """Its class, which names its risk profiles, is not there: those that it had go on."""
    profile = RiskProfile(risk_name="calm", validations=(RiskValidation(validate=_allow),))
    section = {"name": "s", "path": "tests:S", "symbols": ["BTC/USDT"]}
    scene = a_scene(
        type("Calm", (Buyer,), {"risk_name": "calm"}),
        strategies=[section],
        risk=[{"name": "calm", "max_positions": 9}],
    )
    scene.code = replace(scene.code, profiles=(profile,))
    scene.market = a_market([100.0, 100.0, 103.0])
    run_virtual(scene.run(60))
    scene.code = Code(strategies={}, profiles=(profile,), unloaded={"s": "a syntax error"})

    async def play() -> tuple[int, Daemon]:
        daemon = scene.assemble()
        loop = asyncio.get_running_loop()
        seen: list[int] = []
        loop.call_later(60, lambda: seen.append(len(daemon.risk.positions("calm"))))
        loop.call_later(30 * 60, daemon.stop)
        await daemon.run()
        return seen[0], daemon

    held, daemon = run_virtual(play())

    (task,) = daemon.status.snapshot().tasks
    assert held == 1
    assert len(daemon.risk.positions("calm")) == 0
    assert names(scene)[0] == "opened"
    assert names(scene)[-1] == "closed"
    assert "a syntax error" in task.reason


def _allow(_: object) -> None:
    """Refuse nothing."""
