"""Listeners, sinks and a running fan-out, for its tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from daemon.core.events import Announcement, TickResult
from daemon.core.guard import Raised
from daemon.core.subjects import Subjects
from daemon.live.fanout import Fanout
from daemon.live.sinks import FanoutLimits
from daemon.ports import Sink, SinkStatus
from tests.core.some_events import (
    an_idle,
)

LIMITS = FanoutLimits(backoff_s=(0.001,), callback_s=5.0, send_s=5.0)


class Reports:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Raised]] = []

    def __call__(self, where: str, raised: Raised) -> None:
        self.said.append((where, raised))

    @property
    def texts(self) -> list[str]:
        return [f"{where}: {raised.error}: {raised.message}" for where, raised in self.said]


class Gathering:
    """A sink that keeps what it gets, and fails as often as told."""

    def __init__(self, name: str = "gathering", *, failures: int = 0) -> None:
        self.name = name
        self.events: list[Announcement] = []
        self.batches: list[int] = []
        self.failures = failures
        self.gate: asyncio.Event | None = None

    def wants(self, event: Announcement) -> bool:
        return True

    async def send(self, events: Sequence[Announcement]) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise ConnectionError("nobody is there")
        self.batches.append(len(events))
        self.events.extend(events)


@asynccontextmanager
async def running(
    *sinks: Sink, limits: FanoutLimits = LIMITS
) -> AsyncIterator[tuple[Fanout, Subjects, Reports]]:
    subjects, reports = Subjects(), Reports()
    fanout = Fanout(subjects, sinks, reports, limits=limits)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(fanout.run())
        await asyncio.sleep(0)
        try:
            yield fanout, subjects, reports
        finally:
            await fanout.drain(5.0)
            await task


async def until(condition: Callable[[], object], rounds: int = 20_000) -> None:
    """Let the loop turn until `condition` holds."""
    for _ in range(rounds):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came true")


def status_of(fanout: Fanout, name: str) -> SinkStatus:
    return next(status for status in fanout.statuses if status.name == name)


def numbered(count: int) -> list[TickResult]:
    return [an_idle(at_ms=number) for number in range(count)]
