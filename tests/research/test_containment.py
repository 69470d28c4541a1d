"""Foreign code in a run over history costs its own call, in bounded time."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import perf_counter

import pytest

from daemon.core.guard import Raised
from daemon.core.rules import Rules
from daemon.research.containment import Containment, Limits

pytestmark = pytest.mark.may_block("what is tested here blocks on purpose")

SLACK_S = 5.0


@pytest.fixture
def calls() -> Iterator[Containment]:
    with Containment(Limits(stretch_s=0.1, answer_s=0.2)) as made:
        yield made


def test_the_rules_say_how_long_an_answer_may_take() -> None:
    assert Limits.of(Rules()) == Limits(stretch_s=5.0, answer_s=180.0)
    assert Limits.of(Rules(max_signal_generation_seconds=600)).answer_s == 600.0
    short = Limits.of(Rules(max_signal_generation_seconds=2))
    assert short == Limits(stretch_s=2.0, answer_s=2.0), "no stretch is longer than the answer"


def _busy(_: object) -> None:
    while True:
        pass


async def _busy_coroutine(_: object) -> None:
    while True:
        pass


def _sleep_in_c(_: object) -> None:
    time.sleep(60)


def _swallow_exceptions(_: object) -> None:
    while True:
        with suppress(Exception):
            while True:
                pass


def _catastrophic_regex(_: object) -> None:
    re.match(r"(a+)+$", "a" * 40 + "b")


@pytest.mark.parametrize(
    "function", [_busy, _busy_coroutine, _sleep_in_c, _swallow_exceptions, _catastrophic_regex]
)
def test_p10_a_stretch_that_does_not_come_back_is_ended(
    calls: Containment, function: Callable[[object], object]
) -> None:
    started_s = perf_counter()

    outcome = calls.begin(function, None)

    assert isinstance(outcome, Raised)
    assert outcome.error == "OverrunError"
    assert outcome.place.startswith(("test_containment.py:", "__init__.py:", "contextlib.py:"))
    assert 0.1 <= perf_counter() - started_s < 0.1 + SLACK_S


class _SlowToTellError(ValueError):
    """Takes a part of the budget to say what it is."""

    def __str__(self) -> str:
        until_s = perf_counter() + 0.07
        while perf_counter() < until_s:
            pass
        return "in its own words"


def _busy_then_slow_to_tell(_: object) -> None:
    try:
        _busy(None)
    except BaseException as error:
        raise _SlowToTellError from error


def test_p10_what_is_told_of_a_call_is_not_hit_by_the_end_of_its_budget(calls: Containment) -> None:
    """The alarms of a call that is over came while its error was looked at."""
    outcome = calls.begin(_busy_then_slow_to_tell, None)

    assert isinstance(outcome, Raised)
    assert (outcome.error, outcome.message) == ("_SlowToTellError", "in its own words")


def test_short_calls_in_a_row_are_not_one_long_one(calls: Containment) -> None:
    until_s = perf_counter() + 0.4
    while perf_counter() < until_s:
        assert calls.begin(lambda _: sum(range(2000)), None) == 1999000


def test_an_answer_comes_back_without_a_loop(calls: Containment) -> None:
    async def answer(value: int) -> int:
        return value + 1

    assert calls.begin(answer, 1) == 2
    assert calls.begin(str, 1) == "1"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), BaseException("own")])
def test_p9_whatever_is_raised_ends_that_call_only(
    calls: Containment, error: BaseException
) -> None:
    async def rude(_: object) -> None:
        raise error

    outcome = calls.begin(rude, None)

    assert isinstance(outcome, Raised)
    assert outcome.cause is error


async def test_p12_a_wait_is_awaited_and_ended_at_its_limit(calls: Containment) -> None:
    async def wait(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "slept"

    assert await calls.finish(calls.begin(wait, 0.01)) == "slept"
    outcome = await calls.finish(calls.begin(wait, 9.0))
    assert isinstance(outcome, Raised)
    assert isinstance(outcome.cause, TimeoutError)


async def test_p12_a_coroutine_that_swallows_its_cancellation_is_abandoned(
    calls: Containment,
) -> None:
    async def stubborn(_: object) -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    outcome = await calls.finish(calls.begin(stubborn, None))

    assert isinstance(outcome, Raised)
    assert isinstance(outcome.cause, TimeoutError)


async def test_a_run_that_is_cancelled_while_it_waits_passes_that_on(calls: Containment) -> None:
    ended: list[str] = []

    async def wait(_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    async def run() -> None:
        await calls.finish(calls.begin(wait, None))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        await asyncio.sleep(0)
        task.cancel()

    assert task.cancelled()
    assert ended == ["cleaned up"]


async def test_the_error_of_what_it_awaits_is_for_the_strategy_to_handle(
    calls: Containment,
) -> None:
    async def fail() -> None:
        raise ValueError("no such candle")

    async def handle(_: object) -> str:
        with suppress(ValueError):
            await asyncio.get_running_loop().create_task(fail())
        await asyncio.sleep(0)
        return "handled"

    assert await calls.finish(calls.begin(handle, None)) == "handled"


async def test_p8_an_error_of_what_it_awaits_is_told_as_the_strategys_own(
    calls: Containment,
) -> None:
    async def fail() -> None:
        raise ValueError("no such candle")

    async def pass_on(_: object) -> None:
        await asyncio.get_running_loop().create_task(fail())

    outcome = await calls.finish(calls.begin(pass_on, None))

    assert isinstance(outcome, Raised)
    assert (outcome.error, outcome.message) == ("ValueError", "no such candle")


async def test_a_time_limit_of_the_strategys_own_is_its_own(calls: Containment) -> None:
    async def limited(_: object) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        await asyncio.sleep(0)
        return "handled"

    assert await calls.finish(calls.begin(limited, None)) == "handled"


def test_two_runs_at_once_guard_their_own_calls() -> None:
    with Containment(Limits(stretch_s=0.1)) as one, Containment(Limits(stretch_s=30.0)) as two:
        assert isinstance(one.begin(_busy, None), Raised)
        assert two.begin(lambda _: time.sleep(0.3), None) is None


def _aside(work: Callable[[], object]) -> object:
    """Return what `work` returns in another thread."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(work()), daemon=True)
    thread.start()
    thread.join(5)
    return answers[0] if answers else None


