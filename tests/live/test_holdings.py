"""What each strategy holds is looked at, shown, and told when it grows."""

import asyncio
from typing import ClassVar

from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.core.events import ErrorContract
from daemon.core.strategy import Strategy, View
from daemon.live.ownership import foreign_task_name
from daemon.simulation.loop import run_virtual
from tests.live.scene import a_scene
from tests.live.scripted import KEY, a_market

MEBIBYTE = 1024 * 1024


class Leaking(Strategy):
    """Keeps four mebibytes of every call."""

    interval = "1m"
    held: ClassVar[list[bytearray]] = []

    def get_signal(self, view: View) -> None:
        self.held.append(bytearray(4 * MEBIBYTE))


class Starting(Strategy):
    """Starts a task at every call, as a contained strategy does."""

    interval = "1m"

    async def get_signal(self, view: View) -> None:
        name = foreign_task_name(str(KEY))
        self.last = asyncio.get_running_loop().create_task(asyncio.sleep(1e6), name=name)


def series(status_page: bytes) -> dict[str, float]:
    rows = (
        line.rpartition(" ") for line in status_page.decode().splitlines() if "strategy_" in line
    )
    return {name: float(value) for name, _, value in rows if not name.startswith("#")}


def test_p14_a_strategy_that_leaks_is_named_with_what_it_keeps_it_on() -> None:
    Leaking.held.clear()
    scene = a_scene(Leaking)
    scene.market = a_market([100.0] * 6)

    daemon = run_virtual(scene.run(40 * 60))

    status = daemon.status.snapshot()
    count = len(Leaking.held)
    Leaking.held.clear()
    (holding,) = status.holdings
    told = [event for event in scene.journaled if isinstance(event, ErrorContract)]
    assert 35 <= count <= 41
    assert holding.name == "s"
    assert (count - 2) * 4 <= holding.memory_bytes // MEBIBYTE <= count * 4
    assert [event.where for event in told] == ["growth", "growth"], "at 64 MiB and at 128"
    assert "it holds about 64 MiB, 64 of them by Leaking.held" in told[0].message
    shown = series(Metrics().render(status))
    assert shown['tickd_strategy_memory_bytes{strategy="s"}'] == holding.memory_bytes


def test_p14_tasks_that_a_strategy_leaves_behind_are_counted() -> None:
    scene = a_scene(Starting)
    scene.market = a_market([100.0] * 3)

    async def play() -> dict[str, float]:
        daemon = await scene.run(10 * 60)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        return series(Metrics().render(daemon.status.snapshot()))

    shown = run_virtual(play())

    assert 8 <= shown['tickd_strategy_tasks{strategy="s"}'] <= 11
