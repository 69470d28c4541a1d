"""Run a coroutine to its end on an event loop of its own, and hand over what it returned."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from daemon.app.run_guard import end_copies

T = TypeVar("T")


def run_whole(work: Coroutine[object, object, T]) -> T:
    """Return what `work` returns, as `asyncio.run` does.

    That writes what it returned out as text, for a message that nobody sees (its end compares
    signal handlers, and one of them knows the task). Of a long run this takes longer than the run.
    """
    end_copies()
    returned: list[T] = []
    asyncio.run(_noted(work, returned))
    return returned[0]


async def _noted(work: Coroutine[object, object, T], returned: list[T]) -> None:
    returned.append(await work)
