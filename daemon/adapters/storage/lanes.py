"""Blocking work off the event loop: in order within a lane, side by side between lanes.

A stuck disk holds up the lanes that wait for it, never the loop. Work that was handed in is done
even if the caller is cancelled meanwhile: nobody has to guess whether a write happened.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Condition, get_ident
from typing import Any, TypeVar

from daemon.core.errors import FatalError

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Job:
    """Work that waits for its turn. `is_replaceable`: newer work of its kind may take its place."""

    work: Callable[[], Any]
    is_replaceable: bool
    done: "Future[Any]" = field(default_factory=Future)


class Lanes:
    """A few threads. Work of one lane runs one after the other, in the order it was handed in."""

    def __init__(self, threads: int, name: str) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        # A lane is listed while it runs something; its queue holds what comes next.
        self._lanes: dict[str, deque[_Job]] = {}
        self._changed = Condition()
        self._is_closed = False
        # By thread: when it began what it is doing, in loop time.
        self._begun: dict[int, float] = {}
        self._now_s: Callable[[], float] = float

    @property
    def busy_s(self) -> float:
        """Return for how long (loop time) the slowest work under way has kept its thread."""
        now_s = self._now_s()
        return max((now_s - begun_s for begun_s in tuple(self._begun.values())), default=0.0)

    async def run(self, lane: str, work: Callable[[], T]) -> T:
        """Do `work` after whatever the lane has been given before; return its result."""
        done = self._submit(lane, _Job(work=work, is_replaceable=False))
        return await asyncio.shield(asyncio.wrap_future(done))

    async def run_latest(self, lane: str, work: Callable[[], T]) -> T:
        """Do `work`, unless newer work comes while it waits: then return the result of that."""
        done = self._submit(lane, _Job(work=work, is_replaceable=True))
        return await asyncio.shield(asyncio.wrap_future(done))

    def close(self) -> None:
        """Wait until everything that was handed in is done, and end the threads. Blocks."""
        with self._changed:
            self._is_closed = True
            while self._lanes:
                self._changed.wait()
        self._pool.shutdown(wait=True)

    def _submit(self, lane: str, job: _Job) -> "Future[Any]":
        self._now_s = asyncio.get_running_loop().time
        with self._changed:
            if self._is_closed:
                raise FatalError(f"{self._name} is closed")
            waiting = self._lanes.get(lane)
            if waiting is None:
                self._lanes[lane] = deque()
                self._start(lane, job)
            elif job.is_replaceable and waiting and waiting[-1].is_replaceable:
                waiting[-1].work = job.work
                return waiting[-1].done
            else:
                waiting.append(job)
        return job.done

    def _start(self, lane: str, job: _Job) -> None:
        running = self._pool.submit(self._do, job)
        running.add_done_callback(lambda done: self._finish(lane, job, done))

    def _do(self, job: _Job) -> object:
        self._begun[get_ident()] = self._now_s()
        try:
            return job.work()
        finally:
            del self._begun[get_ident()]

    def _finish(self, lane: str, job: _Job, ran: "Future[Any]") -> None:
        error = ran.exception()
        with self._changed:
            waiting = self._lanes[lane]
            if waiting:
                self._start(lane, waiting.popleft())
            else:
                del self._lanes[lane]
                self._changed.notify_all()
        if error is None:
            job.done.set_result(ran.result())
        else:
            job.done.set_exception(error)
