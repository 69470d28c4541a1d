"""Foreign code in a run over history: whatever it does costs its own call, in bounded time.

A call that returns at once costs next to nothing: its coroutine is driven by hand, and no timer is
set for it. A timer of the process's own time and, for calls that sleep, a watchdog thread look
every now and then whether the same stretch still runs; past its budget, a signal raises
`OverrunError` inside it. Budgets are wider than live ones, where other tasks wait: a busy machine
must not change what a run comes to.
"""

import asyncio
import signal
import threading
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from daemon.core.guard import OverrunError, Raised, Returned, describe

T = TypeVar("T")

ALARM = signal.SIGVTALRM
"""Of no use to anybody else: the timer of the live daemon keeps its own."""


TICK_S = 0.025
"""How much of its own time the process spends between two looks at a busy call."""

LOOKS = 4
"""How often the watchdog looks during one budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long foreign code may take, in s of machine time: one stretch, and an answer in all."""

    stretch_s: float = 5.0
    answer_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Suspended:
    """A coroutine waits for something of the event loop."""

    coroutine: Coroutine[object, object, object]
    waits_for: object


class Containment(AbstractContextManager["Containment"]):
    """Calls foreign code while it is entered. Outside the main thread no stretch can be ended."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._call = 0
        self._condemned = 0
        self._ticked = 0
        self._ticks = 0
        self._is_inside = False
        self._is_over = threading.Event()

    def __enter__(self) -> "Containment":
        """Take the signal and start the watchdog, if this is the main thread."""
        main = threading.main_thread()
        if threading.current_thread() is main and main.ident is not None:
            # It stays: an alarm that comes late would end a process that does not handle it.
            signal.signal(ALARM, _on_alarm)
            signal.setitimer(signal.ITIMER_VIRTUAL, TICK_S, TICK_S)
            _ENTERED.append(self)
            self._is_over.clear()
            threading.Thread(
                target=self._watch, args=(main.ident,), name="research-watchdog", daemon=True
            ).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the watchdog go."""
        self._is_over.set()
        if self in _ENTERED:
            _ENTERED.remove(self)
            if not _ENTERED:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def begin(self, function: Callable[[T], object], argument: T) -> object:
        """Call `function`; what it returns is driven as far as it goes without waiting.

        Returns its answer, a `Raised` of what it raised, or `Suspended`, which `finish` awaits.
        """
        self._call += 1
        self._is_inside = True
        try:
            made = function(argument)
            if type(made) is types.CoroutineType:
                try:
                    return Suspended(made, made.send(None))
                except StopIteration as end:
                    return end.value
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
            return describe(error)
        finally:
            self._is_inside = False
        return made

    async def finish(self, outcome: object) -> object:
        """Return the answer or the `Raised` that `outcome` of `begin` comes to.

        The clock of the whole answer starts only here, when the coroutine really waits.
        """
        if not isinstance(outcome, Suspended):
            return outcome
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await self._go_on(outcome.coroutine, outcome.waits_for)
        except TimeoutError:
            return describe(TimeoutError(f"no answer in {self._limits.answer_s:g} s"))

    async def call(self, function: Callable[[], object]) -> Raised | None:
        """Call a callback or a listener to its end; return what it raised, if it did."""
        outcome = await self.finish(self.begin(_without, function))
        return outcome if isinstance(outcome, Raised) else None

    @types.coroutine
    def _go_on(
        self, coroutine: Coroutine[object, object, object], waits_for: object
    ) -> Generator[object, object, object]:
        while True:
            try:
                sent = yield waits_for
            except BaseException as thrown:
                outcome = self._resume(coroutine.throw, thrown)
                if isinstance(outcome, Returned):
                    # It goes on although it was cancelled: it is abandoned, not waited for.
                    self.begin(_close, coroutine)
                raise
            outcome = self._resume(coroutine.send, sent)
            if not isinstance(outcome, Returned):
                return outcome.value if isinstance(outcome, _Ended) else outcome
            waits_for = outcome.value

    def _resume(
        self, resume: Callable[[T], object], value: T
    ) -> "Returned[object] | _Ended | Raised":
        """Run one more stretch: `Returned` is what it waits for, `_Ended` its answer."""
        self._call += 1
        self._is_inside = True
        try:
            return Returned(resume(value))
        except StopIteration as end:
            return _Ended(end.value)
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
            return describe(error)
        finally:
            self._is_inside = False

    def _watch(self, thread_id: int) -> None:
        """Look every now and then whether the stretch that runs is still the same."""
        seen, times = -1, 0
        while not self._is_over.wait(self._limits.stretch_s / LOOKS):
            times = times + 1 if self._is_inside and self._call == seen else 0
            seen = self._call
            if times >= LOOKS:
                self._condemned = seen
                signal.pthread_kill(thread_id, ALARM)

    def end_stretch(self, frame: types.FrameType) -> None:
        """Raise OverrunError in `frame` if it belongs to a call that ran out of its budget."""
        if not self._is_inside:
            return
        if self._call != self._ticked:
            self._ticked, self._ticks = self._call, 0
        self._ticks += 1
        is_over = self._ticks * TICK_S > self._limits.stretch_s or self._call == self._condemned
        # Where our own code is winding the call up, the next look finds what is left to find.
        if is_over and frame.f_code.co_filename not in (__file__, _GUARD_FILE):
            raise OverrunError(f"did not come back in {self._limits.stretch_s:g} s")


@dataclass(frozen=True, slots=True)
class _Ended:
    """A coroutine has returned."""

    value: object


_ENTERED: list[Containment] = []
_GUARD_FILE = describe.__code__.co_filename


def _on_alarm(_signal: int, frame: types.FrameType | None) -> None:
    if frame is None:
        return
    for containment in tuple(_ENTERED):
        containment.end_stretch(frame)


def _without(function: Callable[[], object]) -> object:
    return function()


def _close(coroutine: Coroutine[object, object, object]) -> None:
    coroutine.close()
