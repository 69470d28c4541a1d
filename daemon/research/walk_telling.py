"""Tells listeners and an author's callbacks what a walker or an optimizer comes to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

from daemon.core.events import ErrorContract, ExitContract
from daemon.core.research_events import ResearchEvent, ResearchSubjects, route_research
from daemon.core.signal import Key, make_id
from daemon.research.containment import Containment
from daemon.research.telling import Announcer


class WalkTeller(AbstractContextManager["WalkTeller"]):
    """Hands events to listeners while it is entered; what one raises is told on `error`.

    `key` names in errors what it is all about, `at_ms` when (UTC epoch ms).
    """

    def __init__(self, subjects: ResearchSubjects, key: Key, at_ms: int) -> None:
        self._subjects = subjects
        self._key = key
        self._at_ms = at_ms
        self._calls = Containment()
        self._announcer = Announcer(subjects, self._calls)

    def __enter__(self) -> "WalkTeller":
        """Start to watch over foreign code."""
        self._calls.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """End the watch."""
        self._calls.__exit__(None, None, None)

    async def announce(self, event: ResearchEvent) -> None:
        """Let everybody hear `event`, one after the other."""
        for delivery in route_research(event, self._subjects):
            listener = delivery.listener
            if listener.is_done and listener.accepts is None:
                continue
            raised = await self._calls.call(delivery.call)
            if raised is not None:
                await self.fail("listener", raised.error, raised.message)
        for fault in self._subjects.take_faults():
            await self.fail("listener", fault.raised.error, fault.raised.message)

    async def call(self, name: str, function: Callable[[], object]) -> None:
        """Call an author's callback; what it raises costs its call."""
        raised = await self._calls.call(function)
        if raised is not None:
            await self.fail(f"callback {name}", raised.error, raised.message)

    async def fail(self, where: str, error: str, message: str) -> None:
        """Tell an error after which the work goes on."""
        await self._tell(ErrorContract, "error", (where, error, message))

    async def exit(self, where: str, error: str, message: str) -> None:
        """Tell what ended the work."""
        await self._tell(ExitContract, "exit", (where, error, message))

    async def _tell(
        self,
        kind: type[ErrorContract | ExitContract],
        name: Literal["error", "exit"],
        told: tuple[str, str, str],
    ) -> None:
        where, error, message = told
        await self._announcer.announce(
            kind(
                id=make_id(name, self._key, self._at_ms, where),
                key=self._key,
                where=where,
                error=error,
                message=message,
                at_ms=self._at_ms,
                backtest=True,
            )
        )
