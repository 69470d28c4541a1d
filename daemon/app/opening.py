"""Opens the world that a daemon works in: its state folder, its clock and its exchange.

With the embedded exchange all three hang together: the market's time goes on from the folder.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from daemon.adapters.clock import wall_ms
from daemon.adapters.exchange.market_data import CcxtMarketData, Patience
from daemon.adapters.storage.opening import StorageOptions, open_storage
from daemon.app.config.settings import Config
from daemon.app.state_folder import identity_of, state_folder
from daemon.app.venue import Past, history_ms_of, open_venue
from daemon.app.world import World
from daemon.core.signal import Key
from daemon.core.strategy import Strategy

CCXT_ID_OF_SANDBOX = "binance"


@asynccontextmanager
async def open_world(
    config: Config, keys: tuple[Key, ...], strategies: tuple[type[Strategy], ...]
) -> AsyncIterator[World]:
    """Open the folder, start or find the exchange, and close both at the end.

    Raises StateLockedError, FatalError, RejectedError, PortInUseError.
    """
    options = StorageOptions(identity=identity_of(config), keys=keys)
    path = state_folder(config)
    async with AsyncExitStack() as stack:
        storage = await asyncio.to_thread(open_storage, path, options, wall_ms)
        stack.push_async_callback(asyncio.to_thread, storage.close)
        past = Past(path=path, journal=storage.journal, history_ms=history_ms_of(strategies))
        venue = await open_venue(config, past, stack)
        data = await asyncio.to_thread(_market_data, config, venue.overrides)
        stack.push_async_callback(data.close)
        yield World(
            state=storage.state,
            journal=storage.journal,
            cursors=storage.cursors,
            clock=venue.clock,
            checked_clock=venue.checked_clock,
            data=data,
            budget=data.budget,
            learn=data.learn,
            connect=data.reach,
            where=venue.where,
            notes=storage.notes,
            keep=venue.keep,
            writing_s=lambda: storage.busy_s,
            hangs=storage.hangs,
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
