"""The pages of a whole daemon: ready means ready, and rude scrapers hurt nobody."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from daemon.adapters.http.pages import Pages
from daemon.adapters.http.server import HttpServer
from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.core.errors import TransientError
from daemon.core.records import StateFault
from daemon.core.redaction import Redactor
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.simulation.faults import FaultPlan, SilentSocket, Status
from daemon.simulation.loop import run_virtual
from daemon.simulation.memory import MemoryMarketData
from daemon.simulation.storage import DiskTrouble
from tests.live.feed_stage import a_fault
from tests.live.scene import Scene, a_scene, the_shipped_scene
from tests.live.scripted import KEY, Buyer, a_market

Answer = tuple[int, dict[str, Any]]


class Broken(Strategy):
    """Raises at every call."""

    interval = "1m"

    def get_signal(self, view: View) -> Signal | None:
        raise LookupError("nothing there")


def readiness(scene: Scene, *moments_s: float) -> list[Answer]:
    """Return what /readyz says at these times after the start, in virtual seconds."""

    async def play() -> list[Answer]:
        daemon = scene.assemble()
        pages = Pages(daemon.status, Metrics(), Redactor())
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        answers: list[Answer] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            for moment_s in moments_s:
                await asyncio.sleep(started_s + moment_s - loop.time())
                page = await pages.readyz()
                answers.append((page.status, json.loads(page.body)))
            daemon.stop()
        pages.close()
        return answers

    return run_virtual(play())


def reasons(answer: Answer) -> str:
    return "; ".join(answer[1]["reasons"])


def test_ready_comes_with_the_first_ticks_and_tells_of_each_task() -> None:
    at_start, later = readiness(the_shipped_scene(), 0.0, 400.0)

    assert at_start[0] == 503
    assert "recovering" in reasons(at_start)
    assert later[0] == 200
    assert later[1]["reasons"] == []
    assert len(later[1]["tasks"]) == 6
    for task in later[1]["tasks"]:
        assert 0 <= task["data_age_s"] <= 10
        assert 0 <= task["tick_age_s"] <= 10
        assert task["last_decision_ms"] > 0
        assert task["state"] in {"idle", "scheduled", "active"}


def test_l9_a_position_is_told_as_the_state_of_its_task() -> None:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0] * 3)

    (answer,) = readiness(scene, 30.0)

    (task,) = answer[1]["tasks"]
    assert (answer[0], task["state"], task["condition"]) == (200, "active", "running")


def test_l9_an_exchange_that_falls_silent_makes_unready_until_it_is_back() -> None:
    scene = a_scene(Buyer)
    faults = (a_fault(SilentSocket(), 100, 400), a_fault(Status(status=503), 100, 400))
    scene.make_data = partial(MemoryMarketData, cadence_ms=5_000, faults=FaultPlan(faults=faults))

    before, silent, after = readiness(scene, 90.0, 350.0, 900.0)

    assert (before[0], silent[0], after[0]) == (200, 503, 200)
    (task,) = silent[1]["tasks"]
    assert not task["ready"]
    assert task["data_age_s"] > 60
    assert "no update for" in reasons(silent)


def test_l9_a_strategy_that_is_left_alone_makes_unready() -> None:
    scene = a_scene(Broken, daemon={"failures_in_a_row_max": 2})

    first, second = readiness(scene, 30.0, 75.0)

    assert first[0] == 200
    assert second[0] == 503
    assert second[1]["tasks"][0]["condition"] == "circuit_open"
    assert "switched off by the daemon: " in reasons(second)


def test_l9_a_state_that_is_not_trusted_makes_unready() -> None:
    scene = a_scene(Buyer)
    scene.disk.faults.append(
        StateFault(
            kind="signal", file="x", key=KEY, message="damaged", moved_to="y", is_blocking=True
        )
    )

    (answer,) = readiness(scene, 30.0)

    assert answer[0] == 503
    assert "state is not trusted" in reasons(answer)


def test_l9_a_disk_that_takes_nothing_makes_unready_until_it_does() -> None:
    is_full = True

    def hook(operation: str, subject: str) -> DiskTrouble | None:
        is_write = operation == "save" and is_full
        return DiskTrouble(error=TransientError("no space left")) if is_write else None

    async def play() -> list[Answer]:
        nonlocal is_full
        scene = a_scene(Buyer)
        scene.hook = hook
        daemon = scene.assemble()
        pages = Pages(daemon.status, Metrics(), Redactor())
        answers: list[Answer] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            for _ in range(2):
                await asyncio.sleep(120)
                page = await pages.readyz()
                answers.append((page.status, json.loads(page.body)))
                is_full = False
            daemon.stop()
        pages.close()
        return answers

    full, free = run_virtual(play())

    assert (full[0], free[0]) == (503, 200)
    assert "state BTC/USDT/s: no space left" in reasons(full)


@pytest.mark.may_block("the daemon in memory reads its configuration")
async def test_s5_ten_scrapers_that_never_read_hold_up_neither_ticks_nor_probes() -> None:
    daemon = the_shipped_scene().assemble()
    server = HttpServer(daemon.status, Metrics())
    await server.start("127.0.0.1", 0)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            rude = [await asyncio.open_connection(*server.address) for _ in range(10)]
            for _, writer in rude:
                writer.write(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            await daemon.supervisor.has_recovered.wait()
            async with asyncio.timeout(30.0):
                while b" 200 " not in (await get(server.address, "/readyz"))[:20]:
                    pass
            async with asyncio.timeout(1.0):
                answers = [await get(server.address, path) for path in ("/livez", "/readyz")]
                foreign = await get(server.address, "/status", host="evil.example")
                metrics = await get(server.address, "/metrics")
            for _, writer in rude:
                writer.close()
            daemon.stop()
    finally:
        await server.stop()

    assert [answer.split()[1] for answer in answers] == [b"200", b"200"]
    assert foreign.split()[1] == b"421"
    assert b"\ntickd_ready 1.0\n" in metrics
    assert b'tickd_task_ready{strategy="breakout",symbol="BTC/USDT"} 1.0' in metrics


async def get(address: Sequence[Any], path: str, *, host: str = "127.0.0.1") -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    try:
        return await reader.read()
    finally:
        writer.close()
