"""Virtual time: an asyncio loop that jumps to its next deadline instead of waiting for it.

A seed shuffles the order in which ready callbacks run, and the same seed repeats it. There is no
outside: nothing but timers can wake the loop, so a loop with no timer left is a deadlock and says
so, and a socket is refused. What would run in a thread runs on the loop.
"""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

NAMES_SHOWN_MAX = 10
RESOLUTION_S = 1e-6
"""Timers this close are due together. Less than a float resolves after years, and it would hang."""


class DeadlockError(RuntimeError):
    """Nothing can ever happen again on a virtual loop: everybody waits and no timer is set."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose `time` begins at 0 and jumps; with `rng`, ready callbacks run in its order."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._virtual_s = 0.0
        super().__init__(_Outside(self._jump))
        self._clock_resolution = RESOLUTION_S
        if rng is not None:
            self._ready = _ShuffledQueue(rng)  # the base class takes its callbacks from here

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._virtual_s

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002  # threads would let the machine decide order
        func: Callable[[*Arguments], Result],
        *args: *Arguments,
    ) -> asyncio.Future[Result]:
        """Call `func` on the loop, at its next turn, in place of a thread."""

        async def call() -> Result:
            return func(*args)

        return self.create_task(call())

    def _jump(self, timeout_s: float | None) -> None:
        """Go to the next deadline. Raises DeadlockError if there is none."""
        if timeout_s is None:
            names = sorted(task.get_name() for task in asyncio.all_tasks(self))
            raise DeadlockError(
                f"nothing can happen any more at {self._virtual_s:.3f} s; "
                f"{len(names)} tasks wait: {', '.join(names[:NAMES_SHOWN_MAX])}"
            )
        self._virtual_s += timeout_s


def run_virtual(main: Coroutine[Any, Any, Result], seed: int | None = None) -> Result:
    """Run `main` on a new virtual loop and return its result.

    With a seed, callbacks that are ready at the same time run in an order that follows from it;
    without, in asyncio's own. Raises DeadlockError if nothing can happen any more.
    """
    rng = None if seed is None else random.Random(seed)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(rng)) as runner:
        return runner.run(main)


class _ShuffledQueue(deque[asyncio.Handle]):
    """A queue that gives its entries in a random order."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def popleft(self) -> asyncio.Handle:
        chosen = self._rng.randrange(len(self))
        self.rotate(-chosen)
        handle = super().popleft()
        self.rotate(chosen)
        return handle


class _Outside(selectors.SelectSelector):
    """The world seen from a virtual loop: nothing ever comes from it, time passes at once."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        super().__init__()
        self._jump = jump

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        if self.get_map():  # the first one is the loop's own pipe to itself
            raise RuntimeError("a virtual loop has no network and no pipes")
        return super().register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._jump(timeout)
        return []
