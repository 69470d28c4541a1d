"""What a newcomer sees within the first hour of the market, whatever the seed."""

from hypothesis import settings

from daemon.core.events import name_of
from daemon.simulation.loop import run_virtual
from tests.live.scene import the_shipped_scene

HOUR_S = 3600.0
EVERYTHING = {"scheduled", "opened", "closed", "cancelled", "risk"}
LEVELS = {"partial_profit", "partial_loss"}
SHARE_MIN = 0.9


def shows_everything(seed: int) -> bool:
    scene = the_shipped_scene(seed)
    run_virtual(scene.run(HOUR_S))
    seen = {name_of(event) for event in scene.journaled}
    assert "error" not in seen, seed
    return seen >= EVERYTHING and bool(seen & LEVELS)


def test_nearly_every_seed_shows_each_kind_of_event_within_an_hour() -> None:
    is_thorough = settings.get_current_profile_name() == "laws"
    seeds = range(50 if is_thorough else 5)

    shown = sum(shows_everything(seed) for seed in seeds)

    assert shown >= SHARE_MIN * len(seeds)
