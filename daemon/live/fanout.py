"""Hands every announcement to whoever listens: sinks and listeners, each at its own pace.

Announcing costs the caller an append per hearer. Each listener hears its events in order and
one at a time, also when its callback awaits; what it raises or how long it takes is its own loss.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from types import FunctionType, MethodType

from daemon.core.errors import TransientError
from daemon.core.events import Announcement, ErrorContract, ExitContract
from daemon.core.guard import Raised, describe
from daemon.core.subjects import AnyDelivery, Subjects, route
from daemon.live.sinks import FanoutLimits, ForeignCalls, Guard, PlainGuard, Report, SinkWorker
from daemon.ports import Sink, SinkStatus


class Fanout:
    """Delivers announcements to listeners and sinks. One `run` for its whole life.

    `report` is told, as "listener" or "sink", what raised and what was lost; it may announce.
    """

    def __init__(
        self,
        subjects: Subjects,
        sinks: Sequence[Sink],
        report: Report,
        guard: Guard | None = None,
        limits: FanoutLimits | None = None,
    ) -> None:
        self._subjects = subjects
        self._guard = guard or PlainGuard()
        self._limits = limits or FanoutLimits()
        self._calls = ForeignCalls(self._guard, report)
        self._workers = [SinkWorker(sink, self._limits, self._calls) for sink in sinks]
        self._mailboxes: dict[object, _Mailbox] = {}
        self._tally = _Tally()
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def has_result_listeners(self) -> bool:
        """Say whether anybody wants to hear of ticks at which nothing happened."""
        return bool(self._subjects.signal.listeners or self._subjects.signal_live.listeners)

    @property
    def has_performance_listeners(self) -> bool:
        """Say whether anybody wants to hear how long things take."""
        return bool(self._subjects.performance.listeners)

    @property
    def left_behind(self) -> int:
        """Return how many callbacks went on although they were cancelled, since start."""
        return self._calls.left_behind

    @property
    def statuses(self) -> tuple[SinkStatus, ...]:
        """Return how each sink stands, and under "listeners" how all listeners stand together."""
        tally = self._tally
        queued = sum(mailbox.length for mailbox in self._mailboxes.values())
        listeners = SinkStatus(
            name="listeners",
            sent=tally.heard,
            dropped=tally.dropped,
            failed=tally.raised,
            queued=queued,
        )
        return (*(worker.status for worker in self._workers), listeners)

    def announce(self, events: Sequence[Announcement]) -> None:
        """Queue `events` for everybody who wants them. Never blocks and never raises."""
        for event in events:
            for worker in self._workers:
                worker.offer(event)
            # The conditions of once-listeners are foreign code too.
            routed = self._guard.call("a listener", partial(_routed, event, self._subjects))
            for delivery in () if isinstance(routed, Raised) else routed.value:
                self._post(delivery)

    async def run(self) -> None:
        """Deliver until drained or cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for worker in self._workers:
                    self._keep(group.create_task(worker.run()))
                for mailbox in self._mailboxes.values():
                    self._start(mailbox)
                await self._closing.wait()
        finally:
            self._group = None
            self._closing.set()
            self._ended.set()

    async def drain(self, timeout_s: float) -> int:
        """Deliver what is queued, give up after `timeout_s`; return how much was given up."""
        self._closing.set()
        for worker in self._workers:
            worker.close()
        if self._group is not None:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ended.wait()
            except TimeoutError:
                for task in tuple(self._tasks):
                    task.cancel()
                await self._ended.wait()
        return sum(status.queued for status in self.statuses)

    def _post(self, delivery: AnyDelivery) -> None:
        mailbox = self._mailboxes.get(delivery.listener)
        if mailbox is None:
            self._sweep()
            mailbox = _Mailbox(delivery, self._limits, self._calls, self._tally)
            self._mailboxes[delivery.listener] = mailbox
        mailbox.put(delivery)
        self._start(mailbox)

    def _start(self, mailbox: "_Mailbox") -> None:
        """Give `mailbox` a task if it needs one: a listener that has nothing to hear has none."""
        if self._group is None or mailbox.is_running or not mailbox.length:
            return
        delivering = mailbox.run()
        try:
            self._keep(self._group.create_task(delivering))
        except RuntimeError:
            # The last task has just ended and the group with it: the event stays undelivered.
            delivering.close()
            return
        mailbox.is_running = True

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _sweep(self) -> None:
        ended = [key for key, mailbox in self._mailboxes.items() if mailbox.is_finished]
        for key in ended:
            del self._mailboxes[key]


def _routed(event: Announcement, subjects: Subjects) -> tuple[AnyDelivery, ...]:
    return tuple(route(event, subjects))


class _Tally:
    """What all listeners together heard, missed, and raised at."""

    __slots__ = ("dropped", "heard", "raised")

    def __init__(self) -> None:
        self.heard = 0
        self.dropped = 0
        self.raised = 0


class _Mailbox:
    """What one listener has yet to hear; `last` is the newest event that was meant for it."""

    def __init__(
        self, first: AnyDelivery, limits: FanoutLimits, calls: ForeignCalls, tally: _Tally
    ) -> None:
        self._limits = limits
        self._calls = calls
        self._tally = tally
        self._queue: deque[AnyDelivery] = deque()
        self._last = first
        self._name = f"listener {_name_of(first.listener.handle)}"
        self._dropped = 0
        self._untold = 0
        self._told_at_s: float | None = None
        self.is_running = False

    @property
    def length(self) -> int:
        return len(self._queue)

    @property
    def is_finished(self) -> bool:
        """Say whether its listener has unsubscribed and nothing is left to do."""
        return self._last.listener.is_done and not self._queue and not self.is_running

    def put(self, delivery: AnyDelivery) -> None:
        if len(self._queue) >= self._limits.listener_queue_max:
            self._queue.popleft()
            self._dropped += 1
            self._tally.dropped += 1
        self._queue.append(delivery)
        self._last = delivery

    async def run(self) -> None:
        """Let the listener hear what is queued, then end."""
        try:
            while self._queue:
                await self._hear(self._queue.popleft())
        finally:
            self.is_running = False
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            text = f"{self._name} was too slow and missed {dropped} events"
            self._calls.report("listener", describe(TransientError(text)))

    async def _hear(self, delivery: AnyDelivery) -> None:
        listener = delivery.listener
        # One that waited for this very event has been unsubscribed before its call.
        if listener.is_done and listener.accepts is None:
            return
        outcome = await self._calls.run(self._name, delivery.call, self._limits.callback_s)
        if isinstance(outcome, Raised):
            self._tally.raised += 1
            self._tell(outcome, delivery.event)
        else:
            self._tally.heard += 1
        # A plain callback has not let anybody else run since the one before it.
        await asyncio.sleep(0)

    def _tell(self, raised: Raised, event: Announcement) -> None:
        """Report what a listener raised, but not once per event, and not in a circle."""
        if isinstance(event, ErrorContract | ExitContract) and event.where == "listener":
            return
        now_s = asyncio.get_running_loop().time()
        if self._told_at_s is not None and now_s - self._told_at_s < self._limits.report_interval_s:
            self._untold += 1
            return
        self._told_at_s = now_s
        untold, self._untold = self._untold, 0
        more = f" ({untold} times more since the last report)" if untold else ""
        self._calls.report(
            "listener", replace(raised, message=f"{self._name}: {raised.message}{more}")
        )


def _name_of(handle: object) -> str:
    # Asking an unknown object for its name would be foreign code again.
    if isinstance(handle, FunctionType | MethodType):
        return handle.__qualname__
    return type(handle).__name__
