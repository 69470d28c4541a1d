"""Foreign code may do its worst: it costs its own call, in bounded time, and nothing else."""

import asyncio
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from time import perf_counter

import pytest

from daemon.core.guard import Raised, Returned
from daemon.live.containment import Containment, Limits
from daemon.live.workers import InlineWorkers, LeakedThreadError, ThreadWorkers

pytestmark = pytest.mark.may_block("what is tested here blocks on purpose")

STRETCH_S = 0.1
SLACK_S = 0.4


@pytest.fixture
async def containment() -> AsyncIterator[Containment]:
    made = Containment(ThreadWorkers(2), Limits(stretch_s=STRETCH_S, answer_s=0.3))
    made.install()
    yield made
    made.uninstall()


async def _busy() -> None:
    while True:
        pass


async def _sleep_in_c() -> None:
    time.sleep(5)  # noqa: ASYNC251 - the sin that is tested


async def _swallow_exceptions() -> None:
    while True:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001 - the sin that is tested
            pass


async def _catastrophic_regex() -> None:
    re.match(r"(a+)+$", "a" * 40 + "b")


async def _huge_power() -> None:
    for _ in range(1000):
        pow(3, 10**6)


@pytest.mark.parametrize(
    "strategy", [_busy, _sleep_in_c, _swallow_exceptions, _catastrophic_regex, _huge_power]
)
async def test_p10_a_strategy_that_blocks_the_loop_is_interrupted_at_its_budget(
    containment: Containment, strategy: Callable[[], Coroutine[object, object, None]]
) -> None:
    # The loop's own clock has steps of a millisecond, and stands still while it is blocked.
    started_s = perf_counter()

    outcome = await containment.ask("task", strategy, is_async=True)

    assert isinstance(outcome, Raised)
    assert outcome.error == "OverrunError"
    assert STRETCH_S <= perf_counter() - started_s < STRETCH_S + SLACK_S


async def test_p10_the_line_that_blocked_is_named(containment: Containment) -> None:
    outcome = await containment.ask("task", _busy, is_async=True)

    assert isinstance(outcome, Raised)
    assert outcome.place.startswith("test_containment.py:")


async def test_p12_an_answer_that_never_comes_is_given_up(containment: Containment) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    outcome = await containment.ask("task", never, is_async=True)

    assert isinstance(outcome, Raised)
    assert isinstance(outcome.cause, TimeoutError)


async def test_p12_a_coroutine_that_swallows_its_cancellation_is_abandoned(
    containment: Containment,
) -> None:
    async def stubborn() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    started_s = asyncio.get_running_loop().time()
    outcome = await containment.ask("task", stubborn, is_async=True)

    assert isinstance(outcome, Raised)
    assert isinstance(outcome.cause, TimeoutError)
    assert asyncio.get_running_loop().time() - started_s < 0.3 + SLACK_S


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), BaseException("own")])
async def test_p9_base_exceptions_of_a_strategy_end_only_its_call(
    containment: Containment, error: BaseException
) -> None:
    async def rude() -> None:
        raise error

    outcome = await containment.ask("task", rude, is_async=True)

    assert isinstance(outcome, Raised)
    assert outcome.cause is error


async def test_p8_exceptions_of_a_strategy_end_only_its_call(containment: Containment) -> None:
    async def broken() -> None:
        await asyncio.sleep(0)
        raise ValueError("no data")

    outcome = await containment.ask("task", broken, is_async=True)

    assert isinstance(outcome, Raised)
    assert (outcome.error, outcome.message) == ("ValueError", "no data")


def _slow_five() -> int:
    time.sleep(0.2)
    return 5


