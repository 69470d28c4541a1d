"""Containment of strategies: whatever foreign code does costs its own task and nobody else.

Code on the event loop gets a budget per uninterrupted stretch; past it, a timer signal raises
`OverrunError` inside it. Plain functions that may block run in worker threads, which Python
cannot interrupt: a call that does not come back in time is given up and its thread counted lost.
"""

import asyncio
import signal
import sys
import threading
import types
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutine
from typing import TypeVar, cast

from daemon.core.guard import (
    MeddlingError,
    OverrunError,
    Raised,
    Returned,
    call_foreign,
    describe,
)
from daemon.live.forked import FORKED
from daemon.live.hang_guard import CallMarks, NoMemory
from daemon.live.workers import Workers

T = TypeVar("T")

REPEAT_S = 0.05
"""How often an interrupted stretch that swallows the interruption is interrupted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long foreign code may take, in s: a stretch on the loop, an answer, a callback."""

    stretch_s: float = 0.25
    answer_s: float = 180.0
    callback_s: float = 5.0


class Containment:
    """Calls foreign code on the loop or in workers and returns what came of it.

    One per process: it owns the interval timer and the SIGALRM handler while it is installed.
    `holder` names the task whose code runs right now, for whoever finds the loop held up.
    """

    def __init__(self, workers: Workers, limits: Limits) -> None:
        self._workers = workers
        self._limits = limits
        self._is_installed = False
        self._is_armed = False
        self._has_rung = False
        self._meddled = ""
        self._before: object = None
        self.holder = ""
        self.marks: CallMarks = NoMemory()
        """Where the next start finds whose code the process was in when it ended."""
        self.on_answer: Callable[[str], object] = _nothing
        """Called with the holder after each answer that was made on the loop."""

    def install(self) -> None:
        """Take the interval timer. Does nothing outside the main thread, which alone can."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._before = signal.signal(signal.SIGALRM, self._on_alarm)
        self._is_installed = True

    def uninstall(self) -> None:
        """Give the timer back."""
        if self._is_installed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, cast("signal.Handlers", self._before))
            self._is_installed = False

    @property
    def is_calling(self) -> bool:
        """Say whether foreign code runs on the loop right now."""
        return self._is_armed

    def refuse(self, deed: str) -> None:
        """Note that the foreign code that runs right now tried what is not its business."""
        self._meddled = deed

    def call(self, holder: str, function: Callable[[], T]) -> Returned[T] | Raised:
        """Call a plain function on the loop, interrupted past its stretch."""
        if not self._is_installed or self._is_armed:
            return call_foreign(function)
        self.holder = holder
        self.marks.enter(holder)
        self._is_armed, self._has_rung, self._meddled = True, False, ""
        signal.setitimer(signal.ITIMER_REAL, self._limits.stretch_s, REPEAT_S)
        try:
            outcome = call_foreign(function)
        except OverrunError as error:
            # The alarm came while the call was being wound up.
            return describe(error)
        else:
            if self._has_rung and isinstance(outcome, Returned):
                return describe(self._overrun("and swallowed the interruption"))
            if self._meddled:
                return describe(MeddlingError(f"{self._meddled}: that was refused"))
            return outcome
        finally:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.holder = ""
            FORKED.leave_if_child()
            # Last: the file is a child's, too.
            self.marks.leave()

    async def finish(self, holder: str, outcome: Returned[object] | Raised) -> Raised | None:
        """Await what a callback returned, if it is a coroutine; return what it raised, if so."""
        if isinstance(outcome, Returned) and iscoroutine(outcome.value):
            outcome = await self.drive(holder, outcome.value, self._limits.callback_s)
        return outcome if isinstance(outcome, Raised) else None

    async def ask(
        self, holder: str, function: Callable[[], object], *, is_async: bool
    ) -> Returned[object] | Raised:
        """Call an author's `get_signal`, async or plain, and wait for its answer.

        An async one runs on the loop; a plain one in a worker thread. A late answer is thrown
        away: the outcome is then a Raised of TimeoutError.
        """
        if not is_async:
            return await self._think(holder, function)
        outcome = self.call(holder, function)
        if isinstance(outcome, Returned) and iscoroutine(outcome.value):
            outcome = await self.drive(holder, outcome.value, self._limits.answer_s)
        self.on_answer(holder)
        return outcome

    async def make(self, holder: str, function: Callable[[], T]) -> Returned[T] | Raised:
        """Make an author's instance in a worker thread, where its `__init__` may block.

        It has as long as an answer: past that the outcome is a Raised of TimeoutError.
        """
        return cast("Returned[T] | Raised", await self._think(holder, function))

    async def _think(
        self, holder: str, function: Callable[[], object]
    ) -> Returned[object] | Raised:
        mark = self.marks.think(holder)
        try:
            return await self._workers.call(function, timeout_s=self._limits.answer_s)
        finally:
            self.marks.thought(mark)

    async def drive(
        self, holder: str, coroutine: Coroutine[object, object, object], limit_s: float
    ) -> Returned[object] | Raised:
        """Run a foreign coroutine to its end, each stretch interrupted past its budget.

        The clock of the whole answer starts only when the coroutine really suspends.
        """
        first = self._resume(holder, coroutine, None)
        if not isinstance(first, _Suspended):
            return first
        try:
            async with asyncio.timeout(limit_s):
                return await self._go_on(holder, coroutine, first.waits_for)
        except TimeoutError:
            return describe(TimeoutError(f"no answer in {limit_s:g} s"))

    @types.coroutine
    def carry(
        self,
        holder: str,
        coroutine: Coroutine[object, object, object],
        *,
        may_go_on: Callable[[], bool],
    ) -> Generator[object, object, object]:
        """Run the coroutine of a task that foreign code started, each stretch within its budget.

        Raises what it raises, in no way that would end the loop. Cancelled, it may take its time
        to clean up for as long as `may_go_on` says so.
        """
        outcome = self._resume(holder, coroutine, None)
        while isinstance(outcome, _Suspended):
            try:
                sent = yield outcome.waits_for
            except BaseException as thrown:
                outcome = self._resume(holder, coroutine, thrown)
                if isinstance(outcome, _Suspended) and not may_go_on():
                    self.call(holder, coroutine.close)
                    raise
            else:
                outcome = self._resume(holder, coroutine, sent)
        if isinstance(outcome, Returned):
            return outcome.value
        if isinstance(outcome.cause, SystemExit | KeyboardInterrupt):
            # In a bare task these would end the whole loop.
            raise MeddlingError(f"raised {outcome.error}") from outcome.cause
        raise outcome.cause

    @types.coroutine
    def _go_on(
        self, holder: str, coroutine: Coroutine[object, object, object], waits_for: object
    ) -> Generator[object, object, Returned[object] | Raised]:
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0
        while True:
            try:
                sent = yield waits_for
            except BaseException as thrown:
                outcome = self._resume(holder, coroutine, thrown)
                # What it waited for has failed, or its own time limit is over, is for itself to
                # handle; that we are cancelled is not.
                is_cancelled = task is not None and task.cancelling() > cancelled_before
                if isinstance(thrown, GeneratorExit) or (
                    is_cancelled and isinstance(thrown, asyncio.CancelledError)
                ):
                    if isinstance(outcome, _Suspended):
                        # It goes on although it was cancelled: it is abandoned, not waited for.
                        self.call(holder, coroutine.close)
                    raise
            else:
                outcome = self._resume(holder, coroutine, sent)
            if not isinstance(outcome, _Suspended):
                return outcome
            waits_for = outcome.waits_for

    def _resume(
        self, holder: str, coroutine: Coroutine[object, object, object], given: object
    ) -> "Returned[object] | Raised | _Suspended":
        """Run one more stretch; `given` is what it waited for, or what is thrown into it."""
        resume = coroutine.throw if isinstance(given, BaseException) else coroutine.send
        outcome = self.call(
            holder, partial(_advance, cast("Callable[[object], object]", resume), given)
        )
        if isinstance(outcome, Returned):
            return outcome.value
        if getattr(coroutine, "cr_frame", None) is not None:
            # Its call has failed though it would go on: its end is foreign code, too.
            self.call(holder, coroutine.close)
        return outcome

    def _on_alarm(self, _signal: int, frame: types.FrameType | None) -> None:
        if not self._is_armed or frame is None:
            return
        if frame.f_code.co_filename == __file__ or frame.f_code is call_foreign.__code__:
            # Our own code is winding the call up; the repeated alarm finds what is left to find.
            return
        self._has_rung = True
        raise self._overrun()

    def _overrun(self, and_what: str = "") -> OverrunError:
        text = f"held the event loop for over {self._limits.stretch_s:g} s {and_what}".rstrip()
        return OverrunError(f"{text} (daemon.strategy_stretch_max_ms)")


@dataclass(frozen=True, slots=True)
class _Suspended:
    """A coroutine waits for something of the event loop."""

    waits_for: object


def _nothing(_holder: str) -> None:
    """Nobody wants to look."""


def _advance(resume: Callable[[object], object], value: object) -> _Suspended | Returned[object]:
    # Caught here and not by the guard, which would describe an error that is none.
    try:
        return _Suspended(resume(value))
    except StopIteration as end:
        return Returned(end.value)


def place_of_main_thread() -> str:
    """Return "file:line in function" of what the main thread is doing, for the loop monitor."""
    main = threading.main_thread().ident
    # Private by its name alone: it is documented, and there is no other way.
    frame = sys._current_frames().get(main) if main is not None else None  # noqa: SLF001
    if frame is None:
        return ""
    code = frame.f_code
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno} in {code.co_name}"
