"""Virtual time: hours in no time, seeds that repeat, and a deadlock that says so."""

import asyncio
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.simulation.loop import DeadlockError, run_virtual


def test_a_day_of_sleeping_takes_no_time() -> None:
    async def main() -> float:
        for _ in range(1440):
            await asyncio.sleep(60)
        return asyncio.get_running_loop().time()

    begun_s = time.perf_counter()

    assert run_virtual(main()) == pytest.approx(86_400)
    assert time.perf_counter() - begun_s < 5


def test_a_decade_passes_without_losing_a_step() -> None:
    async def main() -> float:
        await asyncio.sleep(10 * 365 * 86_400)
        for _ in range(100):
            await asyncio.sleep(1e-3)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == pytest.approx(10 * 365 * 86_400 + 0.1, abs=1e-3)


def test_tasks_in_a_group_time_out_and_end_as_on_any_loop() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def work(name: str, pause_s: float) -> None:
            try:
                async with asyncio.timeout(5):
                    await asyncio.sleep(pause_s)
                    seen.append(f"{name} done")
            except TimeoutError:
                seen.append(f"{name} late at {asyncio.get_running_loop().time():.0f}")

        async with asyncio.TaskGroup() as group:
            group.create_task(work("slow", 7200))
            group.create_task(work("quick", 1))
        return seen

    assert run_virtual(main()) == ["quick done", "slow late at 5"]


def order_of(seed: int | None, names: str = "abcdefgh") -> str:
    async def main() -> str:
        seen: list[str] = []

        async def work(name: str) -> None:
            for _ in range(3):
                await asyncio.sleep(1)
                seen.append(name)

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(work(name))
        return "".join(seen)

    return run_virtual(main(), seed)


def test_without_a_seed_the_order_is_asyncio_s_own_and_repeats() -> None:
    assert sorted(order_of(None)) == sorted("abcdefgh" * 3)
    assert order_of(None) == order_of(None)


@settings(max_examples=20)
@given(st.integers())
def test_a_seed_shuffles_and_repeats(seed: int) -> None:
    order = order_of(seed)

    assert order == order_of(seed)
    assert sorted(order) == sorted("abcdefgh" * 3)


def test_seeds_differ() -> None:
    assert len({order_of(seed) for seed in range(20)}) > 15


def test_waiting_for_what_can_never_come_is_a_deadlock() -> None:
    async def main() -> None:
        await asyncio.sleep(3)
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match=r"at 3\.000 s; 1 tasks wait: Task-"):
        run_virtual(main())


def test_what_would_run_in_a_thread_runs_on_the_loop() -> None:
    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(None, threading.get_ident)
        return first, await asyncio.to_thread(threading.get_ident)

    assert run_virtual(main()) == (threading.get_ident(), threading.get_ident())


def test_an_error_in_place_of_a_thread_s_reaches_the_caller() -> None:
    async def main() -> None:
        await asyncio.to_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        run_virtual(main())


def test_the_network_is_refused() -> None:
    async def main() -> None:
        here, there = socket.socketpair()
        with here, there:
            asyncio.get_running_loop().add_reader(here, print)

    with pytest.raises(RuntimeError, match="no network"):
        run_virtual(main())


def test_an_exception_leaves_the_loop_clean() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.Event().wait())
            raise KeyError("gone")

    with pytest.raises(ExceptionGroup):
        run_virtual(main())
    assert order_of(None, "a") == "aaa"
