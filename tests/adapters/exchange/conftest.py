"""The real ccxt against the real sandbox, on a market and a clock that a test holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from daemon.adapters.exchange.market_data import CcxtMarketData, Patience
from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.rules import Rules
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress, ccxt_options

START_MS = 1_700_006_400_000
NOW_MS = START_MS + DAY_MS + 17 * MINUTE_MS + 34_500
SEED = 7
SYMBOLS = ("BTC/USDT", "ETH/USDT")
QUICK = Rules(get_candles_retry_delay_ms=1)

Connect = Callable[..., Awaitable[CcxtMarketData]]


class HeldClock:
    """Market time as the test sets it; a fast one, so that pushes are not far apart."""

    speed = 100.0

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms


@pytest.fixture(scope="session")
def market() -> GeneratedMarket:
    return GeneratedMarket(default_specs(), SEED, START_MS)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def server(market: GeneratedMarket, clock: HeldClock) -> AsyncIterator[SandboxServer]:
    sandbox = SandboxServer(market, clock, seed=SEED, push_interval_s=0.01)
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def address(server: SandboxServer) -> SandboxAddress:
    return await server.start()


@pytest.fixture
async def connect(address: SandboxAddress) -> AsyncIterator[Connect]:
    """Make a client; ccxt's own settings may be given. It is closed at the end."""
    made: list[CcxtMarketData] = []

    async def make(
        *symbols: str, rules: Rules = QUICK, answer_s: float = 5.0, **settings: Any
    ) -> CcxtMarketData:
        options = {**ccxt_options(address), **settings}
        data = await asyncio.to_thread(
            CcxtMarketData,
            "binance",
            symbols or SYMBOLS,
            rules,
            options,
            Patience(answer_s=answer_s),
        )
        made.append(data)
        return data

    yield make
    for data in made:
        await data.close()


@pytest.fixture
async def data(connect: Connect) -> CcxtMarketData:
    """Return a client that has loaded its markets."""
    client = await connect()
    await client.load_markets()
    return client
