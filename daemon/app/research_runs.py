"""What backtests, searches and walks of a program have in common: status, background, lookup."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Literal, Protocol, TypeVar

from daemon.app.registry import UnknownNameError
from daemon.app.run_guard import end_copies

RunStatus = Literal["ready", "pending", "fulfilled", "rejected"]
StopRun = Callable[[], Awaitable[None]]


class HasStatus(Protocol):
    """A run that says how it fares."""

    status: RunStatus


Run = TypeVar("Run", bound=HasStatus)


class Runs(dict[tuple[str, str], Run]):
    """The newest run of each (symbol, name), in the order of their start; `kind` is for people."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def keep(self, symbol: str, name: str, run: Run) -> None:
        """Take in a run that is newer than all others."""
        self.pop((symbol, name), None)
        self[symbol, name] = run

    def find(self, symbol: str, name: str) -> Run:
        """Return the newest run. Raises UnknownNameError."""
        run = self.get((symbol, name))
        if run is None:
            raise UnknownNameError(f"there is no {self.kind} of {name} on {symbol}")
        return run


@contextmanager
def kept_status(run: HasStatus) -> Iterator[None]:
    """Have the status of `run` say that it is under way, and whether it came to its end."""
    end_copies()
    run.status = "pending"
    try:
        yield
        run.status = "fulfilled"
    finally:
        if run.status == "pending":
            run.status = "rejected"


def in_background(
    work: Coroutine[object, object, None], name: str, stop: Callable[[], Awaitable[None] | None]
) -> StopRun:
    """Begin `work` on the loop; return what calls `stop` and waits for the work's end."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)

    async def stop_and_wait() -> None:
        stopping = stop()
        if isawaitable(stopping):
            await stopping
        # A listener of the run may call this, and the run waits for its listeners.
        if asyncio.current_task() is not task:
            await asyncio.wait([task])

    return stop_and_wait


TASKS: set[asyncio.Task[None]] = set()
"""Runs in the background: the loop itself would not keep them alive."""
