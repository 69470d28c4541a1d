"""Writing behind: one task sees to disk what others leave for it, as often as it takes."""

import asyncio
from collections.abc import Awaitable, Callable

from daemon.core.errors import TransientError
from daemon.live.health import backoff_s


async def keep_flushing(has_news: asyncio.Event, flush: Callable[[], Awaitable[None]]) -> None:
    """Call `flush` whenever there is news, until cancelled. It clears the event when it is done.

    A TransientError is told by nobody here: whoever must wait for the same disk reports it.
    """
    attempt = 0
    while True:
        await has_news.wait()
        try:
            await flush()
            attempt = 0
        except TransientError:
            await asyncio.sleep(backoff_s(attempt))
            attempt += 1
