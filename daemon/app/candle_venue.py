"""The exchange that history is fetched from: any of ccxt's, or a sandbox of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from daemon.adapters.clock import wall_ms
from daemon.adapters.exchange.market_data import CcxtMarketData, Patience
from daemon.adapters.storage.folder import open_folder
from daemon.app.config.settings import Config
from daemon.app.embedded import prepare
from daemon.app.opening import CCXT_ID_OF_SANDBOX
from daemon.app.venue import overrides_of
from daemon.core.errors import RejectedError
from daemon.ports import MarketData
from daemon.simulation.server.client import ccxt_options, parse_address


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleVenue:
    """An exchange that can be asked for candles, and its own time (UTC epoch ms)."""

    data: MarketData
    now_ms: int


@asynccontextmanager
async def open_candle_venue(
    config: Config, symbol: str, stop_ms: int
) -> AsyncIterator[CandleVenue]:
    """Reach the exchange of `config` for the candles of `symbol`, and leave it at the end.

    An embedded sandbox is one of its own, whose time stands at `stop_ms` or later: it leaves the
    daemon's alone. Raises TransientError, RejectedError (an unknown exchange or symbol, a candle
    file to replay that cannot be used), FatalError.
    """
    async with AsyncExitStack() as stack:
        overrides = await _overrides(config, stop_ms, stack)
        data = await asyncio.to_thread(
            CcxtMarketData,
            CCXT_ID_OF_SANDBOX if config.is_sandbox else config.exchange.id,
            (symbol,),
            config.rules,
            overrides,
            Patience(answer_s=config.exchange.request_timeout_s),
        )
        stack.push_async_callback(data.close)
        await data.load_markets()
        try:
            now_ms = await data.server_time_ms()
        except RejectedError:
            now_ms = wall_ms()
        yield CandleVenue(data=data, now_ms=now_ms)


async def _overrides(config: Config, stop_ms: int, stack: AsyncExitStack) -> dict[str, Any]:
    if not config.is_sandbox:
        return overrides_of(config)
    if config.sandbox.url:
        return ccxt_options(parse_address(config.sandbox.url))
    scratch = stack.enter_context(TemporaryDirectory(prefix="tickd-data-"))
    folder = await asyncio.to_thread(open_folder, Path(scratch))
    stack.callback(folder.release)
    embedded = await asyncio.to_thread(
        prepare,
        config.sandbox,
        folder,
        journal_ms=stop_ms,
        history_ms=0,
        machine_s=asyncio.get_running_loop().time,
    )
    address = await embedded.server.start(port=0)
    stack.push_async_callback(embedded.server.stop)
    return ccxt_options(address)
