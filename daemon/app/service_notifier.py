"""Tells the service manager when the daemon is ready, how it stands, and that it moves.

It is ready once every task has ticked or shown why it cannot, at the latest `start_timeout_s` after
the state was recovered. The watchdog is fed while the event loop, the supervisor and the writers of
the state move; what the market or a strategy does is told in the status, never by silence.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from daemon.adapters.systemd import Manager, reloading_message
from daemon.app.status import reasons_of
from daemon.app.status_line import reasons_text, status_line
from daemon.core.wording import count_text
from daemon.live.supervisor import Supervisor
from daemon.ports import DaemonStatus, Status, TaskStatus

BEAT_S = 1.0
BEAT_S_AT_START = 0.25
"""How often the status is looked at; the watchdog may want a sign of life sooner."""

STUCK_S_MIN = 3.0
"""Nothing is called stuck that has not moved for less."""

EXTENSION_S = 30.0
"""By so much the manager's own limit for a start is put off at each beat of a long recovery."""

EXTENSIONS_COUNT_MAX = 1800
"""Half an hour: a recovery that takes longer is stuck."""


class Log(Protocol):
    """The log, as far as the notifier writes to it."""

    def info(self, event: str, **fields: object) -> object: ...

    def warning(self, event: str, **fields: object) -> object: ...

    def critical(self, event: str, **fields: object) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is looked at. `writing_s`: for how long the slowest write has been under way."""

    status: Status
    supervisor: Supervisor
    writing_s: Callable[[], float]
    start_timeout_s: float


class ServiceNotifier:
    """Speaks for one daemon. `is_ready` once it has told that the start is over."""

    def __init__(self, manager: Manager, watched: Watched, log: Log) -> None:
        self.is_ready = False
        self._manager = manager
        self._watched = watched
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._recovered_s: float | None = None
        self._beats = 0
        self._line = ""
        self._stuck = ""

    @asynccontextmanager
    async def notifying(self) -> AsyncIterator[None]:
        """Tell how the daemon fares while the body runs it."""
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self._run(), name="service-notifier")
            try:
                yield
            finally:
                beating.cancel()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Tell the manager that the body reloads the configuration."""
        self._manager.tell(*reloading_message(), "STATUS=reloading")
        self._line = ""
        try:
            yield
        finally:
            self._manager.tell("READY=1")
            self._beat()

    async def _run(self) -> None:
        """Beat until cancelled; after the start there is nothing to do for nobody."""
        ending = self._watched.supervisor.ending
        beat_s = min(BEAT_S, self._manager.watchdog_s / 4 or BEAT_S)
        while not ending.is_set():
            self._beat()
            if self.is_ready and not self._manager.is_there:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(beat_s if self.is_ready else BEAT_S_AT_START):
                    await ending.wait()
        self._manager.tell("STOPPING=1", "STATUS=stopping: steps under way are being finished")
        while True:
            # How long a stop may take is bounded elsewhere: here it only has to move.
            self._manager.tell("WATCHDOG=1")
            await asyncio.sleep(beat_s)

    def _beat(self) -> None:
        status = self._watched.status.snapshot()
        if not self._watched.supervisor.has_recovered.is_set():
            self._wait_for_recovery()
        elif not self.is_ready:
            self._look_at_start(status)
        if self.is_ready:
            self._show(status_line(status))
        self._feed_watchdog()

    def _wait_for_recovery(self) -> None:
        self._show("starting: recovering the state")
        self._beats += 1
        if self._beats <= EXTENSIONS_COUNT_MAX:
            self._manager.tell(f"EXTEND_TIMEOUT_USEC={int(EXTENSION_S * 1e6)}")

    def _look_at_start(self, status: DaemonStatus) -> None:
        now_s = self._loop.time()
        if self._recovered_s is None:
            self._recovered_s = now_s
        silent = [task for task in status.tasks if not has_shown_itself(task)]
        is_late = now_s - self._recovered_s >= self._watched.start_timeout_s
        if silent and not is_late:
            shown_count = len(status.tasks) - len(silent)
            self._show(
                f"starting: {shown_count} of {count_text(len(status.tasks), 'task')} have ticked"
            )
            return
        self.is_ready = True
        self._manager.tell("READY=1")
        if silent:
            self._log.warning(
                "started_degraded",
                waited_s=self._watched.start_timeout_s,
                silent=len(silent),
                tasks=len(status.tasks),
                reasons=reasons_text(reasons_of(silent)),
            )
        else:
            seconds = round(now_s - self._started_s, 1)
            self._log.info("ready", tasks=len(status.tasks), after_s=seconds)

    def _show(self, line: str) -> None:
        line = self._stuck or line
        if line != self._line and self._manager.tell(f"STATUS={line}"):
            self._line = line

    def _feed_watchdog(self) -> None:
        stuck = self._what_is_stuck()
        if stuck and not self._stuck:
            self._log.critical("stuck", reason=stuck, watchdog_s=self._manager.watchdog_s)
        self._stuck = stuck
        if not stuck:
            self._manager.tell("WATCHDOG=1")

    def _what_is_stuck(self) -> str:
        """Return what has stopped moving, or ""."""
        limit_s = max(self._manager.watchdog_s / 2, STUCK_S_MIN)
        writing_s = self._watched.writing_s()
        if writing_s > limit_s:
            return f"stuck: a write to the state folder has not come back for {writing_s:.0f} s"
        if not self._watched.supervisor.has_recovered.is_set():
            return ""
        idle_s = self._loop.time() - self._watched.supervisor.beat_s
        return f"stuck: the supervisor has not moved for {idle_s:.0f} s" if idle_s > limit_s else ""


def has_shown_itself(task: TaskStatus) -> bool:
    """Say whether a task has ticked, or is known not to be able to."""
    return task.tick_age_s is not None or task.condition not in {"starting", "running"}
