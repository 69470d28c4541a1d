"""Who owns a task: the daemon's own are cancelled by nobody else, foreign ones are contained.

`for task in asyncio.all_tasks(): task.cancel()` in a strategy would end the daemon; so would
`loop.stop()`, and `asyncio.create_task` of something that blocks would hold it up for ever.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context
from inspect import iscoroutine
from typing import TypeVar, TypeVarTuple, Unpack

from daemon.live.containment import Containment

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
AnyTask = asyncio.Task[object]

FOREIGN_THREADS = 8
"""How many threads all that strategies give to the loop's executor may take together."""


class OwnTask(AnyTask):
    """A task of the daemon: foreign code cannot cancel it."""

    owner: "Ownership"

    def cancel(self, msg: object = None) -> bool:
        """Cancel it, where the daemon itself wants it; else note who tried."""
        if self.owner.is_foreign_here():
            self.owner.refuse("tried to cancel a task of the daemon")
            return False
        return super().cancel(msg)


class ForeignTask(AnyTask):
    """A task that foreign code has started. `title` says whose it is, whatever it is called."""

    title: str


class Ownership:
    """The tasks of one loop. `containment` is given once there is one: before, all is ours."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.containment: Containment | None = None
        self.is_ending = False
        self._foreign: set[AnyTask] = set()
        self._thread_id = threading.get_ident()
        self._stop = loop.stop
        loop.set_task_factory(self._make)  # type: ignore[arg-type]  # it is typed for each result
        # Both loops ask their own attribute when a run is over.
        loop.stop = self._refuse_to_stop  # type: ignore[method-assign]  # foreign code calls it
        self._run_in_executor = loop.run_in_executor
        self._foreign_threads: Executor | None = None
        loop.run_in_executor = self._run_in_threads  # type: ignore[method-assign,assignment]  # as above

    def is_foreign_here(self) -> bool:
        """Say whether the code that asks is foreign."""
        if threading.get_ident() != self._thread_id:
            return True
        return self.containment is not None and self.containment.is_calling

    def refuse(self, deed: str) -> None:
        """Let the call that did `deed` fail."""
        if self.containment is not None and threading.get_ident() == self._thread_id:
            self.containment.refuse(deed)

    def name_of_foreign(self, task: object) -> str:
        """Return whose `task` is, "" where it is the daemon's own or no task at all."""
        if not isinstance(task, asyncio.Task) or isinstance(task, OwnTask):
            return ""
        return title_of(task)

    async def end_foreign(self, timeout_s: float) -> int:
        """Cancel what foreign code has started; return how much of it would not end in time."""
        self.is_ending = True
        tasks = {task for task in self._foreign if not task.done()}
        for task in tasks:
            task.cancel()
        if not tasks:
            return 0
        _, stuck = await asyncio.wait(tasks, timeout=timeout_s)
        return len(stuck)

    def _make(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[object, object, object],
        context: Context | None = None,
        name: str | None = None,
        **_: object,
    ) -> AnyTask:
        """Make a task, as asyncio does: its name comes here from Python 3.13 on, before only later.

        What else may come, in Python 3.14, is no more than when it begins.
        """
        containment = self.containment
        if containment is None or not containment.is_calling or not iscoroutine(coroutine):
            task = OwnTask(coroutine, loop=loop, context=context, name=name)
            task.owner = self
            return task
        carried = _carry(containment, containment.holder, coroutine, self)
        foreign = ForeignTask(carried, loop=loop, context=context, name=name)
        foreign.title = foreign_task_name(containment.holder)
        self._foreign.add(foreign)
        foreign.add_done_callback(self._foreign.discard)
        return foreign

    def _run_in_threads(
        self,
        executor: Executor | None,
        function: Callable[[Unpack[Ts]], T],
        *arguments: *Ts,
    ) -> "asyncio.Future[T]":
        """Keep the threads of the daemon for the daemon: a strategy may fill its own."""
        if executor is None and self.is_foreign_here():
            if self._foreign_threads is None:
                self._foreign_threads = ThreadPoolExecutor(FOREIGN_THREADS, "tickd-foreign")
            executor = self._foreign_threads
        return self._run_in_executor(executor, function, *arguments)

    def _refuse_to_stop(self) -> None:
        if self.is_foreign_here():
            self.refuse("tried to stop the event loop")
            return
        self._stop()


def foreign_task_name(holder: str) -> str:
    """Return what a task is called that the code of `holder` has started."""
    return f"a task that {holder} started"


def title_of(task: AnyTask) -> str:
    """Return whose `task` is, if foreign code has started it, else its name."""
    return task.title if isinstance(task, ForeignTask) else task.get_name()


async def _carry(
    containment: Containment,
    holder: str,
    coroutine: Coroutine[object, object, object],
    ownership: Ownership,
) -> object:
    return await containment.carry(holder, coroutine, may_go_on=lambda: not ownership.is_ending)
