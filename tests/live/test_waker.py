"""One sleeper, woken by a call or at a moment."""

import asyncio

from daemon.live.waker import Waker
from daemon.simulation.loop import run_virtual


def test_it_wakes_when_it_is_due() -> None:
    async def scene() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        waker = Waker()
        due_s = await waker.wait(loop.time() + 5)
        return due_s, loop.time()

    due_s, now_s = run_virtual(scene())

    assert due_s == now_s == 5.0


def test_a_call_ends_the_sleep_at_once() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        waker = Waker()
        loop.call_later(1, waker.wake)
        await waker.wait(loop.time() + 5)
        return loop.time()

    assert run_virtual(scene()) == 1.0


def test_a_nearer_moment_wins_and_a_later_one_does_not() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        waker = Waker()
        loop.call_later(0.5, waker.wake_by, 2.0)
        loop.call_later(0.6, waker.wake_by, 3.0)
        await waker.wait(loop.time() + 5)
        return loop.time()

    assert run_virtual(scene()) == 2.0


def test_a_call_while_nobody_sleeps_is_not_lost() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        waker = Waker()
        waker.wake()
        await waker.wait(loop.time() + 5)
        return loop.time()

    assert run_virtual(scene()) == 0.0


def test_a_timer_left_over_from_a_shorter_sleep_ends_no_longer_one() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        waker = Waker()
        loop.call_later(1, waker.wake)
        await waker.wait(loop.time() + 2)
        await waker.wait(loop.time() + 5)
        return loop.time()

    assert run_virtual(scene()) == 6.0


def test_a_moment_that_has_passed_ends_the_sleep_at_once() -> None:
    async def scene() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        waker = Waker()
        loop.call_later(3, waker.wake_by, 1.0)
        due_s = await waker.wait(loop.time() + 5)
        return due_s, loop.time()

    assert run_virtual(scene()) == (3.0, 3.0)


def test_a_closed_waker_keeps_no_timer() -> None:
    async def scene() -> float:
        loop = asyncio.get_running_loop()
        waker = Waker()
        loop.call_later(1, waker.wake)
        await waker.wait(loop.time() + 1000)
        waker.close()
        due_s = await waker.wait(loop.time() + 5)
        assert due_s == loop.time()
        return loop.time()

    assert run_virtual(scene()) == 6.0
