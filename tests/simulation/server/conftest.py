"""A sandbox on a free port, on a market and a clock that the test holds."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.simulation.generator import GeneratedMarket, a_usdt_pair, default_specs
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress
from tests.simulation.server.held_clock import HeldClock

START_MS = 1_700_006_400_000
NOW_MS = START_MS + DAY_MS + 17 * MINUTE_MS + 34_500
SEED = 7


@pytest.fixture(scope="session")
def market() -> GeneratedMarket:
    """Three well-known pairs and fifty more."""
    more = [
        a_usdt_pair(f"C{n:02d}", price_start=100.0, quantity_step=0.001, volatility_percent=0.2)
        for n in range(50)
    ]
    return GeneratedMarket([*default_specs(), *more], SEED, START_MS)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOW_MS, speed=100.0)


@pytest.fixture
async def server(market: GeneratedMarket, clock: HeldClock) -> AsyncIterator[SandboxServer]:
    sandbox = SandboxServer(market, clock, seed=SEED, push_interval_s=0.01)
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def address(server: SandboxServer) -> SandboxAddress:
    return await server.start()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


Get = Callable[..., Awaitable[aiohttp.ClientResponse]]


@pytest.fixture
async def get(session: aiohttp.ClientSession, address: SandboxAddress) -> Get:
    """Ask a path below /api/v3 and return the response, read whole."""

    async def ask(path: str, **parameters: str | int) -> aiohttp.ClientResponse:
        async with session.get(f"{address.rest_url}/{path}", params=parameters) as response:
            await response.read()
            return response

    return ask
