"""Processes that work for this one: fed one item at a time, and never left behind.

Where a copy of this process can work on (see `copies`) they are copies of it, and begin at once.
Elsewhere, and in the place of one that died, they are started afresh.

The standard library's pool of processes gives all work up when one of them dies, cannot end them,
and leaves them waiting for ever when this process is killed. Here each has a line of its own: it
ends with its process at either end, and only the item that was worked on is done again.
"""

import asyncio
import gc
import pickle
import signal
import sys
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context, reduction
from multiprocessing.connection import Connection
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from weakref import WeakSet

from daemon.adapters.processes.shared_bytes import SharedBytes
from daemon.core.errors import WorkerError, WorkError
from daemon.core.guard import Raised, call_foreign

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

M = TypeVar("M")
T = TypeVar("T")
R = TypeVar("R")

TRIES = 2
"""An item is given up when its process dies that many times over it."""

GRACE_S = 0.5
"""A process whose line was closed is gone well within this; then it is killed."""

ANSWER, FAILED = "answer", "failed"

UNSENDABLE = (
    "this cannot be sent to other processes: put strategies and risk rules at the top level of a "
    "module, or work on one core"
)
UNSTARTED = (
    "a worker process ended while it started: keep what starts your program below "
    'if __name__ == "__main__":, or work on one core'
)

_SPAWN = get_context("spawn")

_LINES: WeakSet[Connection] = WeakSet()
"""Our ends of all lines: a copy of this process has them too, and must let go of them."""


@dataclass(frozen=True, slots=True)
class Task(Generic[M, T, R]):
    """What a worker does: `start(material, views)` returns the function that works on items.

    `start` must be a function of a module, so that another process finds it.
    """

    start: Callable[[M, list[memoryview]], Callable[[T], R]]
    material: M
    shared: SharedBytes


class Sent(NamedTuple):
    """An item on its way: the line that it was sent by, and its number there."""

    line: Connection
    number: int


