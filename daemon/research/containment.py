"""Foreign code in a run over history: whatever it does costs its own call, in bounded time.

A call that returns at once costs next to nothing: its coroutine is driven by hand, and no timer is
set for it. A timer of the process's own time and, for calls that sleep, a watchdog thread look
every now and then whether the same stretch still runs; past its budget, a signal raises
`OverrunError` inside it. Budgets are wider than live ones, where other tasks wait: a busy machine
must not change what a run comes to.

Signals reach the main thread alone. In any other one, as on a worker of a cluster, the watchdog
asks the interpreter to raise `OverrunError` there: that ends a busy loop, and nothing that waits in
C. A thread that is held so is told by `is_held`, and given up by whoever waits for it.
"""

import asyncio
import ctypes
import signal
import threading
import types
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from daemon.core.guard import MeddlingError, OverrunError, Raised, Returned, describe
from daemon.core.rules import Rules

P = ParamSpec("P")
T = TypeVar("T")
Outcome = Returned[T] | Raised

ALARM = signal.SIGVTALRM
"""Of no use to anybody else: the timer of the live daemon keeps its own."""


TICK_S = 0.025
"""How much of its own time the process spends between two looks at a busy call."""

LOOKS = 4
"""How often the watchdog looks during one budget."""

HELD_LOOKS = 12 * LOOKS
"""After so many looks at one stretch nothing in Python runs in its thread any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long foreign code may take, in s of machine time: one stretch, and an answer in all."""

    stretch_s: float = 5.0
    answer_s: float = 180.0

    @classmethod
    def of(cls, rules: Rules) -> "Limits":
        """Return the limits of a run by `rules`: an answer may take as long as it may live."""
        answer_s = float(rules.max_signal_generation_seconds)
        return cls(stretch_s=min(cls().stretch_s, answer_s), answer_s=answer_s)


@dataclass(frozen=True, slots=True)
class Suspended:
    """A coroutine waits for something of the event loop."""

    coroutine: Coroutine[object, object, object]
    waits_for: object


