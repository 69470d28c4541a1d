"""Processes that work for this one: fed one item at a time, and never left behind.

Where a copy of this process can work on (see `copies`) they are copies of it, and begin at once.
Elsewhere, and in the place of one that died, they are started afresh.

The standard library's pool of processes gives all work up when one of them dies, cannot end them,
and leaves them waiting for ever when this process is killed. Here each has a line of its own: it
ends with its process at either end, and only the item that was worked on is done again.
"""

import asyncio
import pickle
import signal
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context, reduction
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakSet

from daemon.adapters.processes.line import Line
from daemon.adapters.processes.serving import BEGUN, FAILED, serve, serve_as_copy
from daemon.adapters.processes.shared_bytes import SharedBytes
from daemon.core.errors import WorkerError, WorkError
from daemon.core.guard import Raised, call_foreign
from daemon.core.plain_text import one_line

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

M = TypeVar("M")
T = TypeVar("T")
R = TypeVar("R")
R2 = TypeVar("R2")

TRIES = 2
"""An item is given up when its process dies that many times over it."""

GRACE_S = 0.5
"""A process whose line was closed is gone well within this; then it is killed."""

UNSENDABLE = (
    "this cannot be sent to other processes: put strategies and risk rules at the top level of a "
    "module, or work on one core"
)
UNSTARTED = (
    "a worker process ended while it started: keep what starts your program below "
    'if __name__ == "__main__":, or work on one core'
)

_SPAWN = get_context("spawn")

_ENDS: WeakSet[socket.socket] = WeakSet()
"""Our ends of all lines: a copy of this process has them too, and must let go of them."""


@dataclass(frozen=True, slots=True)
class Task(Generic[M, T, R]):
    """What a worker does: `start(material, views)` returns the function that works on items.

    `start` must be a function of a module, so that another process finds it.
    """

    start: Callable[[M, list[memoryview]], Callable[[T], R]]
    material: M
    shared: SharedBytes


