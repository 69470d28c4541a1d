"""What the service manager is told by a whole daemon, in virtual time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from daemon.adapters.systemd import Manager
from daemon.app.service_notifier import ServiceNotifier, Watched, has_shown_itself
from daemon.app.wiring import Daemon
from daemon.core.errors import TransientError
from daemon.simulation.loop import run_virtual
from tests.app.test_status_line import TASK
from tests.live.scene import Scene, a_scene
from tests.live.scripted import Buyer, a_market

START_TIMEOUT_S = 60.0


class AManager(Manager):
    """Keeps what it is told, and when."""

    def __init__(self, watchdog_s: float = 0.0, *, is_there: bool = True) -> None:
        super().__init__()
        self.watchdog_s = watchdog_s
        self.told: list[tuple[float, str]] = []
        self._is_there = is_there

    @property
    def is_there(self) -> bool:
        return self._is_there

    def tell(self, *assignments: str) -> bool:
        now_s = asyncio.get_running_loop().time()
        self.told += [(now_s, text) for text in assignments]
        return True

    def times_of(self, what: str) -> list[float]:
        return [at_s for at_s, text in self.told if text.startswith(what)]

    def texts(self, what: str) -> list[str]:
        return [text.removeprefix(what) for _, text in self.told if text.startswith(what)]


@dataclass
class ALog:
    """Keeps the names and the fields of what was logged."""

    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def info(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))

    warning = critical = info


@dataclass
class Stage:
    """A daemon with its notifier; `during` is done `at_s` seconds after the start."""

    scene: Scene
    manager: AManager = field(default_factory=AManager)
    log: ALog = field(default_factory=ALog)
    writing_s: Callable[[], float] = float
    during: Callable[[Daemon, ServiceNotifier], None] = lambda daemon, notifier: None
    at_s: float = 30.0

    def play(self, seconds: float = 60.0) -> None:
        async def run() -> None:
            daemon = self.scene.assemble()
            loop = asyncio.get_running_loop()
            watched = Watched(
                status=daemon.status,
                supervisor=daemon.supervisor,
                writing_s=self.writing_s,
                start_timeout_s=START_TIMEOUT_S,
            )
            notifier = ServiceNotifier(self.manager, watched, self.log)
            loop.call_later(seconds, daemon.stop)
            loop.call_later(self.at_s, self.during, daemon, notifier)
            async with notifier.notifying():
                await daemon.run()

        run_virtual(run())


def freeze(daemon: Daemon, _: ServiceNotifier) -> None:
    """Make the supervisor look as if it had not moved since, until 60 s."""
    loop = asyncio.get_running_loop()
    since_s = loop.time()

    def hold() -> None:
        if loop.time() < 60:
            daemon.supervisor.beat_s = since_s
            loop.call_later(0.05, hold)

    hold()


@pytest.fixture
def scene() -> Scene:
    Buyer.calls = []
    made = a_scene(Buyer)
    made.market = a_market([100.0])
    return made


def test_ready_comes_once_and_after_every_task_has_ticked(scene: Scene) -> None:
    stage = Stage(scene)

    stage.play()

    texts = [text for _, text in stage.manager.told]
    assert texts.count("READY=1") == 1
    assert texts[0] == "STATUS=starting: recovering the state"
    assert "1 of 1 task ready on sandbox" in stage.manager.texts("STATUS=")[1:][0]
    assert [name for name, _ in stage.log.lines] == ["ready"]


def test_a_stop_is_told_when_it_begins(scene: Scene) -> None:
    stage = Stage(scene, AManager(watchdog_s=4.0))

    stage.play(20)

    (at_s,) = stage.manager.times_of("STOPPING=1")
    assert at_s == pytest.approx(20.0, abs=0.1)
    assert stage.manager.texts("STATUS=")[-1].startswith("stopping")
    assert stage.manager.times_of("WATCHDOG=1")[-1] >= at_s


def test_the_status_changes_with_the_state_and_only_then(scene: Scene) -> None:
    stage = Stage(scene)

    stage.play(120)

    lines = stage.manager.texts("STATUS=")
    assert any("1 open" in line for line in lines)
    assert all(line != after for line, after in pairwise(lines))


def test_p23_an_exchange_that_is_away_delays_ready_and_no_longer_than_it_may(
    scene: Scene,
) -> None:
    async def refuse() -> None:
        raise TransientError("away")

    scene.connect = refuse
    stage = Stage(scene, AManager(watchdog_s=30.0))

    stage.play(2 * START_TIMEOUT_S)

    (ready_s,) = stage.manager.times_of("READY=1")
    last = stage.manager.texts("STATUS=")[-2]
    assert ready_s <= START_TIMEOUT_S + 1
    assert last.startswith("degraded: 0 of 1 task ready on sandbox: BTC/USDT s: ")


def test_a_market_that_says_nothing_never_starves_the_watchdog(scene: Scene) -> None:
    async def refuse() -> None:
        raise TransientError("away")

    scene.connect = refuse
    stage = Stage(scene, AManager(watchdog_s=8.0))

    stage.play(600)

    fed = stage.manager.times_of("WATCHDOG=1")
    assert max(after - at for at, after in pairwise(fed)) < 4.0


def test_p11_the_watchdog_gets_nothing_while_a_write_does_not_come_back(scene: Scene) -> None:
    stage = Stage(scene, AManager(watchdog_s=10.0))
    stage.writing_s = lambda: 7.0 if 30 < asyncio.get_running_loop().time() < 50 else 0.0

    stage.play(90)

    fed = stage.manager.times_of("WATCHDOG=1")
    assert not [at_s for at_s in fed if 30 < at_s < 50]
    assert [at_s for at_s in fed if at_s > 50], "it moves again, and says so"
    assert "stuck: a write to the state folder has not come back for 7 s" in (
        stage.manager.texts("STATUS=")
    )
    assert "stuck" in [name for name, _ in stage.log.lines]


def test_the_watchdog_gets_nothing_once_the_supervisor_has_stopped_moving(scene: Scene) -> None:
    stage = Stage(scene, AManager(watchdog_s=10.0), during=freeze)

    stage.play(90)

    fed = stage.manager.times_of("WATCHDOG=1")
    assert not [at_s for at_s in fed if 37 < at_s < 59]
    assert any("the supervisor has not moved" in line for line in stage.manager.texts("STATUS="))


def test_a_reload_is_told_from_its_beginning_to_its_end(scene: Scene) -> None:
    stage = Stage(scene)

    def reload(_: Daemon, notifier: ServiceNotifier) -> None:
        with notifier.reloading():
            stage.manager.tell("STATUS=within")

    stage.during = reload

    stage.play()

    texts = [text for _, text in stage.manager.told]
    begun = texts.index("RELOADING=1")
    assert texts[begun + 1].startswith("MONOTONIC_USEC=")
    assert texts.index("STATUS=within") < texts.index("READY=1", begun)
    assert any("ready on sandbox" in text for text in texts[begun + 4 :])


def test_without_a_manager_only_the_log_hears_of_the_start(scene: Scene) -> None:
    stage = Stage(scene, AManager(is_there=False))

    stage.play()

    assert [name for name, _ in stage.log.lines] == ["ready"]
    assert len(stage.manager.told) < 10


def test_a_task_that_is_off_has_shown_itself() -> None:
    assert has_shown_itself(TASK)
    assert has_shown_itself(replace(TASK, tick_age_s=None, condition="off"))
    assert not has_shown_itself(replace(TASK, tick_age_s=None))
