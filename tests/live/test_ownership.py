"""What is the daemon's, no strategy ends; what a strategy starts is contained and is ended."""

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress

import pytest

from daemon.core.guard import Raised, Returned
from daemon.live.containment import Containment, Limits
from daemon.live.ownership import Ownership, OwnTask
from daemon.live.workers import ThreadWorkers

pytestmark = pytest.mark.may_block("what is tested here blocks on purpose")

STRETCH_S = 0.05


class House:
    """A loop of its own with all guards up."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._on_trouble)
        self.ownership = Ownership(self.loop)
        self.containment = Containment(ThreadWorkers(1), Limits(stretch_s=STRETCH_S, answer_s=5.0))
        self.ownership.containment = self.containment

    def ask(self, strategy: Callable[[], Coroutine[object, object, object]]) -> object:
        """Return the outcome of one call of `strategy` on the loop."""
        self.containment.install()
        try:
            return self.loop.run_until_complete(
                self.containment.ask("BTC/USDT/s", strategy, is_async=True)
            )
        finally:
            self.containment.uninstall()

    def run(self, coroutine: Coroutine[object, object, object]) -> object:
        self.containment.install()
        try:
            return self.loop.run_until_complete(coroutine)
        finally:
            self.containment.uninstall()

    def _on_trouble(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        task = context.get("future") or context.get("task")
        self.troubles.append(self.ownership.name_of_foreign(task))


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.loop.run_until_complete(made.ownership.end_foreign(5.0))
    made.loop.close()


async def _cancel_everything() -> None:
    for task in asyncio.all_tasks():
        task.cancel()
    await asyncio.sleep(0)


async def _stop_the_loop() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (_cancel_everything, "tried to cancel a task of the daemon: that was refused"),
        (_stop_the_loop, "tried to stop the event loop: that was refused"),
    ],
)
def test_p16_what_is_not_its_business_is_refused_and_fails_the_call(
    house: House, strategy: Callable[[], Coroutine[object, object, object]], told: str
) -> None:
    outcome = house.ask(strategy)

    assert isinstance(outcome, Raised)
    assert (outcome.error, outcome.message) == ("MeddlingError", told)


def test_p16_a_thread_of_a_strategy_cancels_nothing(house: House) -> None:
    async def beset() -> str:
        task = asyncio.current_task()
        assert task is not None
        thread = threading.Thread(target=task.cancel)
        thread.start()
        thread.join()
        await asyncio.sleep(0)
        return "alive"

    assert house.run(beset()) == "alive"


def test_the_daemon_itself_cancels_its_tasks(house: House) -> None:
    async def end_one() -> bool:
        task = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert house.run(end_one()) is True


def test_a_strategy_may_time_out_and_cancel_what_it_started(house: House) -> None:
    async def own_tasks() -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(3600)
        task = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        return "done"

    assert house.ask(own_tasks) == Returned("done")


def test_p10_a_task_that_a_strategy_started_is_interrupted_at_its_budget(house: House) -> None:
    async def busy() -> None:
        while True:
            pass

    async def start() -> None:
        task = asyncio.get_running_loop().create_task(busy())
        await asyncio.wait({task})

    assert house.ask(start) == Returned(None)
    house.run(asyncio.sleep(0))
    assert house.troubles == ["a task that BTC/USDT/s started"]


def test_a_task_is_told_of_by_who_started_it_whatever_it_is_called(house: House) -> None:
    async def fail() -> None:
        raise ValueError("in a task")

    async def start() -> None:
        await asyncio.wait({asyncio.get_running_loop().create_task(fail(), name="mine")})

    assert house.ask(start) == Returned(None)
    gc.collect()
    assert house.troubles == ["a task that BTC/USDT/s started"]


def test_a_loop_may_hand_over_the_name_of_a_task_with_it(house: House) -> None:
    # As asyncio does from Python 3.13.3 on.
    make = house.loop.get_task_factory()
    assert make is not None
    task = make(house.loop, asyncio.sleep(0), name="tick")  # type: ignore[call-arg]  # not before

    house.loop.run_until_complete(task)
    assert isinstance(task, OwnTask)
    assert task.get_name() == "tick"


def test_p9_a_task_that_exits_ends_only_itself(house: House) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def start() -> str:
        with suppress(RuntimeError):
            await asyncio.get_running_loop().create_task(leave())
        return "alive"

    assert house.ask(start) == Returned("alive")


def test_p12_a_task_that_swallows_its_cancellation_is_ended_with_the_loop(house: House) -> None:
    async def stubborn() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    async def start() -> None:
        task = asyncio.get_running_loop().create_task(stubborn())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)

    assert house.ask(start) == Returned(None)
    assert house.run(house.ownership.end_foreign(5.0)) == 0


def test_threads_of_the_loop_that_a_strategy_fills_are_not_those_of_the_daemon(
    house: House,
) -> None:
    free = threading.Event()
    waiting: list[asyncio.Future[bool]] = []

    async def fill() -> None:
        loop = asyncio.get_running_loop()
        waiting.extend(loop.run_in_executor(None, free.wait) for _ in range(100))

    outcome = house.ask(fill)
    try:
        mine = house.run(asyncio.to_thread(lambda: "mine"))
    finally:
        free.set()

    assert outcome == Returned(None)
    assert mine == "mine"
