"""Whoever holds a position learns that it is not watched, and that it is again."""

from functools import partial

import pytest

from daemon.core.events import ErrorContract
from daemon.simulation.faults import Fault, FaultPlan, Frozen
from daemon.simulation.loop import run_virtual
from daemon.simulation.memory import MemoryMarketData
from tests.live.scene import Scene, a_scene
from tests.live.scripted import Buyer, Waiter, a_market, names

FROZEN = FaultPlan(faults=(Fault(effect=Frozen(), start_s=120, stop_s=400),))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    Buyer.calls = []


def told(scene: Scene) -> list[str]:
    return [
        event.message
        for event in scene.journaled
        if isinstance(event, ErrorContract) and event.where == "price"
    ]


@pytest.mark.parametrize(
    ("strategy", "first", "what"),
    [(Buyer, "opened", "open position"), (Waiter, "scheduled", "waiting signal")],
)
def test_l9_what_is_not_watched_is_told_once_and_so_is_its_return(
    strategy: type[Buyer | Waiter], first: str, what: str
) -> None:
    scene = a_scene(strategy)
    scene.market = a_market([100.0] * 3)
    scene.make_data = partial(MemoryMarketData, cadence_ms=5_000, faults=FROZEN)

    run_virtual(scene.run(600))

    assert names(scene)[0] == first
    blind, again = told(scene)
    assert blind.startswith(f"the {what} is not watched: no update for ")
    assert again == "watched again"
