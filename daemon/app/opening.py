"""Opens the world that a daemon works in: its state folder, its clock and its exchange.

With the embedded exchange all three hang together: the market's time goes on from the folder.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from daemon.adapters.clock import SteadyClock, wall_ms
from daemon.adapters.exchange.market_data import CcxtMarketData, Patience
from daemon.adapters.storage.folder import Folder, open_folder
from daemon.adapters.storage.opening import StorageOptions, folder_of, open_storage
from daemon.adapters.storage.schema import Identity
from daemon.app.config.settings import Config
from daemon.app.embedded import Embedded, prepare
from daemon.app.world import World
from daemon.core.candles import MINUTE_MS, interval_ms
from daemon.core.errors import RejectedError
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.live.recovery import newest_ms
from daemon.ports import Clock, Journal
from daemon.simulation.server.client import ccxt_options

CCXT_ID_OF_SANDBOX = "binance"


@asynccontextmanager
async def open_world(
    config: Config, keys: tuple[Key, ...], strategies: tuple[type[Strategy], ...]
) -> AsyncIterator[World]:
    """Open the folder, start or find the exchange, and close both at the end.

    Raises StateLockedError, FatalError, RejectedError, PortInUseError.
    """
    identity = Identity(exchange=config.exchange.id, mode=config.daemon.mode)
    options = StorageOptions(identity=identity, keys=keys)
    path = folder_of(config.daemon.state_dir, identity)
    async with AsyncExitStack() as stack:
        storage = await asyncio.to_thread(open_storage, path, options, wall_ms)
        stack.push_async_callback(asyncio.to_thread, storage.close)
        embedded: Embedded | None = None
        steady: SteadyClock | None = None
        if config.is_sandbox:
            folder = await asyncio.to_thread(open_folder, path)
            stack.callback(folder.release)
            embedded = await _embedded(config, folder, storage.journal, strategies)
            stack.push_async_callback(asyncio.to_thread, embedded.save)
            address = await embedded.server.start(port=config.sandbox.port)
            stack.push_async_callback(embedded.server.stop)
            clock: Clock = embedded.clock
            overrides = ccxt_options(address)
            where = f"the embedded sandbox on {address.root_url}, {clock.speed:g} x real time"
        else:
            clock = steady = SteadyClock()
            overrides = _overrides(config)
            where = config.exchange.id
        data = await asyncio.to_thread(_market_data, config, overrides)
        stack.push_async_callback(data.close)
        yield World(
            state=storage.state,
            journal=storage.journal,
            cursors=storage.cursors,
            clock=clock,
            checked_clock=steady,
            data=data,
            budget=data.budget,
            connect=data.load_markets,
            where=where,
            notes=storage.notes,
            keep=embedded.keep_going if embedded else None,
        )


async def _embedded(
    config: Config, folder: Folder, journal: Journal, strategies: tuple[type[Strategy], ...]
) -> Embedded:
    return await asyncio.to_thread(
        prepare,
        config.sandbox,
        folder,
        journal_ms=await newest_ms(journal),
        history_ms=history_ms_of(strategies),
        machine_s=asyncio.get_running_loop().time,
    )


def _market_data(config: Config, overrides: dict[str, Any]) -> CcxtMarketData:
    """Make the client; ccxt is imported here, which takes most of a start."""
    return CcxtMarketData(
        CCXT_ID_OF_SANDBOX if config.is_sandbox else config.exchange.id,
        config.symbols,
        config.rules,
        overrides,
        Patience(answer_s=config.exchange.request_timeout_s),
    )


def _overrides(config: Config) -> dict[str, Any]:
    """Return ccxt's settings for the addresses; a name with dots lies deeper, as in "ws.spot"."""
    addresses: dict[str, Any] = {}
    for name, url in config.exchange.urls.items():
        *path, last = name.split(".")
        place = addresses
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise RejectedError(f"exchange.urls: {part} is an address already, see {name!r}")
        place[last] = url
    return {"urls": {"api": addresses}} if addresses else {}


def history_ms_of(strategies: tuple[type[Strategy], ...]) -> int:
    """Return how far back (ms) the strategies read, and at least the candles of a price."""
    spans = [
        interval_ms(interval) * (limit + 1)
        for strategy in strategies
        for interval, limit in strategy.history.items()
    ]
    return max(spans, default=0) + 10 * MINUTE_MS
