"""Listeners: in order, one at a time, and whoever comes or goes."""

import asyncio
from collections.abc import Awaitable
from dataclasses import fields
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.events import Announcement, TickResult
from daemon.core.subjects import Subjects
from daemon.live.fanout import Fanout
from tests.core.some_events import (
    an_idle,
    an_opened,
    every_event,
)
from tests.live.fanout_stage import LIMITS, Gathering, Reports, numbered, running, status_of, until


@settings(max_examples=25)
@given(pauses=st.lists(st.integers(0, 3), min_size=1, max_size=20), count=st.integers(1, 30))
async def test_a_listener_hears_in_order_and_one_at_a_time(pauses: list[int], count: int) -> None:
    """Also when it awaits, for however long it likes at each event."""
    heard: list[int] = []
    inside = 0

    async def listen(result: TickResult) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        for _ in range(pauses[result.at_ms % len(pauses)]):
            await asyncio.sleep(0)
        heard.append(result.at_ms)
        inside -= 1

    async with running() as (fanout, subjects, _):
        subjects.signal.subscribe(listen)
        for result in numbered(count):
            fanout.announce([result])

    assert heard == list(range(count))


async def test_announcing_waits_for_nobody_and_calls_nobody() -> None:
    heard: list[Announcement] = []
    async with running() as (fanout, subjects, _):
        subjects.signal.subscribe(heard.append)

        fanout.announce([an_opened()])

        assert heard == []
    assert heard == [an_opened()]


async def test_what_was_announced_before_the_start_is_delivered() -> None:
    heard: list[Announcement] = []
    subjects = Subjects()
    subjects.signal_live.subscribe(heard.append)
    sink = Gathering()
    fanout = Fanout(subjects, [sink], Reports(), limits=LIMITS)
    fanout.announce([an_opened()])

    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        await until(lambda: heard and sink.events)
        await fanout.drain(5.0)

    assert heard == [an_opened()]


SECOND_PLACES = {"signal_live", "signal_backtest"}
"""Where an event of `signal` is told once more."""


async def test_every_event_reaches_its_listener() -> None:
    heard: list[Announcement] = []
    async with running() as (fanout, subjects, _):
        for field in fields(subjects):
            if field.name not in SECOND_PLACES:
                getattr(subjects, field.name).subscribe(heard.append)

        fanout.announce(every_event())

    assert len(heard) == len(every_event())


async def test_a_once_listener_hears_the_first_that_fits_and_no_other() -> None:
    heard: list[int] = []
    async with running() as (fanout, subjects, _):
        subjects.signal.once(
            lambda result: result.at_ms >= 2, lambda result: heard.append(result.at_ms)
        )
        fanout.announce(numbered(5))
        assert heard == [], "its call is queued like any other"

    assert heard == [2]
    assert subjects.signal.listeners == []


async def test_a_condition_that_raises_accepts_nothing_and_stops_nobody() -> None:
    heard: list[Announcement] = []

    def refuse(_: TickResult) -> bool:
        raise SystemExit

    async with running() as (fanout, subjects, _):
        subjects.signal.once(refuse, heard.append)
        subjects.signal.subscribe(heard.append)
        fanout.announce(numbered(1))

    assert len(heard) == 1


async def test_listeners_come_and_go_while_events_flow() -> None:
    first: list[int] = []
    second: list[int] = []
    async with running() as (fanout, subjects, _):
        leave = subjects.signal.subscribe(lambda result: first.append(result.at_ms))
        fanout.announce(numbered(1))
        await until(lambda: first == [0])
        subjects.signal.subscribe(lambda result: second.append(result.at_ms))
        fanout.announce([an_idle(at_ms=1)])
        leave()
        fanout.announce([an_idle(at_ms=2)])

    assert first == [0], "what was queued when it left is not delivered either"
    assert second == [1, 2]


async def test_listeners_that_left_are_forgotten() -> None:
    async with running() as (fanout, subjects, _):
        for number in range(20):
            heard: list[Announcement] = []
            leave = subjects.signal.subscribe(heard.append)
            fanout.announce([an_idle(at_ms=number)])
            await until(partial(len, heard))
            leave()

        assert len(fanout._mailboxes) <= 2


async def test_an_idle_listener_has_no_task() -> None:
    async with running() as (fanout, subjects, _):
        subjects.signal.subscribe(lambda _: None)
        fanout.announce(numbered(1))
        await until(lambda: status_of(fanout, "listeners").sent == 1)
        await until(lambda: fanout._tasks == set())


async def test_the_runner_is_told_whether_results_are_worth_making() -> None:
    subjects = Subjects()
    fanout = Fanout(subjects, [], Reports())

    def told() -> tuple[bool, bool]:
        return fanout.has_result_listeners, fanout.has_performance_listeners

    assert told() == (False, False)
    leave = subjects.signal_live.subscribe(lambda _: None)
    assert told() == (True, False)
    leave()
    subjects.performance.subscribe(lambda _: None)
    assert told() == (False, True)


async def test_a_callback_may_return_any_awaitable() -> None:
    done: list[str] = []

    def listen(_: Announcement) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: done.append("awaited"))
        future.get_loop().call_soon(future.set_result, None)
        return future

    async with running() as (fanout, subjects, reports):
        subjects.signal.subscribe(listen)
        fanout.announce(numbered(1))

    assert done == ["awaited"]
    assert reports.said == []
