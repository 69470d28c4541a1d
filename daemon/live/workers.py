"""Worker threads for plain functions of strategies, which may block.

Python cannot interrupt a thread. A call that does not answer in time is given up: its thread
counts as leaked and another takes its place, so that one stuck strategy starves nobody. The
threads are daemonic: a stuck one does not keep the process from ending.
"""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from daemon.core.guard import Raised, Returned, call_foreign, describe
from daemon.live.forked import FORKED

Outcome = Returned[object] | Raised


class LeakedThreadError(TimeoutError):
    """A call never came back, and its thread is lost to it."""


class Workers(Protocol):
    """Runs plain foreign functions somewhere."""

    async def call(self, function: Callable[[], object], *, timeout_s: float) -> Outcome:
        """Return what came of the call; a Raised of TimeoutError past `timeout_s`."""
        ...


class InlineWorkers:
    """Runs each call at once on the calling thread: for virtual time, where nothing blocks."""

    async def call(self, function: Callable[[], object], *, timeout_s: float) -> Outcome:
        del timeout_s
        return call_foreign(function)


class ThreadWorkers:
    """At most `size` calls at a time; more wait in line, and their waiting counts as theirs."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self._idle: deque[_Worker] = deque()
        self.leaked = 0

    async def call(self, function: Callable[[], object], *, timeout_s: float) -> Outcome:
        late: TimeoutError = TimeoutError(f"no thread was free in {timeout_s:g} s")
        try:
            async with asyncio.timeout(timeout_s), self._free:
                worker = self._idle.pop() if self._idle else _Worker()
                outcome: Outcome | None = None
                try:
                    outcome = await worker.run(function)
                finally:
                    if outcome is None:
                        # Nobody waits for this thread any more, and it may never come back.
                        self.leaked += 1
                        worker.abandon()
                        late = LeakedThreadError(
                            f"no answer in {timeout_s:g} s; its thread is given up"
                        )
                self._idle.append(worker)
                return outcome
        except TimeoutError:
            return describe(late)

    def close(self) -> None:
        """Let the idle threads end."""
        while self._idle:
            self._idle.pop().abandon()


class _Worker:
    """One daemonic thread that takes one call at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._work: deque[tuple[Callable[[], Outcome], asyncio.Future[Outcome]]] = deque()
        self._has_work = threading.Semaphore(0)
        self._is_abandoned = False
        self._thread = threading.Thread(target=self._serve, name="tickd-strategy", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], object]) -> Outcome:
        context = contextvars.copy_context()
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._work.append((lambda: context.run(call_foreign, function), future))
        self._has_work.release()
        return await future

    def abandon(self) -> None:
        """End the thread as soon as its call, if any, comes back."""
        self._is_abandoned = True
        self._has_work.release()

    def _serve(self) -> None:
        while True:
            self._has_work.acquire()
            if self._is_abandoned or not self._work:
                return
            call, future = self._work.popleft()
            outcome = call()
            FORKED.leave_if_child()
            try:
                self._loop.call_soon_threadsafe(_answer, future, outcome)
            except RuntimeError:
                # The loop has ended; nobody waits for this answer.
                return


def _answer(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
