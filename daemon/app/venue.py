"""Where the market lies: an exchange embedded in the daemon, one of another process, a real one.

With the market comes its time: a sandbox tells its own, which may run faster than the machine's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.adapters.clock import SteadyClock
from daemon.adapters.storage.folder import open_folder
from daemon.app.config.settings import Config
from daemon.app.embedded import prepare
from daemon.core.candles import MINUTE_MS, interval_ms
from daemon.core.errors import RejectedError
from daemon.core.strategy import Strategy
from daemon.live.recovery import newest_ms
from daemon.ports import CheckedClock, Clock, Journal
from daemon.simulation.server.client import ask_clock, ccxt_options, parse_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A market's clock, what ccxt must be told to reach it, and its name for people.

    `checked_clock` is the clock once more where it stands on the machine's and must be watched;
    `keep` runs for as long as the venue is needed.
    """

    clock: Clock
    overrides: dict[str, Any]
    where: str
    checked_clock: CheckedClock | None = None
    keep: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an embedded exchange goes on from: the state folder, the journal, what will be read."""

    path: Path
    journal: Journal
    history_ms: int


async def open_venue(config: Config, past: Past, stack: AsyncExitStack) -> Venue:
    """Return the venue of `config`; what must be closed is left to `stack`.

    Raises FatalError, RejectedError, PortInUseError.
    """
    if not config.is_sandbox:
        clock = SteadyClock()
        return Venue(
            clock=clock,
            checked_clock=clock,
            overrides=overrides_of(config),
            where=config.exchange.id,
        )
    if config.sandbox.url:
        return await _outside(config.sandbox.url)
    return await _embedded(config, past, stack)


async def _embedded(config: Config, past: Past, stack: AsyncExitStack) -> Venue:
    folder = await asyncio.to_thread(open_folder, past.path)
    stack.callback(folder.release)
    embedded = await asyncio.to_thread(
        prepare,
        config.sandbox,
        folder,
        journal_ms=await newest_ms(past.journal),
        history_ms=past.history_ms,
        machine_s=asyncio.get_running_loop().time,
    )
    stack.push_async_callback(asyncio.to_thread, embedded.save)
    address = await embedded.server.start(port=config.sandbox.port)
    stack.push_async_callback(embedded.server.stop)
    clock = embedded.clock
    return Venue(
        clock=clock,
        overrides=ccxt_options(address),
        where=f"the embedded sandbox on {address.root_url}, {clock.speed:g} x real time",
        keep=embedded.keep_going,
    )


async def _outside(url: str) -> Venue:
    """Find the sandbox of another process and take its time and speed."""
    address = parse_address(url)
    clock = await ask_clock(address)
    return Venue(
        clock=clock,
        overrides=ccxt_options(address),
        where=f"the sandbox on {address.root_url}, {clock.speed:g} x real time",
    )


def overrides_of(config: Config) -> dict[str, Any]:
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
