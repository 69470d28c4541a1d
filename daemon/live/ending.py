"""The end of one task: what it merely waits for of others is given up, what it began is not."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")


class Ending:
    """`has_begun` once the task is to end. Made on the loop."""

    def __init__(self) -> None:
        self.has_begun = False
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Timeout | None = None

    def begin(self) -> None:
        """Ask for the end."""
        self.has_begun = True
        if self._waiting is not None:
            self._waiting.reschedule(self._loop.time())

    async def unless(self, work: Coroutine[object, object, T]) -> T | None:
        """Wait for what changes no state; None where the end comes first: nobody needs it then."""
        try:
            async with asyncio.timeout(0 if self.has_begun else None) as self._waiting:
                return await work
        except TimeoutError:
            if self.has_begun:
                return None
            raise
        finally:
            self._waiting = None
