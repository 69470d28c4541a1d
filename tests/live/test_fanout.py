"""Listeners and sinks: in order, one at a time, bounded, and nobody hurts anybody else."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.events import Announcement, ErrorContract, TickResult
from daemon.core.guard import Raised
from daemon.core.subjects import Subjects
from daemon.live.containment import Containment, Limits
from daemon.live.fanout import Fanout
from daemon.live.sinks import FanoutLimits
from daemon.live.workers import InlineWorkers
from daemon.ports import Sink, SinkStatus
from tests.core.some_events import (
    a_performance,
    an_error,
    an_idle,
    an_opened,
    every_event,
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
    subjects, reports = Subjects.create(), Reports()
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
    subjects = Subjects.create()
    subjects.signal_live.subscribe(heard.append)
    sink = Gathering()
    fanout = Fanout(subjects, [sink], Reports(), limits=LIMITS)
    fanout.announce([an_opened()])

    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        await until(lambda: heard and sink.events)
        await fanout.drain(5.0)

    assert heard == [an_opened()]


async def test_every_event_reaches_its_listener() -> None:
    heard: list[Announcement] = []
    async with running() as (fanout, subjects, _):
        subjects.signal.subscribe(heard.append)
        subjects.partial_profit.subscribe(heard.append)
        subjects.partial_loss.subscribe(heard.append)
        subjects.risk.subscribe(heard.append)
        subjects.error.subscribe(heard.append)
        subjects.exit.subscribe(heard.append)
        subjects.done_live.subscribe(heard.append)
        subjects.performance.subscribe(heard.append)

        fanout.announce(every_event())

    assert len(heard) == len(every_event())


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

    subjects = Subjects.create()
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

    subjects = Subjects.create()
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
    subjects = Subjects.create()
    fanout = Fanout(subjects, [], Reports())

    def told() -> tuple[bool, bool]:
        return fanout.has_result_listeners, fanout.has_performance_listeners

    assert told() == (False, False)
    leave = subjects.signal_live.subscribe(lambda _: None)
    assert told() == (True, False)
    leave()
    subjects.performance.subscribe(lambda _: None)
    assert told() == (False, True)


# -- Sinks -----------------------------------------------------------------------------------------


async def test_a_sink_gets_everything_in_order_and_in_batches() -> None:
    sink = Gathering()
    async with running(sink, limits=replace(LIMITS, batch_max=4)) as (fanout, _, _r):
        fanout.announce(numbered(10))

    assert sink.events == numbered(10)
    assert sink.batches == [4, 4, 2]
    assert status_of(fanout, "gathering") == SinkStatus(
        name="gathering", sent=10, dropped=0, failed=0, queued=0
    )


async def test_a_sink_gets_only_what_it_wants() -> None:
    class Picky(Gathering):
        def wants(self, event: Announcement) -> bool:
            if event == a_performance():
                raise ValueError("cannot even be asked")
            return event == an_opened()

    sink = Picky()
    async with running(sink) as (fanout, _, _r):
        fanout.announce(every_event())

    assert sink.events == [an_opened()]


async def test_a_dead_sink_loses_its_own_and_says_so_once_it_is_back() -> None:
    dead, alive = Gathering("dead", failures=3), Gathering("alive")
    async with running(dead, alive, limits=replace(LIMITS, batch_max=1)) as (fanout, _, reports):
        fanout.announce(numbered(5))
        await until(lambda: len(dead.events) == 2, rounds=500_000)

    assert alive.events == numbered(5)
    assert dead.events == numbered(5)[3:]
    assert status_of(fanout, "dead").failed == 3
    assert reports.texts == [
        "sink: TransientError: sink dead is back; 3 events did not get through"
    ]


async def test_a_slow_sink_keeps_the_newest_and_says_so_once() -> None:
    slow = Gathering("slow")
    slow.gate = asyncio.Event()
    limits = replace(LIMITS, sink_queue_max=3, batch_max=1)
    async with running(slow, limits=limits) as (fanout, _, reports):
        fanout.announce(numbered(1))
        await until(lambda: status_of(fanout, "slow").queued == 1 and not fanout._workers[0]._queue)
        fanout.announce([an_idle(at_ms=number) for number in range(1, 11)])
        assert status_of(fanout, "slow").dropped == 7
        assert status_of(fanout, "slow").queued == 4
        slow.gate.set()
        await until(lambda: len(slow.events) == 4)

    assert slow.events == [an_idle(at_ms=number) for number in (0, 8, 9, 10)]
    assert len(reports.said) == 1


async def test_a_sink_that_hangs_is_given_up_and_tried_again() -> None:
    class Hanging(Gathering):
        calls = 0

        async def send(self, events: Sequence[Announcement]) -> None:
            self.calls += 1
            if self.calls == 1:
                await asyncio.Event().wait()
            await super().send(events)

    sink = Hanging("hanging")
    async with running(sink, limits=replace(LIMITS, send_s=0.01, batch_max=1)) as (fanout, _, _r):
        fanout.announce(numbered(2))
        await until(lambda: len(sink.events) == 1, rounds=500_000)

    assert status_of(fanout, "hanging").failed == 1


# -- The stop --------------------------------------------------------------------------------------


async def test_draining_delivers_what_is_queued() -> None:
    sink = Gathering()
    heard: list[Announcement] = []
    subjects = Subjects.create()
    subjects.signal.subscribe(heard.append)
    fanout = Fanout(subjects, [sink], Reports(), limits=LIMITS)
    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        await asyncio.sleep(0)
        fanout.announce(numbered(200))

        lost = await fanout.drain(5.0)

    assert lost == 0
    assert len(heard) == len(sink.events) == 200


async def test_draining_gives_up_on_time_and_says_how_much_was_lost() -> None:
    sink = Gathering()
    sink.gate = asyncio.Event()
    fanout = Fanout(Subjects.create(), [sink], Reports(), limits=replace(LIMITS, batch_max=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        await asyncio.sleep(0)
        fanout.announce(numbered(3))

        lost = await fanout.drain(0.02)

    assert lost == 3


async def test_a_dead_sink_does_not_hold_up_the_stop() -> None:
    sink = Gathering(failures=1_000_000)
    fanout = Fanout(
        Subjects.create(), [sink], Reports(), limits=replace(LIMITS, backoff_s=(3600.0,))
    )
    async with asyncio.TaskGroup() as group, asyncio.timeout(5.0):
        group.create_task(fanout.run())
        await asyncio.sleep(0)
        fanout.announce(numbered(3))
        await until(lambda: status_of(fanout, "gathering").failed == 3)
        fanout.announce(numbered(3))

        await fanout.drain(60.0)

    assert status_of(fanout, "gathering") == SinkStatus(
        name="gathering", sent=0, dropped=0, failed=6, queued=0
    )


async def test_announcing_after_the_end_is_harmless() -> None:
    heard: list[Announcement] = []
    async with running(Gathering()) as (fanout, subjects, _):
        subjects.signal.subscribe(heard.append)
    fanout.announce(numbered(1))
    gc.collect()

    assert heard == []


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

    subjects, reports = Subjects.create(), Reports()
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
