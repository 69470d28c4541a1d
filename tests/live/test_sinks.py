"""Sinks: in batches and in order; who is slow, dead or hangs loses only his own."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace

from daemon.core.events import Announcement
from daemon.core.subjects import Subjects
from daemon.live.fanout import Fanout
from daemon.ports import SinkStatus
from tests.core.some_events import (
    a_performance,
    an_idle,
    an_opened,
    every_event,
)
from tests.live.fanout_stage import LIMITS, Gathering, Reports, numbered, running, status_of, until

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
    subjects = Subjects()
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
    fanout = Fanout(Subjects(), [sink], Reports(), limits=replace(LIMITS, batch_max=1))
    async with asyncio.TaskGroup() as group:
        group.create_task(fanout.run())
        await asyncio.sleep(0)
        fanout.announce(numbered(3))

        lost = await fanout.drain(0.02)

    assert lost == 3


async def test_a_dead_sink_does_not_hold_up_the_stop() -> None:
    sink = Gathering(failures=1_000_000)
    fanout = Fanout(Subjects(), [sink], Reports(), limits=replace(LIMITS, backoff_s=(3600.0,)))
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
