"""Carries transitions from the journal to one alert sink: at least once, in order, never lost.

The sink's cursor says how far it has got. It is saved after a delivery, so that a crash between
the two repeats alerts, which their ids tell apart, and loses none.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from daemon.core.errors import FatalError, RateLimitedError, RejectedError, TransientError
from daemon.core.events import ErrorContract
from daemon.core.guard import Raised, describe
from daemon.core.records import Journaled, TransitionEntry
from daemon.live.sinks import ForeignCalls, PlainGuard, Report
from daemon.ports import AlertSink, CursorStore, Journal, Progress, SinkStatus

Delivered = Literal["yes", "not_yet", "never"] | Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLimits:
    """Bounds of batches (entries) and times (s).

    `quiet_s` is how long news without notice may go unseen. `skipped_max`: candles and the like
    move the cursor in memory only; so many of them are read again after a crash at most.
    `last_wait_s` is how long a stop waits for a sink that has to keep its pace.
    """

    batch_max: int = 100
    skipped_max: int = 1000
    deliver_s: float = 30.0
    quiet_s: float = 1.0
    report_interval_s: float = 60.0
    last_wait_s: float = 1.5
    backoff_s: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class AlertPump:
    """Delivers every transition behind the cursor of `sink`. One `run` for its whole life.

    What the sink answers decides: TransientError is tried again for ever, RejectedError gives up
    that entry alone, FatalError switches the sink off until the next start.
    """

    def __init__(
        self,
        sink: AlertSink,
        journal: Journal,
        cursors: CursorStore,
        report: Report,
        limits: AlertLimits | None = None,
    ) -> None:
        self.name = sink.name
        self._sink = sink
        self._journal = journal
        self._cursors = cursors
        self._limits = limits or AlertLimits()
        self._calls = ForeignCalls(PlainGuard(), report)
        self._cursor: int | None = None
        self._saved = 0
        self._is_held = False
        self._failures_in_a_row = 0
        self._outage_told = False
        self._told_at_s: float | None = None
        self._counts = SinkStatus(name=sink.name, sent=0, dropped=0, failed=0, queued=0)
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> SinkStatus:
        """Return its counts of journal entries since start; `queued` is how far it is behind."""
        if self._cursor is None:
            return self._counts
        return replace(self._counts, queued=max(0, self._journal.last_number - self._cursor))

    async def open(self) -> None:
        """Load the cursor; a sink's very first start saves one at the journal's end.

        Awaited before anything trades, no transition can slip past a new sink: otherwise a
        crash before that first save would lose what came between. Harmless when repeated.
        Raises TransientError.
        """
        if self._cursor is not None:
            return
        end = self._journal.last_number
        cursor = await self._cursors.load_cursor(self.name)
        if cursor is not None and cursor > end:
            text = f"alert sink {self.name} stood at entry {cursor}; the journal ends at {end}"
            self._calls.report("sink", describe(TransientError(text)))
        if cursor is None or cursor > end:
            await self._cursors.save_cursor(self.name, end)
            cursor = end
        self._cursor = self._saved = cursor

    def notify(self) -> None:
        """Say that the journal has grown."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until drained, cancelled, or switched off."""
        self._task = asyncio.current_task()
        try:
            while not await self._opened():
                await self._pause(0.0)
            while await self._advanced():
                pass
        finally:
            self._task = None
            self._ended.set()

    async def drain(self, timeout_s: float) -> int:
        """Deliver what is there, give up at a failure or after `timeout_s`; return what is left.

        What is left is delivered after the next start.
        """
        self._closing.set()
        self._wake.set()
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._ended.wait()
        if self._task is not None:
            self._task.cancel()
            await self._ended.wait()
        return self.status.queued

    async def _opened(self) -> bool:
        try:
            await self.open()
        except TransientError as error:
            self._note_failure(describe(error))
            return self._closing.is_set()
        return True

    async def _advanced(self) -> bool:
        """Deal with the next entries; return False once there is nothing more to do."""
        if self._cursor is None:
            return False
        self._wake.clear()
        if self._journal.last_number <= self._cursor:
            return await self._rest()
        try:
            entries = await self._journal.read(self._cursor, self._limits.batch_max)
        except TransientError as error:
            self._note_failure(describe(error))
            return await self._pause(0.0)
        if not entries:
            return await self._rest()
        alerts = [entry for entry in entries if self._sink.wants(entry)]
        behind = self._journal.last_number - entries[-1].number
        match await self._delivered(alerts, behind):
            case "yes":
                self._cursor = entries[-1].number
                await self._save(has_delivered=bool(alerts) or self._is_held)
                self._is_held = False
                return True
            case Progress() as progress:
                return await self._progressed(progress, entries)
            case "not_yet":
                return not self._closing.is_set()
            case "never":
                return False

    async def _progressed(self, progress: Progress, entries: Sequence[Journaled]) -> bool:
        """Go on with a delivery that is not done; return False where the end has come."""
        before, last = self._cursor or 0, entries[-1].number
        if progress.is_held:
            self._cursor, self._is_held = last, True
            return True
        self._cursor = min(max(before, progress.number), last)
        if self._cursor > before:
            await self._save(has_delivered=True)
        return await self._waited(progress.wait_s)

    async def _waited(self, wait_s: float) -> bool:
        """Wait as long as a sink asks for; return False where a stop does not wait so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._closing.wait()
        if not self._closing.is_set():
            return True
        if wait_s > self._limits.last_wait_s:
            return False
        await asyncio.sleep(wait_s)
        return True

    async def _delivered(self, alerts: Sequence[Journaled], behind: int = 0) -> Delivered:
        """Deliver once; say what came of it."""
        if not alerts and not self._is_held:
            return "yes"
        deliver = partial(self._sink.deliver, alerts, behind)
        outcome = await self._calls.run(f"sink {self.name}", deliver, self._limits.deliver_s)
        if not isinstance(outcome, Raised):
            progress = outcome.value if isinstance(outcome.value, Progress) else None
            if progress is None or progress.is_held:
                self._note_success(len(alerts))
            else:
                done = sum(alert.number <= progress.number for alert in alerts)
                self._note_progress(done)
            return progress or "yes"
        match outcome.cause:
            case FatalError():
                self._tell(outcome, "is switched off until the next start")
                return "never"
            case RejectedError() if len(alerts) > 1:
                return await self._delivered_singly(alerts)
            case RejectedError():
                self._counts = replace(self._counts, failed=self._counts.failed + 1)
                if not _is_about_sinks(alerts[0]):
                    self._tell(outcome, f"refuses entry {alerts[0].number} for good")
                return "yes"
            case RateLimitedError(retry_after_s=retry_after_s):
                self._note_failure(outcome)
                await self._pause(retry_after_s)
                return "not_yet"
            case _:
                self._note_failure(outcome)
                await self._pause(0.0)
                return "not_yet"

    async def _delivered_singly(self, alerts: Sequence[Journaled]) -> Delivered:
        """Find out which entry of a refused batch it is; the others still arrive."""
        for alert in alerts:
            answer = await self._delivered([alert])
            if isinstance(answer, Progress):
                return Progress(number=alert.number - 1, wait_s=answer.wait_s)
            if answer != "yes":
                return answer
            self._cursor = alert.number
            await self._save(has_delivered=True)
        return "yes"

    async def _save(self, *, has_delivered: bool) -> None:
        cursor = self._cursor
        assert cursor is not None, "nothing is delivered before the cursor is known"
        if not has_delivered and cursor - self._saved < self._limits.skipped_max:
            return
        try:
            await self._cursors.save_cursor(self.name, cursor)
        except TransientError:
            # The next delivery saves again; a crash before that repeats these alerts.
            return
        self._saved = cursor

    async def _rest(self) -> bool:
        """Wait for news; return False where the end has come and nothing is left."""
        if self._closing.is_set():
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.quiet_s):
                await self._wake.wait()
        return True

    async def _pause(self, at_least_s: float) -> bool:
        """Wait before the next try; return False where the end has come."""
        steps = self._limits.backoff_s
        step_s = steps[min(max(self._failures_in_a_row, 1), len(steps)) - 1]
        with suppress(TimeoutError):
            async with asyncio.timeout(max(step_s, at_least_s)):
                await self._closing.wait()
        return not self._closing.is_set()

    def _note_failure(self, raised: Raised) -> None:
        self._failures_in_a_row += 1
        now_s = asyncio.get_running_loop().time()
        is_early = (
            self._told_at_s is not None and now_s - self._told_at_s < self._limits.report_interval_s
        )
        # A report is an alert too: a sink that comes and goes must not feed on its own reports.
        if self._outage_told or is_early:
            return
        self._outage_told = True
        self._told_at_s = now_s
        self._tell(raised, "fails; alerts wait")

    def _note_progress(self, count: int) -> None:
        if count:
            self._note_success(count)

    def _note_success(self, count: int) -> None:
        self._counts = replace(self._counts, sent=self._counts.sent + count)
        tries, self._failures_in_a_row = self._failures_in_a_row, 0
        if self._outage_told:
            self._outage_told = False
            text = f"alert sink {self.name} is back after {tries} failed tries; nothing was lost"
            self._calls.report("sink", describe(TransientError(text)))

    def _tell(self, raised: Raised, what: str) -> None:
        text = f"alert sink {self.name} {what}: {raised.error}: {raised.message}"
        self._calls.report("sink", replace(raised, message=text))


def _is_about_sinks(alert: Journaled) -> bool:
    """Say whether `alert` is itself a report on a sink, which must not lead to another one."""
    entry = alert.entry
    return isinstance(entry, TransitionEntry) and all(
        isinstance(event, ErrorContract) and event.where == "sink" for event in entry.events
    )
