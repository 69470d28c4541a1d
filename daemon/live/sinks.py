"""The worker of one sink, and how foreign code is awaited without ever being waited for too long.

A sink that is slow, dead or broken costs its own events: its queue is bounded, its failures are
counted, and what was lost is told once when it is back.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from inspect import isawaitable
from typing import Protocol, TypeVar

from daemon.core.errors import TransientError
from daemon.core.events import Announcement
from daemon.core.guard import Raised, Returned, call_foreign, describe
from daemon.ports import Sink, SinkStatus

T = TypeVar("T")
Outcome = Returned[object] | Raised
Report = Callable[[str, Raised], None]
"""Takes where something went wrong ("listener", "sink") and what."""

GRACE_S = 1.0
"""How long a cancelled coroutine may take to end before it is left behind."""


class Guard(Protocol):
    """Calls foreign code and returns what came of it; `holder` says whose code it is."""

    def call(self, holder: str, function: Callable[[], T]) -> Returned[T] | Raised: ...

    async def drive(
        self, holder: str, coroutine: Coroutine[object, object, object], limit_s: float
    ) -> Returned[object] | Raised: ...


class PlainGuard:
    """Catches everything, and trusts foreign code to give the event loop back."""

    def call(self, holder: str, function: Callable[[], T]) -> Returned[T] | Raised:  # noqa: ARG002 - it trusts all
        return call_foreign(function)

    async def drive(
        self,
        holder: str,  # noqa: ARG002 - as above
        coroutine: Coroutine[object, object, object],
        limit_s: float,
    ) -> Returned[object] | Raised:
        async with asyncio.timeout(limit_s):
            return Returned(await coroutine)


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutLimits:
    """Bounds of queues (events) and times (s). The newest events are kept, the oldest dropped."""

    listener_queue_max: int = 1000
    sink_queue_max: int = 10_000
    batch_max: int = 500
    callback_s: float = 30.0
    send_s: float = 10.0
    report_interval_s: float = 60.0
    backoff_s: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class ForeignCalls:
    """Runs foreign callbacks to their end, in a task of their own, and never longer than allowed.

    `left_behind` counts coroutines that went on although they were cancelled.
    """

    def __init__(self, guard: Guard, report: Report) -> None:
        self._guard = guard
        self._report = report
        self._left: set[asyncio.Task[Outcome]] = set()
        self.left_behind = 0

    async def run(self, holder: str, function: Callable[[], object], limit_s: float) -> Outcome:
        """Call `function` on the loop and await what it returns, if that can be awaited."""
        outcome = self._guard.call(holder, function)
        if isinstance(outcome, Raised) or not isawaitable(outcome.value):
            return outcome
        return await self._settle(holder, _as_coroutine(outcome.value), limit_s)

    def report(self, where: str, raised: Raised) -> None:
        """Tell of a trouble; whatever the telling raises goes no further."""
        call_foreign(self._report, where, raised)

    async def _settle(
        self, holder: str, coroutine: Coroutine[object, object, object], limit_s: float
    ) -> Outcome:
        driven = _outcome_of(self._guard.drive(holder, coroutine, limit_s))
        # A task of its own: what it does to its task, or refuses to end, is not ours to suffer.
        task = asyncio.get_running_loop().create_task(driven)
        try:
            await asyncio.wait({task}, timeout=limit_s + GRACE_S)
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE_S)
        finally:
            if not task.done():
                self._leave(task)
        if task.done() and not task.cancelled():
            return task.result()
        return describe(TimeoutError(f"no answer in {limit_s:g} s"))

    def _leave(self, task: asyncio.Task[Outcome]) -> None:
        task.cancel()
        self.left_behind += 1
        self._left.add(task)
        task.add_done_callback(self._left.discard)


async def _as_coroutine(awaitable: Awaitable[object]) -> object:
    return await awaitable


async def _outcome_of(driven: Awaitable[Outcome]) -> Outcome:
    try:
        return await driven
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
        # Even SystemExit must not leave a task: it would end the event loop.
        return describe(error)


class SinkWorker:
    """Hands events to one sink in batches and in order."""

    def __init__(self, sink: Sink, limits: FanoutLimits, calls: ForeignCalls) -> None:
        self._sink = sink
        self._limits = limits
        self._calls = calls
        self._queue: deque[Announcement] = deque()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._failures_in_a_row = 0
        self._lost = 0
        self._flying = 0
        self._counts = SinkStatus(name=sink.name, sent=0, dropped=0, failed=0, queued=0)

    @property
    def status(self) -> SinkStatus:
        """Return the sink's counts since start."""
        return replace(self._counts, queued=len(self._queue) + self._flying)

    def offer(self, event: Announcement) -> None:
        """Queue `event` if the sink wants it. Never blocks and never raises."""
        wanted = call_foreign(self._sink.wants, event)
        if isinstance(wanted, Raised) or not wanted.value:
            return
        if len(self._queue) >= self._limits.sink_queue_max:
            self._queue.popleft()
            self._drop(1)
        self._queue.append(event)
        self._wake.set()

    def close(self) -> None:
        """Let `run` end once the queue is empty, or at the next failure."""
        self._closing.set()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until closed."""
        while self._queue or not self._closing.is_set():
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = [self._queue.popleft() for _ in range(self._batch_length())]
            await self._deliver(batch)

    def _batch_length(self) -> int:
        return min(len(self._queue), self._limits.batch_max)

    async def _deliver(self, batch: Sequence[Announcement]) -> None:
        self._flying = len(batch)
        send = partial(self._sink.send, batch)
        outcome = await self._calls.run(f"sink {self._sink.name}", send, self._limits.send_s)
        self._flying = 0
        if isinstance(outcome, Raised):
            await self._failed(len(batch))
        else:
            self._succeeded(len(batch))

    async def _failed(self, count: int) -> None:
        self._counts = replace(self._counts, failed=self._counts.failed + count)
        self._lost += count
        if self._closing.is_set():
            # A dead sink does not hold up the stop.
            self._drop(len(self._queue))
            self._queue.clear()
            return
        steps = self._limits.backoff_s
        pause_s = steps[min(self._failures_in_a_row, len(steps) - 1)]
        self._failures_in_a_row += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._closing.wait()

    def _succeeded(self, count: int) -> None:
        self._counts = replace(self._counts, sent=self._counts.sent + count)
        is_back = self._failures_in_a_row > 0 or not self._queue
        self._failures_in_a_row = 0
        if self._lost and is_back:
            lost, self._lost = self._lost, 0
            text = f"sink {self._sink.name} is back; {lost} events did not get through"
            self._calls.report("sink", describe(TransientError(text)))

    def _drop(self, count: int) -> None:
        self._counts = replace(self._counts, dropped=self._counts.dropped + count)
        self._lost += count
