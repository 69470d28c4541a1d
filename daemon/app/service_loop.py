"""The event loop of the service: begun with its signals in hand, ended in bounded time.

Strategies share the process and may reach for what is not theirs: they stop the loop, take its
signals, leave tasks and threads behind. Nothing of that ends the daemon or keeps it from ending.
"""

import asyncio
import math
import os
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TextIO

from daemon.app.exit_codes import ExitCode
from daemon.app.wiring import Daemon
from daemon.core.errors import TransientError
from daemon.core.guard import describe
from daemon.live.ownership import Ownership

LOOK_S = 1.0
"""How often it is looked whether a strategy has taken what the process stands on, beside the look
after each answer."""

END_S = 2.0
"""How long whatever strategies left behind may take to end."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)
_LIMITS = {
    resource.RLIMIT_NOFILE: "the limit of open files",
    resource.RLIMIT_FSIZE: "the limit of a file's size",
}


class ServiceLoop:
    """One loop for one service. The first SIGTERM or SIGINT asks it to end, a second ends it."""

    def __init__(self, make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._threads_before = set(threading.enumerate())
        self._loop = make_loop()
        asyncio.set_event_loop(self._loop)
        self._executor = ThreadPoolExecutor(thread_name_prefix="tickd-io")
        self._loop.set_default_executor(self._executor)
        self._loop.set_exception_handler(self._on_trouble)
        self._ownership = Ownership(self._loop)
        self._daemon: Daemon | None = None
        self._main: asyncio.Task[int] | None = None
        self._asked_by = 0

    def run(self, serve: Coroutine[Any, Any, int]) -> int:
        """Run `serve` to its end and return its exit code.

        Raises what it raises, and TransientError where something inside has cancelled it.
        """
        self._main = self._loop.create_task(serve, name="service")
        for number in _asked_by():
            self._loop.add_signal_handler(number, self._on_signal, number)
        try:
            with self._warnings():
                return self._run_through(self._main)
        except asyncio.CancelledError:
            if self._asked_by:
                return ExitCode.INTERRUPTED if self._asked_by == signal.SIGINT else ExitCode.OK
            raise TransientError(
                "the daemon's tasks were cancelled from inside, most likely by a strategy; the"
                " state is saved: run it again"
            ) from None
        finally:
            self._close()

    def attend(self, daemon: Daemon) -> "asyncio.Task[None]":
        """Take care of `daemon` from now on; the returned task is cancelled at its end."""
        self._daemon = daemon
        self._ownership.containment = daemon.containment
        if self._asked_by:
            daemon.stop()
        if not _asked_by():
            return self._loop.create_task(asyncio.sleep(0))
        kept = _ProcessState()
        # At once after each answer: a signal that comes in between would be lost.
        daemon.containment.on_answer = partial(kept.look, daemon)
        return self._loop.create_task(self._hold(kept, daemon), name="hold")

    @contextmanager
    def _warnings(self) -> Iterator[None]:
        """Tell of a forgotten await in one line; Python would show its own words and ours."""
        shown = warnings.showwarning

        def show(  # noqa: PLR0913, PLR0917 - Python calls it
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if self._daemon is None or not str(message).endswith("was never awaited"):
                shown(message, category, filename, lineno, file, line)
                return
            holder = self._daemon.containment.holder
            text = f"{message}: write await in front of its call ({filename}:{lineno})"
            where = f"a call of {holder}" if holder else "a strategy"
            self._loop.call_soon_threadsafe(self._daemon.report, where, text)

        warnings.showwarning = show
        try:
            yield
        finally:
            warnings.showwarning = shown

    def leave(self, code: int) -> None:
        """Wait a moment for threads that strategies have started; end the process with them."""
        strays = [
            thread
            for thread in threading.enumerate()
            if not thread.daemon and thread not in self._threads_before
        ]
        for thread in strays:
            thread.join(END_S / len(strays))
        if any(thread.is_alive() for thread in strays):
            sys.stdout.flush()
            sys.stderr.flush()
            # The interpreter would wait for them for ever. What is on disk is whole.
            os._exit(code)

    def _run_through(self, main: "asyncio.Task[int]") -> int:
        while True:
            try:
                return self._loop.run_until_complete(main)
            except RuntimeError:
                if main.done() or self._loop.is_closed():
                    raise
                self._tell("a strategy has stopped the event loop: it goes on")

    def _on_signal(self, number: int) -> None:
        if self._asked_by:
            # Whoever asks twice wants no ceremony: the disk is whole at every moment.
            os._exit(128 + number)
        self._asked_by = number
        if self._daemon is not None:
            self._daemon.stop()
        elif self._main is not None:
            self._main.cancel()

    def _tell(self, text: str) -> None:
        if self._daemon is not None:
            self._daemon.report("process", text)

    def _on_trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell what nobody waited for: of a strategy's task in one line, of ours with its trace."""
        whose = self._ownership.name_of_foreign(context.get("future") or context.get("task"))
        error = context.get("exception")
        if not whose:
            loop.default_exception_handler(context)
        elif self._daemon is not None and isinstance(error, BaseException):
            self._daemon.report(whose, describe(error))

    async def _hold(self, kept: "_ProcessState", daemon: Daemon) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            kept.look(daemon)

    def _close(self) -> None:
        for number in _asked_by():
            self._loop.remove_signal_handler(number)
        self._daemon = None
        try:
            with suppress(RuntimeError, OSError):
                self._loop.run_until_complete(self._end())
        finally:
            self._executor.shutdown(wait=False)
            asyncio.set_event_loop(None)
            with suppress(RuntimeError):
                # One that could not even be run to its end, for want of files, will not close.
                self._loop.close()

    async def _end(self) -> None:
        """End every task that is left, for as long as that takes no more than a moment."""
        await self._ownership.end_foreign(END_S)
        own = asyncio.all_tasks() - {asyncio.current_task()}
        for task in own:
            task.cancel()
        if own:
            await asyncio.wait(own, timeout=END_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self._loop.shutdown_asyncgens()


def _asked_by() -> tuple[signal.Signals, ...]:
    """Return the signals that ask for the end: outside the main thread there are none."""
    is_main = threading.current_thread() is threading.main_thread()
    return (signal.SIGTERM, signal.SIGINT) if is_main else ()


class _ProcessState:
    """What the process stands on, as it was; `look` puts back what a strategy has changed."""

    def __init__(self) -> None:
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self._wake_fd = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._wake_fd, warn_on_full_buffer=False)
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._limits = {number: resource.getrlimit(number)[0] for number in _LIMITS}
        self._depth, self._switch_s = sys.getrecursionlimit(), sys.getswitchinterval()
        self._loop = asyncio.get_running_loop()
        self._make_task = self._loop.get_task_factory()

    def look(self, daemon: Daemon, holder: str = "a strategy") -> None:
        taken = [*self._put_back()]
        if taken:
            text = f"{holder} has changed {', '.join(taken)}: it was put back"
            daemon.report("process", text)

    def _put_back(self) -> Iterator[str]:
        if sys.getrecursionlimit() < self._depth:
            sys.setrecursionlimit(self._depth)
            yield "the recursion limit"
        for number, handler in self._handlers.items():
            if signal.getsignal(number) != handler:
                signal.signal(number, handler)
                yield number.name
        if signal.set_wakeup_fd(self._wake_fd, warn_on_full_buffer=False) != self._wake_fd:
            yield "the way in which signals arrive"
        if signal.pthread_sigmask(signal.SIG_BLOCK, ()) != self._mask:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            yield "the signals that it hears"
        yield from self._put_back_limits()
        if self._loop.get_task_factory() != self._make_task:
            self._loop.set_task_factory(self._make_task)
            yield "the making of tasks"
        if sys.getswitchinterval() > self._switch_s:
            sys.setswitchinterval(self._switch_s)
            yield "the thread switch interval"

    def _put_back_limits(self) -> Iterator[str]:
        # Asking for it is setting it.
        if os.umask(self._umask) != self._umask:
            yield "the mask of new files"
        for number, name in _LIMITS.items():
            soft, hard = resource.getrlimit(number)
            before = self._limits[number]
            if _as_number(soft) < _as_number(before):
                # A hard limit that was lowered, too, cannot be raised again.
                self._limits[number] = min(before, hard, key=_as_number)
                with suppress(ValueError, OSError):
                    resource.setrlimit(number, (self._limits[number], hard))
                yield name


def _as_number(limit: int) -> float:
    return math.inf if limit == resource.RLIM_INFINITY else limit
