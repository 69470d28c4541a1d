"""Run a coroutine to its end on an event loop of its own, and hand over what it returned."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

from daemon.app.run_guard import end_copies
from daemon.app.strays import Strays, say

T = TypeVar("T")


def run_whole(work: Coroutine[object, object, T], tell: Callable[[str], None] = say) -> T:
    """Return what `work` returns, as `asyncio.run` does.

    That writes what it returned out as text, for a message that nobody sees (its end compares
    signal handlers, and one of them knows the task). Of a long run this takes longer than the run.
    What fails where nobody waits for it is told by `tell`, line by line, at the end.
    """
    end_copies()
    returned: list[T] = []
    with Strays(tell) as strays:
        asyncio.run(_noted(work, returned, strays))
    return returned[0]


async def _noted(work: Coroutine[object, object, T], returned: list[T], strays: Strays) -> None:
    strays.listen_to(asyncio.get_running_loop())
    returned.append(await work)
