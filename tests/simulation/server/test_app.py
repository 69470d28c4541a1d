"""The server's life: where it listens, what it tells of itself, how it ends."""

import asyncio

import aiohttp
import pytest

from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress
from daemon.simulation.server.errors import PortInUseError
from tests.simulation.server.conftest import NOW_MS, SEED
from tests.simulation.server.held_clock import HeldClock


async def test_it_tells_its_time_speed_and_seed(
    address: SandboxAddress, session: aiohttp.ClientSession, clock: HeldClock
) -> None:
    clock.at_ms += 1_500

    async with session.get(f"{address.root_url}/sandbox/time") as response:
        told = await response.json()

    assert told == {
        "market_time_ms": NOW_MS + 1_500,
        "speed": 100.0,
        "seed": SEED,
        "started_ms": NOW_MS,
    }


async def test_it_counts_requests_by_path(
    address: SandboxAddress, session: aiohttp.ClientSession
) -> None:
    for path in ("/api/v3/ping", "/api/v3/ping", "/api/v3/time", "/nothing"):
        await (await session.get(f"{address.root_url}{path}")).read()

    async with session.get(f"{address.root_url}/sandbox/requests") as response:
        told = await response.json()

    assert told["requests"] == {"/api/v3/ping": 2, "/api/v3/time": 1, "(other)": 1}


async def test_it_listens_on_loopback_alone(address: SandboxAddress) -> None:
    assert address.rest_url == f"http://127.0.0.1:{address.port}/api/v3"
    assert address.ws_url == f"ws://127.0.0.1:{address.port}/stream/ws"


async def test_a_port_in_use_is_named_with_its_remedy(
    address: SandboxAddress, market: GeneratedMarket
) -> None:
    second = SandboxServer(market, HeldClock(NOW_MS))

    with pytest.raises(PortInUseError, match=rf"127\.0\.0\.1:{address.port} is in use") as refused:
        await second.start(port=address.port)

    assert (refused.value.host, refused.value.port) == ("127.0.0.1", address.port)
    assert "another port" in refused.value.remedy


async def test_it_stops_once_and_for_all_and_frees_its_port(
    address: SandboxAddress, server: SandboxServer, market: GeneratedMarket
) -> None:
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve_forever())
        await asyncio.sleep(0)
        await server.stop()
        await server.stop()

    assert serving.done()
    next_one = SandboxServer(market, HeldClock(NOW_MS))
    assert (await next_one.start(port=address.port)).port == address.port
    await next_one.stop()