class Worker(Generic[M, T, R]):
    """One process, which starts with its first item and works on one at a time."""

    def __init__(self, task: Task[M, T, R]) -> None:
        self._task = task
        self._lock = Lock()
        self._process: BaseProcess | None = None
        self._line: Connection | None = None
        self._queued = self._sent_count = 0
        self._last: Sent | None = None
        self._is_over = False

    @property
    def process_id(self) -> int | None:
        """Return the id of the process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    def copy_here(self, function: Callable[[T], R]) -> None:
        """Start now, as a copy of this process that works with `function`. Raises WorkerError."""
        self._body()
        ours, theirs = _SPAWN.Pipe()
        _LINES.add(ours)
        # Ctrl-C is for the original alone, also before the copy has come so far as to ignore it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        process = get_context("fork").Process(
            target=_serve_as_copy, args=(theirs, function, mask), daemon=True, name="tickd-worker"
        )
        try:
            process.start()
        except OSError:
            # No room for a copy: it is started afresh, with its first item.
            ours.close()
        else:
            self._process, self._line = process, ours
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()

    def queue(self, item: T) -> Sent | None:
        """Put `item` into the line of `work`, and send it if all that is before it was sent.

        So the process has it when it is done with that, and waits for nobody.
        """
        with self._lock:
            last = self._last
            is_next = self._queued == 0 or (last is not None and last.line is self._line)
            self._last = self._send(item) if is_next else None
            self._queued += 1
            return self._last

    def work(self, item: T, sent: Sent | None) -> R:
        """Return what the function makes of `item`; this blocks. Raises WorkerError.

        `sent` is what `queue` returned; items have their turns in that order.
        """
        try:
            return self._work(item, sent)
        finally:
            with self._lock:
                self._queued -= 1

    def _work(self, item: T, sent: Sent | None) -> R:
        code: int | None = None
        for _ in range(TRIES):
            line = self._line or self._start()
            if sent is None or sent.line is not line:
                with self._lock:
                    sent = self._send(item)
            try:
                kind, answer = _answer(sent)
            except (EOFError, OSError):
                code = self._bury()
                continue
            if kind == FAILED:
                raise WorkError(f"in a worker process: {answer}")
            value: R = answer
            return value
        raise WorkError(f"its worker process died {TRIES} times ({_told(code)})")

    def _send(self, item: T) -> Sent | None:
        """Send `item`, and return how; None where there is no process, or one that has died."""
        if self._line is None:
            return None
        self._sent_count += 1
        try:
            self._line.send((self._sent_count, item))
        except OSError:
            return None
        return Sent(self._line, self._sent_count)

    def end(self) -> None:
        """Kill the process. A call of `work` that is under way in another thread raises then."""
        with self._lock:
            self._is_over = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End, and let everything go. No call of `work` may be under way."""
        self.end()
        if self._process is not None:
            self._bury()

    def _start(self) -> Connection:
        body = self._body()
        ours, theirs = _SPAWN.Pipe()
        _LINES.add(ours)
        process = _SPAWN.Process(
            target=_serve, args=(theirs, self._task.shared, body), daemon=True, name="tickd-worker"
        )
        with self._lock:
            if self._is_over:
                ours.close()
                theirs.close()
                raise WorkerError("the work was given up")
            process.start()
            self._process, self._line = process, ours
        theirs.close()
        try:
            kind, text = ours.recv()
        except (EOFError, OSError):
            raise WorkerError(f"{UNSTARTED} ({_told(self._bury())})") from None
        if kind == FAILED:
            self._bury()
            raise WorkerError(f"a worker process cannot begin: {text}")
        return ours

    def _body(self) -> bytes:
        """Return what a process that is started afresh must be sent. Raises WorkerError."""
        try:
            return bytes(reduction.ForkingPickler.dumps((self._task.start, self._task.material)))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise WorkerError(f"{UNSENDABLE} ({error})") from error

    def _bury(self) -> int | None:
        """Let go of a process that has died, or dies now; return its exit code."""
        with self._lock:
            # `end`, in another thread, must not find a process that is let go of here.
            process, line = self._process, self._line
            self._process = self._line = None
        assert process is not None
        assert line is not None
        line.close()
        # One whose line is closed ends by itself; one that works on is not waited for.
        process.join(GRACE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        return code


class Workers(Generic[M, T, R]):
    """Some worker processes with the same task, for one event loop. Close them in the end."""

    def __init__(self, task: Task[M, T, R], count: int) -> None:
        self._workers = [Worker(task) for _ in range(count)]
        # One thread for each, in which items stand in line.
        self._threads = [ThreadPoolExecutor(1, f"worker-line-{n}") for n in range(count)]

    @property
    def process_ids(self) -> list[int]:
        """Return the ids of the processes that have started and not ended."""
        return [worker.process_id for worker in self._workers if worker.process_id is not None]

    def copy_here(self, function: Callable[[T], R]) -> None:
        """Start all now, as copies of this process that work with `function`.

        It must be what the task's `start` returns elsewhere. Raises WorkerError.
        """
        for worker in self._workers:
            worker.copy_here(function)

    def hands(self) -> list[Callable[[T], Coroutine[object, object, R]]]:
        """Return a function per worker that has it work on an item. They raise WorkerError.

        Called before it is done, it goes on with the next item as soon as it is.
        """
        pairs = zip(self._workers, self._threads, strict=True)
        return [partial(_work_in, thread, worker) for worker, thread in pairs]

    def close(self) -> None:
        """Kill every process, also in the middle of its work, and wait until all are gone."""
        for worker in self._workers:
            worker.end()
        for thread in self._threads:
            thread.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()


async def _work_in(thread: ThreadPoolExecutor, worker: Worker[M, T, R], item: T) -> R:
    # Sent here, where nothing is waited for: the thread may be busy with the answer before.
    sent = worker.queue(item)
    return await asyncio.get_running_loop().run_in_executor(thread, worker.work, item, sent)


def _answer(sent: Sent | None) -> tuple[str, Any]:
    """Return the answer to what was sent. Raises EOFError and OSError where none comes."""
    if sent is None:
        raise EOFError
    while True:
        number, kind, answer = sent.line.recv()
        # An earlier one is of an item that was given up.
        if number == sent.number:
            return kind, answer


def _serve(line: Connection, shared: SharedBytes, body: bytes) -> None:
    """Work in a process of its own until the other end of `line` is gone."""
    # Ctrl-C goes to all processes of a terminal: the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The standard output is the first one's, too: what an author's code prints goes beside it.
    sys.stdout = sys.stderr
    begun = call_foreign(_begin, body, shared)
    # Who started this one may be gone by now, and nobody wants to hear of it.
    with suppress(OSError):
        if isinstance(begun, Raised):
            line.send((FAILED, _line_of(begun)))
        else:
            line.send((ANSWER, None))
            _work_on(line, begun.value)


def _serve_as_copy(
    line: Connection, function: Callable[[T], object], mask: Collection[signal.Signals]
) -> None:
    """As `_serve`, in a copy of the process at the other end of `line`."""
    # What is there already is nobody's garbage: not to look at it keeps it shared.
    gc.freeze()
    # What the copy is told must not reach the original, with which it shares these.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stdout = sys.stderr
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for other in _LINES:
        other.close()
    _work_on(line, function)


def _work_on(line: Connection, function: Callable[[T], object]) -> None:
    with suppress(EOFError, OSError):
        while True:
            number, item = line.recv()
            made = call_foreign(function, item)
            if isinstance(made, Raised):
                line.send((number, FAILED, _line_of(made)))
            else:
                line.send((number, ANSWER, made.value))


def _begin(body: bytes, shared: SharedBytes) -> Callable[[object], object]:
    start, material = pickle.loads(body)  # noqa: S301 - from the process that started this one
    function: Callable[[object], object] = start(material, shared.views())
    return function


def _line_of(raised: Raised) -> str:
    return " ".join(raised.told.split())


def _told(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
