"""Listeners that raise, leave, hang, cling, crawl or block: each costs only itself."""

import asyncio
from dataclasses import replace

import pytest

from daemon.core.events import Announcement, ErrorContract, TickResult
from daemon.core.guard import Raised
from daemon.core.subjects import Subjects
from daemon.live.containment import Containment, Limits
from daemon.live.fanout import Fanout
from daemon.live.workers import InlineWorkers
from tests.core.some_events import (
    an_error,
    an_idle,
)
from tests.live.fanout_stage import LIMITS, Reports, numbered, running, status_of, until


async def test_s9_a_listener_that_raises_hurts_nobody_and_is_reported() -> None:
    heard: list[Announcement] = []

    def fail(_: Announcement) -> None:
        raise ValueError("broken")

    async with running() as (fanout, subjects, reports):
        subjects.signal.subscribe(fail)
        subjects.signal.subscribe(heard.append)
        fanout.announce(numbered(3))

    assert len(heard) == 3
    assert len(reports.said) == 1, "one report a minute and listener, not one per event"
    assert reports.texts[0].startswith("listener: ValueError: listener test_s9")
    assert status_of(fanout, "listeners").failed == 3


async def test_later_failures_are_counted_in_the_next_report() -> None:
    def fail(_: Announcement) -> None:
        raise ValueError("broken")

    async with running(limits=replace(LIMITS, report_interval_s=0.05)) as (
        fanout,
        subjects,
        reports,
    ):
        subjects.signal.subscribe(fail)
        fanout.announce(numbered(3))
        await until(lambda: status_of(fanout, "listeners").failed == 3)
        await asyncio.sleep(0.06)
        fanout.announce(numbered(1))

    assert len(reports.said) == 2
    assert "(2 times more since the last report)" in reports.texts[1]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
@pytest.mark.parametrize("is_async", [False, True])
async def test_not_even_an_exit_in_a_listener_ends_anything(
    error: type[BaseException], is_async: bool
) -> None:
    heard: list[Announcement] = []

    def leave(_: Announcement) -> None:
        raise error

    async def leave_later(_: Announcement) -> None:
        await asyncio.sleep(0)
        raise error

    async with running() as (fanout, subjects, reports):
        subjects.signal.subscribe(leave_later if is_async else leave)
        subjects.signal.subscribe(heard.append)
        fanout.announce(numbered(2))

    assert len(heard) == 2
    assert reports.said[0][1].error == error.__name__


async def test_a_listener_of_errors_that_raises_does_not_go_in_a_circle() -> None:
    def fail(_: ErrorContract) -> None:
        raise ValueError("broken")

    subjects = Subjects()
    told: list[str] = []

    def report(where: str, raised: Raised) -> None:
        told.append(where)
        fanout.announce([an_error(where=where, message=raised.message)])

    fanout = Fanout(subjects, [], report, limits=replace(LIMITS, report_interval_s=0.0))
    subjects.error.subscribe(fail)
    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        fanout.announce([an_error(where="feed")])
        await until(lambda: status_of(fanout, "listeners").failed == 2)
        await fanout.drain(5.0)

    assert told == ["listener"]


async def test_a_report_that_raises_goes_no_further() -> None:
    heard: list[Announcement] = []

    def report(where: str, raised: Raised) -> None:
        raise ValueError(where)

    def fail(_: Announcement) -> None:
        raise ValueError

    subjects = Subjects()
    fanout = Fanout(subjects, [], report, limits=LIMITS)
    subjects.signal.subscribe(fail)
    subjects.signal.subscribe(heard.append)
    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        fanout.announce(numbered(2))
        await until(lambda: len(heard) == 2)
        await fanout.drain(5.0)


async def test_s9_a_callback_that_never_returns_costs_only_itself() -> None:
    others: list[Announcement] = []

    async def hang(_: Announcement) -> None:
        await asyncio.Event().wait()

    async with running(limits=replace(LIMITS, callback_s=0.01)) as (fanout, subjects, reports):
        subjects.signal.subscribe(hang)
        subjects.signal.subscribe(others.append)
        fanout.announce(numbered(2))

        await until(lambda: len(others) == 2)
        assert reports.said == []
        await until(lambda: status_of(fanout, "listeners").failed == 2, rounds=500_000)

    assert reports.said[0][1].error == "TimeoutError"


async def test_p12_a_callback_that_will_not_be_cancelled_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.live.sinks.GRACE_S", 0.01)
    release = asyncio.Event()
    heard: list[int] = []

    async def cling(result: TickResult) -> None:
        heard.append(result.at_ms)
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async with running(limits=replace(LIMITS, callback_s=0.01)) as (fanout, subjects, _):
        subjects.signal.subscribe(cling)
        fanout.announce(numbered(2))
        await until(lambda: len(heard) == 2, rounds=500_000)
        await until(lambda: fanout.left_behind == 2, rounds=500_000)
        release.set()

    assert heard == [0, 1]


async def test_h13_a_slow_listener_keeps_the_newest_and_is_told_of_once() -> None:
    heard: list[int] = []
    gate = asyncio.Event()

    async def listen(result: TickResult) -> None:
        await gate.wait()
        heard.append(result.at_ms)

    async with running(limits=replace(LIMITS, listener_queue_max=3)) as (fanout, subjects, reports):
        subjects.signal.subscribe(listen)
        fanout.announce(numbered(1))
        await until(lambda: status_of(fanout, "listeners").queued == 0)
        fanout.announce([an_idle(at_ms=number) for number in range(1, 11)])
        assert status_of(fanout, "listeners").dropped == 7
        assert status_of(fanout, "listeners").queued == 3
        assert reports.said == []
        gate.set()

    assert heard == [0, 8, 9, 10]
    assert len(reports.said) == 1
    assert "missed 7 events" in reports.texts[0]


@pytest.mark.parametrize("is_async", [False, True])
async def test_s9_a_listener_that_blocks_the_loop_is_interrupted(is_async: bool) -> None:
    """With the daemon's own containment as the guard."""
    containment = Containment(InlineWorkers(), Limits(stretch_s=0.02))
    heard: list[Announcement] = []

    def block(_: Announcement) -> None:
        while True:
            pass

    async def block_later(_: Announcement) -> None:
        await asyncio.sleep(0)
        while True:
            pass

    subjects, reports = Subjects(), Reports()
    fanout = Fanout(subjects, [], reports, guard=containment, limits=LIMITS)
    subjects.signal.subscribe(block_later if is_async else block)
    subjects.signal.subscribe(heard.append)
    containment.install()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fanout.run())
            fanout.announce(numbered(1))
            await until(lambda: reports.said and heard)
            await fanout.drain(5.0)
    finally:
        containment.uninstall()

    assert reports.said[0][1].error == "OverrunError"