@pytest.mark.parametrize("function", [_busy, _busy_coroutine, _swallow_exceptions])
def test_p10_outside_the_main_thread_a_busy_stretch_is_ended_too(
    function: Callable[[object], object],
) -> None:
    def work() -> list[object]:
        with Containment(Limits(stretch_s=0.1)) as calls:
            return [calls.begin(function, None), calls.begin(str, 7)]

    outcome = _aside(work)

    assert isinstance(outcome, list)
    assert isinstance(outcome[0], Raised)
    assert outcome[0].error == "OverrunError"
    assert outcome[1] == "7", "the next call is not hit by what was meant for the one before"


def test_p10_a_thread_that_is_held_in_c_is_told() -> None:
    calls, let_go = Containment(Limits(stretch_s=0.02)), threading.Event()

    def work() -> object:
        with calls:
            # The first wait that is long enough is one in C.
            return calls.begin(lambda _: let_go.wait(5), None)

    threading.Thread(target=work, daemon=True).start()
    until_s = perf_counter() + 4
    while not calls.is_held and perf_counter() < until_s:
        time.sleep(0.01)
    let_go.set()

    assert calls.is_held


def test_short_calls_in_a_row_let_the_loop_have_a_turn(calls: Containment) -> None:
    until_s = perf_counter() + 2
    while not calls.is_turn_due and perf_counter() < until_s:
        calls.begin(str, 7)

    assert calls.is_turn_due
