"""Alerts: at least once, in order, from where the sink stood, whatever fails in between."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.alerts import is_alert
from daemon.core.errors import FatalError, RateLimitedError, TransientError
from daemon.core.records import Journaled, RunEntry
from daemon.ports import Progress, SinkStatus
from tests.live.alert_stage import LIMITS, Desk, Phone, a_candle, a_transition, running, until


async def test_a_new_sink_starts_at_the_end_of_the_journal() -> None:
    """Nobody wants years of history on his phone."""
    desk, phone = Desk(*(a_transition() for _ in range(500))), Phone()
    pump = desk.pump(phone)

    async with running(pump):
        await until(lambda: desk.cursors.saved)
        await desk.journal.append([a_transition()])
        pump.notify()
        await until(lambda: phone.arrived)

    assert phone.arrived == [501]


async def test_a_new_sink_misses_nothing_that_comes_after_its_opening() -> None:
    """Even when the process dies before anything was delivered."""
    desk = Desk()
    await desk.pump(Phone()).open()
    await desk.journal.append([a_transition()])
    phone = Phone()

    async with running(desk.pump(phone)):
        pass

    assert phone.arrived == [1]


async def test_s10_candles_are_no_alerts_and_all_else_comes_once() -> None:
    run = RunEntry(version="1", config_hash="x", at_ms=0)
    desk, phone = Desk(), Phone()
    async with running(desk.pump(phone)):
        await until(lambda: desk.cursors.saved)
        await desk.journal.append([run, a_candle(), a_transition(), a_candle(), a_transition()])
    async with running(desk.pump(phone)):
        pass

    assert phone.arrived == [1, 3, 5]


async def test_candles_do_not_write_the_cursor_each_time() -> None:
    desk, phone = Desk(), Phone()
    pump = desk.pump(phone, replace(LIMITS, batch_max=1, skipped_max=10))
    async with running(pump):
        await until(lambda: desk.cursors.saved)
        await desk.journal.append([a_candle() for _ in range(25)])
        pump.notify()
        await until(lambda: pump.status.queued == 0)

    assert desk.cursors.history == [0, 10, 20]


@settings(max_examples=30)
@given(
    st.lists(
        st.sampled_from(
            [
                TransientError("no line"),
                ConnectionError("foreign"),
                RateLimitedError("wait", 0.001),
                TimeoutError(),
            ]
        ),
        max_size=5,
    ),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 4),
)
async def test_whatever_fails_for_a_time_everything_arrives_in_order(
    raises: list[Exception], read_failures: int, save_failures: int, batch_max: int
) -> None:
    desk, phone = Desk(), Phone(*raises)
    pump = desk.pump(phone, replace(LIMITS, batch_max=batch_max))
    await pump.open()
    desk.journal.failures, desk.cursors.failures = read_failures, save_failures
    async with running(pump):
        for _ in range(10):
            await desk.journal.append([a_transition()])
            pump.notify()
        await until(lambda: pump.status.queued == 0)

    assert phone.arrived == list(range(1, desk.journal.last_number + 1))


@given(st.integers(0, 6))
@settings(max_examples=10)
async def test_s10_a_crash_repeats_at_most_what_the_cursor_had_not_seen(crash_at: int) -> None:
    """The process dies in a delivery; the next one goes on from the saved cursor."""
    desk, phone = Desk(), Phone()
    await desk.pump(phone).open()
    await desk.journal.append([a_transition() for _ in range(8)])

    async with asyncio.TaskGroup() as group:
        first = group.create_task(desk.pump(phone, replace(LIMITS, batch_max=2)).run())
        await until(lambda: len(phone.arrived) >= crash_at)
        first.cancel()
    async with running(desk.pump(phone)):
        pass

    assert sorted(set(phone.arrived)) == list(range(1, 9))
    assert len(phone.arrived) <= 8 + 2


async def test_an_outage_is_told_once_at_its_start_and_once_at_its_end() -> None:
    desk, phone = Desk(), Phone(*(TransientError("no line") for _ in range(5)))
    pump = desk.pump(phone)
    await pump.open()
    async with running(pump):
        await desk.journal.append([a_transition()])
        pump.notify()
        await until(lambda: len(desk.reports) == 2)

    assert desk.reports == [
        "alert sink phone fails; alerts wait: TransientError: no line",
        "alert sink phone is back after 5 failed tries; nothing was lost",
    ]


async def test_a_sink_that_comes_and_goes_does_not_feed_on_its_own_reports() -> None:
    class Moody(Phone):
        calls = 0

        def wants(self, journaled: Journaled) -> bool:
            return is_alert(journaled.entry)

        async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> None:
            self.calls += 1
            if self.calls % 2:
                raise TransientError("no line")
            await super().deliver(entries)

    desk, phone = Desk(), Moody()
    pump = desk.pump(phone)
    await pump.open()
    async with running(pump):
        await desk.journal.append([a_transition()])
        pump.notify()
        await until(lambda: pump.status.queued == 0 and len(phone.arrived) >= 3)
        for _ in range(200):
            await asyncio.sleep(0.0001)

    assert len(desk.reports) == 2
    assert len(phone.arrived) == 3


async def test_an_entry_that_is_refused_for_good_does_not_block_the_others() -> None:
    desk, phone = Desk(), Phone()
    phone.refuses = {2}
    pump = desk.pump(phone)
    await pump.open()
    await desk.journal.append([a_transition() for _ in range(3)])
    async with running(pump):
        await until(lambda: pump.status.queued == 0)

    assert phone.arrived == [1, 3, 4], "4 is the report on the refusal"
    assert pump.status.failed == 1
    assert desk.reports == [
        "alert sink phone refuses entry 2 for good: RejectedError: cannot be read"
    ]


async def test_a_sink_that_refuses_everything_is_not_told_of_its_own_refusals_for_ever() -> None:
    desk, phone = Desk(), Phone()
    phone.refuses = set(range(100))
    pump = desk.pump(phone)
    await pump.open()
    await desk.journal.append([a_transition()])
    async with running(pump):
        await until(lambda: pump.status.queued == 0)

    assert len(desk.reports) == 1


async def test_s4_a_fatal_answer_switches_the_sink_off_and_keeps_its_place() -> None:
    desk, phone = Desk(), Phone(FatalError("the token was revoked"))
    await desk.pump(phone).open()
    await desk.journal.append([a_transition()])
    pump = desk.pump(phone)
    async with asyncio.timeout(5.0):
        await pump.run()
    assert "switched off until the next start" in desk.reports[0]
    assert phone.arrived == []

    async with running(desk.pump(phone)):
        pass

    assert phone.arrived == [1, 2]


async def test_a_delivery_that_hangs_is_given_up_and_tried_again() -> None:
    class Hanging(Phone):
        calls = 0

        def wants(self, journaled: Journaled) -> bool:
            return is_alert(journaled.entry)

        async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> None:
            self.calls += 1
            if self.calls == 1:
                await asyncio.Event().wait()
            await super().deliver(entries)

    desk, phone = Desk(), Hanging()
    await desk.pump(phone).open()
    await desk.journal.append([a_transition()])
    pump = desk.pump(phone, replace(LIMITS, deliver_s=0.01))
    async with running(pump):
        await until(lambda: 1 in phone.arrived)


async def test_a_journal_that_was_put_back_starts_the_sink_at_its_end() -> None:
    desk, phone = Desk(a_transition()), Phone()
    desk.cursors.saved["phone"] = 700
    async with running(desk.pump(phone)):
        await until(lambda: len(desk.reports) == 1)

    assert phone.arrived == [2], "the report; nothing else is known to be new"
    assert desk.reports == ["alert sink phone stood at entry 700; the journal ends at 1"]


async def test_draining_gives_up_at_a_dead_sink_and_says_what_is_left() -> None:
    desk, phone = Desk(), Phone(*(TransientError("no line") for _ in range(1000)))
    pump = desk.pump(phone, replace(LIMITS, backoff_s=(3600.0,)))
    await pump.open()
    await desk.journal.append([a_transition()])
    async with asyncio.TaskGroup() as group, asyncio.timeout(5.0):
        group.create_task(pump.run())
        await until(lambda: desk.reports)

        left = await pump.drain(60.0)

    assert left == 2
    assert desk.cursors.saved == {"phone": 0}


async def test_a_transition_arrives_soon_although_nobody_gave_notice() -> None:
    desk, phone = Desk(), Phone()
    pump = desk.pump(phone, replace(LIMITS, quiet_s=0.01))
    async with running(pump):
        await until(lambda: desk.cursors.saved)
        await desk.journal.append([a_transition()])
        await until(lambda: phone.arrived)


async def test_its_status_says_how_far_behind_it_is() -> None:
    desk, phone = Desk(), Phone()
    pump = desk.pump(phone)
    await pump.open()
    await desk.journal.append([a_transition() for _ in range(3)])

    assert pump.status == SinkStatus(name="phone", sent=0, dropped=0, failed=0, queued=3)
    async with running(pump):
        await until(lambda: pump.status.queued == 0)
    assert pump.status == SinkStatus(name="phone", sent=3, dropped=0, failed=0, queued=0)


async def test_what_was_told_before_a_pause_is_not_told_again_after_a_crash() -> None:
    class Slow(Phone):
        async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> Progress:
            await super().deliver(entries[:1])
            return Progress(number=entries[0].number, wait_s=60.0)

    desk, first, second = Desk(), Slow(), Phone()
    pump = desk.pump(first)
    await pump.open()
    await desk.journal.append([a_transition() for _ in range(3)])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pump.run())
        await until(lambda: desk.cursors.saved == {"phone": 1})
        task.cancel()
    async with running(desk.pump(second)):
        pass

    assert (first.arrived, second.arrived) == ([1], [2, 3])


async def test_what_a_sink_holds_comes_again_after_a_crash() -> None:
    """A digest is in memory until it is sent: the cursor on disk must not run ahead of it."""

    class Holding(Phone):
        async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> Progress:
            if behind:
                return Progress(number=0, is_held=True)
            raise TransientError("away")

    desk, second = Desk(), Phone()
    pump = desk.pump(Holding(), replace(LIMITS, batch_max=2))
    await pump.open()
    await desk.journal.append([a_transition() for _ in range(6)])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pump.run())
        await until(lambda: desk.reports)
        task.cancel()
    async with running(desk.pump(second)):
        pass

    assert second.arrived[:6] == [1, 2, 3, 4, 5, 6]
