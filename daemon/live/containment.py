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

from daemon.core.guard import OverrunError, Raised, Returned, call_foreign, describe
from daemon.live.workers import Workers

T = TypeVar("T")
V = TypeVar("V")

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
        self._before: object = None
        self.holder = ""

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

    def call(self, holder: str, function: Callable[[], T]) -> Returned[T] | Raised:
        """Call a plain function on the loop, interrupted past its stretch."""
        if not self._is_installed or self._is_armed:
            return call_foreign(function)
        self.holder = holder
        self._is_armed, self._has_rung = True, False
        signal.setitimer(signal.ITIMER_REAL, self._limits.stretch_s, REPEAT_S)
        try:
            outcome = call_foreign(function)
        except OverrunError as error:
            # The alarm came while the call was being wound up.
            return describe(error)
        else:
            if self._has_rung and isinstance(outcome, Returned):
                return describe(self._overrun("and swallowed the interruption"))
            return outcome
        finally:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.holder = ""

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
            return await self._workers.call(function, timeout_s=self._limits.answer_s)
        made = self.call(holder, function)
        if isinstance(made, Raised) or not iscoroutine(made.value):
            return made
        return await self.drive(holder, made.value, self._limits.answer_s)

    async def make(self, function: Callable[[], T]) -> Returned[T] | Raised:
        """Make an author's instance in a worker thread, where its `__init__` may block.

        It has as long as an answer: past that the outcome is a Raised of TimeoutError.
        """
        outcome = await self._workers.call(function, timeout_s=self._limits.answer_s)
        return cast("Returned[T] | Raised", outcome)

    async def drive(
        self, holder: str, coroutine: Coroutine[object, object, object], limit_s: float
    ) -> Returned[object] | Raised:
        """Run a foreign coroutine to its end, each stretch interrupted past its budget.

        The clock of the whole answer starts only when the coroutine really suspends.
        """
        first = self._resume(holder, coroutine.send, None)
        if not isinstance(first, _Suspended):
            return first
        try:
            async with asyncio.timeout(limit_s):
                return await self._go_on(holder, coroutine, first.waits_for)
        except TimeoutError:
            return describe(TimeoutError(f"no answer in {limit_s:g} s"))

    @types.coroutine
    def _go_on(
        self, holder: str, coroutine: Coroutine[object, object, object], waits_for: object
    ) -> Generator[object, object, Returned[object] | Raised]:
        while True:
            try:
                sent = yield waits_for
            except BaseException as thrown:
                outcome = self._resume(holder, coroutine.throw, thrown)
                if isinstance(outcome, _Suspended):
                    # It goes on although it was cancelled: it is abandoned, not waited for.
                    self.call(holder, coroutine.close)
                raise
            outcome = self._resume(holder, coroutine.send, sent)
            if not isinstance(outcome, _Suspended):
                return outcome
            waits_for = outcome.waits_for

    def _resume(
        self, holder: str, resume: Callable[[V], object], value: V
    ) -> "Returned[object] | Raised | _Suspended":
        outcome = self.call(holder, partial(_advance, resume, value))
        return outcome if isinstance(outcome, Raised) else outcome.value

    def _on_alarm(self, _signal: int, frame: types.FrameType | None) -> None:
        if not self._is_armed or frame is None:
            return
        if frame.f_code.co_filename == __file__ or frame.f_code is call_foreign.__code__:
            # Our own code is winding the call up; the repeated alarm finds what is left to find.
            return
        self._has_rung = True
        raise self._overrun()

    def _overrun(self, and_what: str = "") -> OverrunError:
        text = f"held the event loop for over {self._limits.stretch_s:g} s {and_what}"
        return OverrunError(text.rstrip())


@dataclass(frozen=True, slots=True)
class _Suspended:
    """A coroutine waits for something of the event loop."""

    waits_for: object


def _advance(resume: Callable[[V], object], value: V) -> _Suspended | Returned[object]:
    # Caught here and not by the guard, which would describe an error that is none.
    try:
        return _Suspended(resume(value))
    except StopIteration as end:
        return Returned(end.value)


def place_of_main_thread() -> str:
    """Return "file:line in function" of what the main thread is doing, for the loop monitor."""
    main = threading.main_thread().ident
    frame = sys._current_frames().get(main) if main is not None else None  # noqa: SLF001
    if frame is None:
        return ""
    code = frame.f_code
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno} in {code.co_name}"