class Worker(Generic[M, T, R]):
    """One process, which starts with its first item and works on one at a time."""

    def __init__(self, task: Task[M, T, R]) -> None:
        self._task = task
        self._turn = asyncio.Lock()
        # What blocks is done here, one thing after the other.
        self._thread = ThreadPoolExecutor(1, "worker-process")
        self._process: BaseProcess | None = None
        self._line: Line | None = None
        self._opening: asyncio.Task[Line] | None = None
        self._numbers = count(BEGUN + 1)
        self._waiting: dict[int, bytes] = {}
        self._is_over = False

    @property
    def process_id(self) -> int | None:
        """Return the id of the process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def copy_here(self, function: Callable[[T], R]) -> None:
        """Start now, as a copy of this process that works with `function`. Raises WorkerError.

        Until it is reached, what it is given waits here.
        """
        self._body()
        ours, theirs = _new_line()
        # Ctrl-C is for the original alone, also before the copy has come so far as to ignore it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        process = get_context("fork").Process(
            target=serve_as_copy,
            args=(theirs, function, mask, _ENDS),
            daemon=True,
            name="tickd-worker",
        )
        try:
            process.start()
        except OSError:
            # No room for a copy: it is started afresh, with its first item.
            ours.close()
            return
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
        self._process = process
        self._opening = asyncio.get_running_loop().create_task(self._reached(ours))

    async def reach(self) -> None:
        """Wait until the line to the copy is there, if there is a copy."""
        if self._opening is not None:
            await self._open()

    async def work(self, item: T) -> R:
        """Return what the function makes of `item`. Raises WorkerError.

        Items have their turns in the order in which they come. One that comes while another is
        worked on is sent at once: the process goes on with it and waits for nobody.
        """
        number = next(self._numbers)
        packed = _packed_item(number, item)
        self._waiting[number] = packed
        if self._line is not None:
            self._line.send(packed)
        try:
            async with self._turn:
                return await self._work(number)
        finally:
            del self._waiting[number]

    async def _work(self, number: int) -> R:
        code: int | None = None
        for _ in range(TRIES):
            line = self._line or await self._open()
            try:
                kind, answer = await line.answer(number)
            except (EOFError, OSError):
                code = await self._bury(line)
                continue
            if kind == FAILED:
                raise WorkError(f"in a worker process: {answer}")
            value: R = answer
            return value
        raise WorkError(f"its worker process died {TRIES} times ({_told(code)})")

    async def _open(self) -> Line:
        """Start a process, and return its line when all that waits was sent by it.

        Whoever wanted it may be gone before it is there: then it is there for the next one.
        """
        opening = self._opening or asyncio.get_running_loop().create_task(self._opened())
        self._opening = opening
        try:
            return await asyncio.shield(opening)
        finally:
            if opening.done() and self._opening is opening:
                self._opening = None

    async def _opened(self) -> Line:
        line = await Line.over(await self._aside(self._start))
        try:
            kind, text = await line.answer(BEGUN)
        except (EOFError, OSError):
            raise WorkerError(f"{UNSTARTED} ({_told(await self._bury(line))})") from None
        if kind == FAILED:
            await self._bury(line)
            raise WorkerError(f"a worker process cannot begin: {text}")
        return self._ready(line)

    async def _reached(self, end: socket.socket) -> Line:
        return self._ready(await Line.over(end))

    def _ready(self, line: Line) -> Line:
        for packed in self._waiting.values():
            line.send(packed)
        self._line = line
        return line

    async def close(self) -> None:
        """Kill the process, and let everything go. Calls of `work` that are under way raise."""
        self._is_over = True
        if self._process is not None or self._opening is not None:
            await self._aside(self._kill)
        async with self._turn:
            if self._opening is not None:
                # Nobody waits for it any more.
                with suppress(WorkerError):
                    await self._open()
            if self._line is not None:
                self._let_go(self._line)
            if self._process is not None:
                await self._aside(self._reap)
        self._thread.shutdown(wait=False)

    async def _bury(self, line: Line) -> int | None:
        """Let go of the process at the other end of `line`; return its exit code."""
        self._let_go(line)
        return await self._aside(self._reap)

    def _let_go(self, line: Line) -> None:
        line.close()
        self._line = None

    def _aside(self, function: Callable[[], R2]) -> asyncio.Future[R2]:
        """Call in a thread what blocks."""
        return asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _start(self) -> socket.socket:
        body = self._body()
        if self._is_over:
            raise WorkerError("the work was given up")
        # Whoever let go of the last one may have been cancelled before it was waited for.
        self._reap()
        ours, theirs = _new_line()
        process = _SPAWN.Process(
            target=serve, args=(theirs, self._task.shared, body), daemon=True, name="tickd-worker"
        )
        try:
            with theirs:
                process.start()
        except OSError as error:
            ours.close()
            raise WorkerError(f"a worker process could not be started: {error}") from error
        self._process = process
        return ours

    def _body(self) -> bytes:
        """Return what a process that is started afresh must be sent. Raises WorkerError."""
        try:
            return bytes(reduction.ForkingPickler.dumps((self._task.start, self._task.material)))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise WorkerError(f"{UNSENDABLE} ({error})") from error

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _reap(self) -> int | None:
        """Wait for the end of a process that has died, or dies now."""
        process = self._process
        if process is None:
            return None
        # One whose line is closed ends by itself; one that works on is not waited for.
        process.join(GRACE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        # Not before: whoever closes waits for what was begun here.
        self._process = None
        process.close()
        return code


def _new_line() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    _ENDS.add(ours)
    return ours, theirs


class Workers(Generic[M, T, R]):
    """Some worker processes with the same task, for one event loop. Close them in the end."""

    def __init__(self, task: Task[M, T, R], count: int) -> None:
        self._workers = [Worker(task) for _ in range(count)]

    @property
    def process_ids(self) -> list[int]:
        """Return the ids of the processes that have started and not ended."""
        return [worker.process_id for worker in self._workers if worker.process_id is not None]

    async def copy_here(self, function: Callable[[T], R]) -> None:
        """Start all now, as copies of this process that work with `function`.

        It must be what the task's `start` returns elsewhere. Raises WorkerError.
        """
        # One after the other: while the loop has a turn, a thread may start somewhere.
        for worker in self._workers:
            worker.copy_here(function)
        for worker in self._workers:
            await worker.reach()

    def hands(self) -> list[Callable[[T], Coroutine[object, object, R]]]:
        """Return a function per worker that has it work on an item. They raise WorkerError.

        Called before it is done, it goes on with the next item as soon as it is.
        """
        return [worker.work for worker in self._workers]

    async def close(self) -> None:
        """Kill every process, also in the middle of its work, and wait until all are gone.

        Who is cancelled meanwhile hears of it then.
        """
        closing = asyncio.get_running_loop().create_task(self._close())
        cancelled: asyncio.CancelledError | None = None
        while not closing.done():
            try:
                await asyncio.wait([closing])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        closing.result()

    async def _close(self) -> None:
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.close())


def _packed_item(number: int, item: object) -> bytes:
    packed = call_foreign(pickle.dumps, (number, item), pickle.HIGHEST_PROTOCOL)
    if isinstance(packed, Raised):
        raise WorkError(f"an item cannot be sent to other processes ({one_line(packed.told)})")
    return packed.value


def _told(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
