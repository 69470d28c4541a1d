"""What a task sleeps on: one waiter, woken by a call or at a moment, whichever is first."""

import asyncio
from math import floor, inf

FAR_S = 1.0
"""A timer that is further away rings early, at a whole multiple of this."""


class Waker:
    """Cheap enough for a thousand tasks: one future for each sleep, and one timer in reserve.

    Most sleeps end long before their moment. So a timer is neither cancelled at their end nor set
    anew for the next: one that rings early finds out how much longer it is and goes on. The far
    ones of all tasks ring together. Call `close` at the end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rings_s = inf
        self._due_s = 0.0
        self._is_set = False

    async def wait(self, due_s: float) -> float:
        """Sleep until `wake`, or until `due_s` of the loop's time; return when it was due (s)."""
        if self._is_set:
            self._is_set = False
            return self._loop.time()
        self._future = self._loop.create_future()
        self._at(due_s)
        try:
            await self._future
        finally:
            self._future = None
            self._is_set = False
        return self._due_s

    def wake(self) -> None:
        """End the sleep now; where nobody sleeps, the next one ends at once."""
        self._due_s = min(self._due_s, self._loop.time()) if self._future else self._loop.time()
        self._ring()

    def wake_by(self, due_s: float) -> None:
        """End the sleep at `due_s` at the latest; a moment that has passed means now."""
        if self._future is None or due_s >= self._due_s:
            return
        now_s = self._loop.time()
        if due_s > now_s:
            self._at(due_s)
        elif now_s < self._due_s:
            self._due_s = now_s
            self._ring()

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings_s = None, inf

    def _at(self, due_s: float) -> None:
        """Be due at `due_s`, with a timer that rings no later."""
        self._due_s = due_s
        if due_s < self._rings_s:
            self.close()
            is_far = due_s - self._loop.time() > FAR_S
            self._rings_s = floor(due_s / FAR_S) * FAR_S if is_far else due_s
            self._timer = self._loop.call_at(self._rings_s, self._rung)

    def _rung(self) -> None:
        """End the sleep, or go on if the timer was set for one before it."""
        rang_s, self._timer, self._rings_s = self._rings_s, None, inf
        if self._future is None:
            return
        if self._due_s > rang_s:
            self._at(self._due_s)
        else:
            self._ring()

    def _ring(self) -> None:
        self._is_set = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