async def test_a_plain_function_may_block_its_thread_but_not_the_loop(
    containment: Containment,
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        outcome = await containment.ask("task", _slow_five, is_async=False)
        ticking.cancel()

    assert outcome == Returned(5)
    assert ticks >= 5


async def test_a_thread_that_never_answers_is_counted_and_replaced() -> None:
    workers = ThreadWorkers(1)
    containment = Containment(workers, Limits(answer_s=0.05))

    late = await containment.ask("task", lambda: time.sleep(1), is_async=False)
    after = await containment.ask("task", lambda: 7, is_async=False)

    assert isinstance(late, Raised)
    assert isinstance(late.cause, TimeoutError)
    assert workers.leaked == 1
    assert after == Returned(7)


async def test_an_async_answer_comes_through(containment: Containment) -> None:
    async def answer() -> int:
        await asyncio.sleep(0.01)
        return 5

    assert await containment.ask("task", answer, is_async=True) == Returned(5)


async def test_cancelling_the_caller_cancels_the_strategy(containment: Containment) -> None:
    ended: list[str] = []

    async def patient() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    task = asyncio.get_running_loop().create_task(containment.ask("task", patient, is_async=True))
    await asyncio.sleep(0.01)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cleaned up"]


async def test_the_holder_is_named_while_its_code_runs(containment: Containment) -> None:
    seen: list[str] = []

    containment.call("BTC/USDT/breakout", lambda: seen.append(containment.holder))

    assert seen == ["BTC/USDT/breakout"]
    assert containment.holder == ""


async def test_outside_the_main_thread_calls_still_work() -> None:
    containment = Containment(InlineWorkers(), Limits())

    outcome = containment.call("task", lambda: sys.exit(1))

    assert isinstance(outcome, Raised)
    assert outcome.error == "SystemExit"


async def test_the_timer_is_given_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    containment = Containment(InlineWorkers(), Limits())

    containment.install()
    containment.uninstall()

    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


async def test_p10_an_interruption_that_was_swallowed_is_a_failure_all_the_same(
    containment: Containment,
) -> None:
    def sleep() -> None:
        end_s = perf_counter() + 3 * STRETCH_S
        while perf_counter() < end_s:
            with suppress(BaseException):
                time.sleep(STRETCH_S)

    async def stubborn() -> None:
        sleep()

    outcome = await containment.ask("task", stubborn, is_async=True)

    assert isinstance(outcome, Raised)
    assert outcome.error == "OverrunError"
    assert "swallowed" in outcome.message


async def test_a_time_out_of_its_own_costs_a_plain_strategy_no_thread() -> None:
    def times_out() -> None:
        raise TimeoutError("the author's own")

    workers = ThreadWorkers(1)

    outcome = await workers.call(times_out, timeout_s=5.0)

    assert isinstance(outcome, Raised)
    assert not isinstance(outcome.cause, LeakedThreadError)
    assert workers.leaked == 0


async def test_who_waits_in_line_too_long_has_lost_no_thread() -> None:
    free = threading.Event()
    workers = ThreadWorkers(1)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(workers.call(free.wait, timeout_s=5.0))
            await asyncio.sleep(0)
            late = await workers.call(int, timeout_s=0.05)
            free.set()
    finally:
        free.set()

    assert isinstance(late, Raised)
    assert "no thread was free" in late.message
    assert not isinstance(late.cause, LeakedThreadError)
    assert workers.leaked == 0


async def _failing() -> None:
    await asyncio.sleep(0)
    raise ConnectionError("reset")


async def test_an_error_of_what_it_waits_for_is_its_own_to_handle(
    containment: Containment,
) -> None:
    async def handles() -> str:
        for _ in range(2):
            with suppress(ConnectionError):
                await asyncio.get_running_loop().create_task(_failing())
        await asyncio.sleep(0)
        return "handled"

    assert await containment.ask("task", handles, is_async=True) == Returned("handled")


async def test_a_time_limit_of_its_own_is_its_own_to_handle(containment: Containment) -> None:
    async def handles() -> str:
        for _ in range(2):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
        await asyncio.sleep(0)
        return "handled"

    assert await containment.ask("task", handles, is_async=True) == Returned("handled")


async def test_a_cancelled_child_that_it_does_not_handle_is_its_failure(
    containment: Containment,
) -> None:
    async def waits_for_a_cancelled_one() -> None:
        child = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        child.cancel()
        await child

    outcome = await containment.ask("task", waits_for_a_cancelled_one, is_async=True)

    assert isinstance(outcome, Raised)
    assert outcome.error == "CancelledError"
