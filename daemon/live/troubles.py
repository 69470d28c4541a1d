"""Where the parts of the daemon report what went wrong, so that it is told and kept.

A trouble is announced at once, since it may be the disk itself that fails, and appended to the
journal behind, from which the alert sinks read.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from daemon.core.events import Announcement, ErrorContract, ExitContract
from daemon.core.guard import Raised, describe
from daemon.core.records import TransitionEntry
from daemon.core.signal import Key, make_id
from daemon.live.flushing import keep_flushing
from daemon.ports import Clock, Journal

WAITING_MAX = 1000


class Troubles:
    """Makes `error`, `validation` and `exit` events and sees them into the journal."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        announce: Callable[[Sequence[Announcement]], None],
        redact: Callable[[str], str],
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._announce = announce
        self._redact = redact
        self._waiting: deque[ErrorContract | ExitContract] = deque()
        self._has_waiting = asyncio.Event()
        # The task that appends and the stop that waits for the last of it take turns: both would
        # append the same events otherwise.
        self._flushing = asyncio.Lock()
        self._count = 0
        self.dropped = 0

    def report(self, where: str, key: Key, raised: Raised | BaseException | str) -> None:
        """Tell of a recoverable trouble of `key`. Never raises."""
        error, message = self._words(raised)
        self._put(
            ErrorContract(
                id=self._id("error", key, where),
                key=key,
                where=where,
                error=error,
                message=message,
                at_ms=self._clock.now_ms(),
            )
        )

    def report_exit(self, where: str, key: Key, raised: Raised | BaseException | str) -> None:
        """Tell of what ended a run."""
        error, message = self._words(raised)
        self._put(
            ExitContract(
                id=self._id("exit", key, where),
                key=key,
                where=where,
                error=error,
                message=message,
                at_ms=self._clock.now_ms(),
            )
        )

    async def run(self) -> None:
        """Append what was reported to the journal, until cancelled."""
        await keep_flushing(self._has_waiting, self.flush)

    async def flush(self) -> None:
        """Append everything that waits. Raises TransientError: it still waits then."""
        async with self._flushing:
            while self._waiting:
                batch = tuple(self._waiting)
                entries = [
                    TransitionEntry(key=event.key, events=(event,), at_ms=event.at_ms)
                    for event in batch
                ]
                await self._journal.append(entries)
                for _ in batch:
                    self._waiting.popleft()
            self._has_waiting.clear()

    def _put(self, event: ErrorContract | ExitContract) -> None:
        self._announce((event,))
        if len(self._waiting) >= WAITING_MAX:
            self.dropped += 1
            return
        self._waiting.append(event)
        self._has_waiting.set()

    def _id(self, kind: str, key: Key, where: str) -> str:
        # Two troubles of one place in one millisecond are still two.
        self._count += 1
        now_ms = self._clock.now_ms()
        return make_id("exit" if kind == "exit" else "error", key, now_ms, f"{where}{self._count}")

    def _words(self, raised: Raised | BaseException | str) -> tuple[str, str]:
        if isinstance(raised, str):
            return "", self._redact(raised)
        if isinstance(raised, BaseException):
            raised = describe(raised)
        text = f"{raised.message} ({raised.place})" if raised.place else raised.message
        return raised.error, self._redact(text)
