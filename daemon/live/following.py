"""The way to the exchange: reached once, however long that takes, then its market is followed."""

import asyncio
from collections.abc import Awaitable, Callable

from daemon.core.errors import TransientError
from daemon.live.feed import MarketFeed
from daemon.live.health import backoff_s


async def follow_market(feed: MarketFeed, connect: Callable[[], Awaitable[None]]) -> None:
    """Reach the exchange by `connect` and run `feed` until cancelled. Raises RejectedError."""
    attempt = 0
    while True:
        try:
            await connect()
            break
        except TransientError as error:
            feed.unreachable(error)
        await asyncio.sleep(backoff_s(attempt))
        attempt += 1
    await feed.run()
