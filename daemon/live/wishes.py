"""What a person may want of one task, and how the task answers."""

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from daemon.core.errors import RejectedError
from daemon.core.signal import Key
from daemon.core.states import Active, Scheduled
from daemon.core.trader import Advance
from daemon.core.vwap import NoPriceError

SignalWish = Literal["stop", "cancel", "close"]
"""What a person may want of the signal of a task: `stop` drops what waits, as `cancel` does."""
TaskWish = Literal["pause", "resume", "stop", "start"]
"""What a person may want of the task itself."""
Wish = TaskWish | SignalWish


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A wish in line; `signal_id` is the only signal that it is about, "" for whichever is there.

    `done` tells what came of the signal, None where there was nothing to do.
    """

    wish: SignalWish
    signal_id: str
    done: Future[Advance | None]

    def means(self, state: Scheduled | Active) -> bool:
        """Say whether the wish is about the signal of `state`."""
        return self.signal_id in ("", state.signal.id)

    def grant(self, after: Advance | None) -> None:
        """Answer, unless nobody waits any more."""
        if not self.done.done():
            self.done.set_result(after)

    def refuse(self, reason: str) -> None:
        """Answer that it cannot be, unless it was answered."""
        if not self.done.done():
            self.done.set_exception(RejectedError(reason))


class OrderBook:
    """The wishes that wait for the end of a task's tick. Made on the loop."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._waiting: deque[Ordered] = deque()

    def put(self, wish: SignalWish, signal_id: str) -> Future[Advance | None]:
        """Stand in line; what is returned tells what came of it, or raises RejectedError."""
        done: Future[Advance | None] = get_running_loop().create_future()
        self._waiting.append(Ordered(wish=wish, signal_id=signal_id, done=done))
        return done

    async def obey(self, grant: Callable[[Ordered], Awaitable[Advance | None]]) -> None:
        """Have every wish granted, in order; one that cannot be is refused."""
        while self._waiting:
            ordered = self._waiting.popleft()
            try:
                ordered.grant(await grant(ordered))
            except (NoPriceError, RejectedError) as error:
                ordered.refuse(f"{self._key}: cannot {ordered.wish}: {error}")
            finally:
                ordered.refuse(f"{self._key} failed before it could {ordered.wish}")

    def close(self) -> None:
        """Refuse what still waits: the task has ended."""
        for ordered in self._waiting:
            ordered.refuse(f"{self._key} has ended before it could {ordered.wish}")
