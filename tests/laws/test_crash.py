"""Whatever step of the daemon is its last one, and whatever call to its disk: nothing is lost.

A whole daemon on its own file layer dies at any step of its loop, several times; by a kill, or by a
power cut that takes along what was not synced. The laws are those of `tests/crash`.
"""

import asyncio
import math
import random  # noqa: TID251 (seeded)
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daemon.app.config.settings import Config
from daemon.app.loading import Code, load_code
from daemon.app.wiring import Daemon, Outlets, assemble
from daemon.app.world import World
from daemon.core.candles import MINUTE_MS
from daemon.core.subjects import Subjects
from daemon.live.workers import InlineWorkers
from daemon.simulation.clock import VirtualClock
from daemon.simulation.loop import run_virtual
from daemon.simulation.memory import MemoryMarketData
from tests.adapters.storage.lossy_disk import PowerCut
from tests.crash.invariants import faults_after_kill, faults_at_rest
from tests.crash.mutants import MUTANTS
from tests.crash.script import SETTLED_MS, START_MS, SYMBOLS, ScriptedMarket, a_config
from tests.laws.mortal import Life, MortalLoop, Outside, a_machine
from tests.live.scene import AMeter

# Who dies leaves calls behind that he never came to make.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

SPEED = 500.0
"""A market millisecond is just more than what the virtual loop can tell apart."""

CADENCE_MS = 15_000
UNTIL_MS = START_MS + 6 * MINUTE_MS
STOP_S_MAX = 5.0
"""Half of what a stop may take by default."""

REST_S = 3.0
"""Loop time to tell the last events in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """At which step of the loop, or else at which call to the disk, and whether power goes too."""

    step: int = 0
    call: int = 0
    is_power_cut: bool = False


DEATHS = st.builds(
    Death, step=st.integers(min_value=1, max_value=4_500), is_power_cut=st.booleans()
) | st.builds(Death, call=st.integers(min_value=1, max_value=1_500), is_power_cut=st.booleans())


@cache
def the_config() -> tuple[Config, Code]:
    config = a_config(Path("/nowhere"), "http://127.0.0.1:1/", UNTIL_MS, SYMBOLS)
    return config, load_code(config)


class Story:
    """One machine through all its deaths."""

    def __init__(self, seed: int, skipped: frozenset[str] = frozenset()) -> None:
        self.machine = a_machine(seed, skipped)
        self.now_ms = START_MS
        self.faults: list[str] = []
        self.stopping_s = 0.0
        self._rng = random.Random(seed)

    def live(self, death: Death, stop_s: float = math.inf) -> Life:
        """Boot, and live until the death or, without one, until everything has ended.

        After `stop_s` of loop time it is told to stop.
        """
        life = Life(weather=self.machine.weather, steps_max=death.step, calls_max=death.call)
        loop = MortalLoop(self._rng, life)
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(self._run(life, stop_s))
        except* PowerCut:
            pass
        self.machine.weather.cut_at = 0
        if life.is_over:
            if death.is_power_cut:
                self.machine.lose_power()
            told = list(self.machine.told)
            self.faults += faults_after_kill(run_virtual(self.machine.look()), told)
        return life

    def rest(self) -> Life:
        """Live to the end, and judge what it came to."""
        life = self.live(Death())
        self.faults += faults_at_rest(run_virtual(self.machine.look()), self.machine.told)
        return life

    async def _run(self, life: Life, stop_s: float) -> None:
        clock = VirtualClock(asyncio.get_running_loop(), self.now_ms, SPEED)
        daemon = self._daemon(life, clock)
        left_s = (UNTIL_MS + SETTLED_MS - self.now_ms) / 1000 / SPEED
        end_s = min(max(left_s, 0.0) + REST_S, stop_s)
        asyncio.get_running_loop().call_later(end_s, daemon.stop)
        try:
            await daemon.run()
        finally:
            self.now_ms = clock.now_ms()
            self.stopping_s = asyncio.get_running_loop().time() - end_s

    def _daemon(self, life: Life, clock: VirtualClock) -> Daemon:
        config, code = the_config()
        stores = self.machine.boot(life)
        world = World(
            state=stores.state,
            journal=stores.journal,
            cursors=stores.cursors,
            clock=clock,
            data=MemoryMarketData(ScriptedMarket(), clock, cadence_ms=CADENCE_MS, turn_ms=0),
            connect=_nothing,
        )
        outlets = Outlets(
            subjects=Subjects(),
            meter=AMeter(),
            alert_sinks=(Outside(machine=self.machine, life=life),),
        )
        return assemble(config, code, world, outlets, InlineWorkers())


async def _nothing() -> None:
    """Reach an exchange that is in memory."""


def faults_of(
    seed: int, deaths: Sequence[Death], skipped: frozenset[str] = frozenset()
) -> list[str]:
    """Return what is wrong with a daemon that died so, over and over, and was started again.

    Its disk only pretends to make the `skipped` calls.
    """
    story = Story(seed, skipped)
    for death in deaths:
        story.live(death)
    story.rest()
    return story.faults


def is_found(*, is_power_cut: bool, skipped: frozenset[str] = frozenset()) -> bool:
    """Say whether something is wrong after any of some deaths all over the first minutes."""
    return any(
        faults_of(place, [death], skipped)
        for place in range(40)
        for death in (
            Death(step=60 + 37 * place, is_power_cut=is_power_cut),
            Death(call=40 + 17 * place, is_power_cut=is_power_cut),
        )
    )


@settings(max_examples=settings().max_examples // 4)
@given(seed=st.integers(min_value=0), deaths=st.lists(DEATHS, min_size=1, max_size=3))
@example(seed=35, deaths=[Death(step=90)])
def test_a_daemon_that_dies_anywhere_and_starts_again_has_lost_nothing(
    seed: int, deaths: list[Death]
) -> None:
    """The example: events were journaled before a new sink had noted where it begins."""
    assert faults_of(seed, deaths) == []


@settings(max_examples=settings().max_examples // 4)
@given(seed=st.integers(min_value=0), stop_s=st.floats(min_value=0, max_value=1.5))
def test_p3_a_stop_at_any_moment_ends_soon_and_loses_nothing(seed: int, stop_s: float) -> None:
    story = Story(seed)

    life = story.live(Death(), stop_s)
    image = run_virtual(story.machine.look())
    after_stop = faults_after_kill(image, story.machine.told)
    story.rest()

    assert not life.is_over
    assert story.stopping_s < STOP_S_MAX
    assert after_stop == []
    assert story.faults == []


def test_an_unharmed_life_holds_everything_that_could_be_lost() -> None:
    """Else a law about deaths would say nothing."""
    stories = [Story(seed) for seed in range(4)]

    lives = [story.rest() for story in stories]

    assert [story.faults for story in stories] == [[], [], [], []]
    assert {told.name for story in stories for told in story.machine.told} >= {
        "signal_scheduled",
        "signal_opened",
        "partial_profit",
        "partial_loss",
        "signal_closed",
        "signal_cancelled",
        "risk_refused",
    }
    assert min(life.steps for life in lives) > 1_000
    assert min(life.calls for life in lives) > 500


@pytest.mark.parametrize("name", MUTANTS)
def test_the_law_finds_a_planted_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MUTANTS[name])

    assert is_found(is_power_cut=False)


@pytest.mark.parametrize("call", ["sync", "sync_folder"])
def test_the_law_finds_a_forgotten_sync(call: str) -> None:
    """A kill alone would never show it: the system keeps what was written."""
    assert is_found(is_power_cut=True, skipped=frozenset({call}))