class Containment(AbstractContextManager["Containment"]):
    """Calls foreign code while it is entered.

    `is_turn_due` is set every now and then: many short calls in a row should then let the event
    loop have a turn, and whoever wants to end the run. `is_held` says that a call in a thread
    other than the main one does not come back, and that nothing can be done about it. `is_inside`
    says that a call runs.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._call = 0
        self._condemned = 0
        self._ticked = 0
        self._ticks = 0
        self.is_inside = False
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._leave: Callable[[], object] | None = None
        self.is_turn_due = False
        self.is_held = False

    def __enter__(self) -> "Containment":
        """Start the watchdog, keep the loop going, and take the signal in the main thread."""
        with suppress(RuntimeError):
            _keep_going(asyncio.get_running_loop())
        thread_id = threading.get_ident()
        end_call = partial(_raise_in, thread_id)
        if threading.current_thread() is threading.main_thread():
            # It stays: an alarm that comes late would end a process that does not handle it.
            signal.signal(ALARM, _on_alarm)
            signal.setitimer(signal.ITIMER_VIRTUAL, TICK_S, TICK_S)
            _ENTERED.append(self)
            end_call = partial(signal.pthread_kill, thread_id, ALARM)
        self._is_over = threading.Event()
        watch = partial(self._watch, end_call, self._is_over)
        threading.Thread(target=watch, name="research-watchdog", daemon=True).start()
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
        return self.begin_each(function, (argument,))

    def begin_each(self, function: Callable[[T], object], arguments: Iterable[T]) -> object:
        """As `begin`, with one argument after the other until an answer is not None: that one."""
        calls = self._each(function, arguments)
        try:
            waits_for = calls.send(None)
        except StopIteration as end:
            answer: object = end.value
            if self._leave is not None:
                self._leave()
            return answer
        self._end_call()
        return Suspended(calls, waits_for)

    async def _each(self, function: Callable[[T], object], arguments: Iterable[T]) -> object:
        """Call until an answer is not None, or one was waited for: return that one.

        A coroutine of our own around all calls: to await an answer that is there at once costs a
        third of driving its coroutine from outside, where its end is an exception.
        """
        outcome: object = None
        for argument in arguments:
            self._call = number = self._call + 1
            self.is_inside = True
            try:
                outcome = function(argument)
                if type(outcome) is types.CoroutineType:
                    outcome = await outcome
            except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
                outcome = self._described(error)
            finally:
                self.is_inside = False
                if self._condemned == self._call:
                    self._absolve()
            # Where the number is another one, the call has waited, and its turn is over.
            if outcome is not None or self._call != number:
                break
        return outcome

    def guarded(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Outcome[T]:
        """Call a plain function, and return its answer or what it raised."""
        outcome = self.begin(lambda _: Returned(function(*args, **kwargs)), None)
        assert isinstance(outcome, Returned | Raised)
        return outcome

    async def finish(self, outcome: object) -> object:
        """Return the answer or the `Raised` that `outcome` of `begin` comes to.

        The clock of the whole answer starts only here, when the coroutine really waits.
        """
        # Its type and not isinstance, which would ask an answer: a foreign __class__ may raise.
        if type(outcome) is not Suspended:
            return outcome
        try:
            async with asyncio.timeout(self._limits.answer_s):
                return await self._go_on(outcome.coroutine, outcome.waits_for)
        except TimeoutError:
            return describe(TimeoutError(f"no answer in {self._limits.answer_s:g} s"))

    async def call(self, function: Callable[[], object]) -> Raised | None:
        """Call a callback or a listener to its end; return what it raised, if it did."""
        outcome = await self.finish(self.begin(_without, function))
        return outcome if type(outcome) is Raised else None

    @types.coroutine
    def _go_on(
        self, coroutine: Coroutine[object, object, object], waits_for: object
    ) -> Generator[object, object, object]:
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0
        while True:
            try:
                sent = yield waits_for
            except BaseException as thrown:
                outcome = self._resume(coroutine.throw, thrown)
                # What it waited for has failed, or its own time limit is over, is for itself to
                # handle; that we are cancelled is not.
                is_cancelled = task is not None and task.cancelling() > cancelled_before
                if isinstance(thrown, GeneratorExit) or (
                    is_cancelled and isinstance(thrown, asyncio.CancelledError)
                ):
                    if isinstance(outcome, Returned):
                        # It goes on although it was cancelled: it is abandoned, not waited for.
                        self.begin(_close, coroutine)
                    raise
            else:
                outcome = self._resume(coroutine.send, sent)
            if not isinstance(outcome, Returned):
                return outcome.value if isinstance(outcome, _Ended) else outcome
            waits_for = outcome.value

    def _resume(
        self, resume: Callable[[T], object], value: T
    ) -> "Returned[object] | _Ended | Raised":
        """Run one more stretch: `Returned` is what it waits for, `_Ended` its answer."""
        self._call += 1
        self.is_inside = True
        try:
            return Returned(resume(value))
        except StopIteration as end:
            return _Ended(end.value)
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
            return self._described(error)
        finally:
            self._end_call()

    def _described(self, error: BaseException) -> Raised:
        """Return what is worth telling of `error`: that is a stretch of its own.

        Its class is foreign and may hang when it is asked. The call that raised it may be over its
        budget: what that has coming must not hit what is told of it.
        """
        if self._condemned == self._call:
            self._absolve()
        self._call += 1
        return describe(error)

    def _end_call(self) -> None:
        """Note that no foreign code runs, for now."""
        if self._leave is not None:
            self._leave()
        self.is_inside = False
        if self._condemned == self._call:
            self._absolve()

    def _absolve(self) -> None:
        """Take back what the watchdog has asked for, and the call did not see any more."""
        with suppress(OverrunError), self._lock:
            _raise_in(threading.get_ident(), None)

    def leave_after_call(self, leave: Callable[[], object]) -> None:
        """Have the call that runs now, if one does, be followed by `leave` and nothing else."""
        if self.is_inside:
            self._leave, self.is_turn_due = leave, True

    def _watch(self, end_call: Callable[[], object], is_over: threading.Event) -> None:
        """Look every now and then whether the stretch that runs is still the same."""
        seen, times = -1, 0
        while not is_over.wait(self._limits.stretch_s / LOOKS):
            self.is_turn_due = True
            times = times + 1 if self.is_inside and self._call == seen else 0
            seen = self._call
            if times >= LOOKS:
                with self._lock:
                    self._condemned = seen
                    # The call may have come back since; then this would hit what follows it.
                    if self.is_inside and self._call == seen:
                        end_call()
            self.is_held = times >= HELD_LOOKS

    def end_stretch(self, frame: types.FrameType) -> None:
        """Raise OverrunError in `frame` if it belongs to a call that ran out of its budget."""
        if not self.is_inside:
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


class _Stop:
    """What stops an event loop, and refuses to where a call of foreign code asks for it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def __call__(self) -> None:
        # A loop of another thread may end while a call runs here: those have entered nothing.
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and any(containment.is_inside for containment in _ENTERED):
            raise MeddlingError("tried to stop the event loop: that was refused")
        self._stop()


def _keep_going(loop: asyncio.AbstractEventLoop) -> None:
    if not isinstance(loop.stop, _Stop):
        # A loop asks its own attribute, too, when its run is over.
        loop.stop = _Stop(loop.stop)  # type: ignore[method-assign]  # foreign code calls it


_ENTERED: list[Containment] = []
_GUARD_FILE = describe.__code__.co_filename


def forget_entered() -> None:
    """Forget who had entered a containment: a copy of the process goes on without them."""
    _ENTERED.clear()


def leave_after_call(leave: Callable[[], object]) -> None:
    """In a copy of the process that a call has made: end it by `leave` when the call comes back."""
    for containment in _ENTERED:
        containment.leave_after_call(leave)


def _on_alarm(_signal: int, frame: types.FrameType | None) -> None:
    if frame is None:
        return
    for containment in tuple(_ENTERED):
        containment.end_stretch(frame)


def _raise_in(thread_id: int, error: type[BaseException] | None = OverrunError) -> None:
    """Have `error` raised in a thread at its next step in Python; None takes that back."""
    exception = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), exception)


def _without(function: Callable[[], object]) -> object:
    return function()


def _close(coroutine: Coroutine[object, object, object]) -> None:
    coroutine.close()
