"""Items worked on by several hands at once, and told in their order whoever was faster.

With one hand or with many: the same items give the same answers in the same order.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
Hand = Callable[[T], Coroutine[object, object, R]]
"""Works on one item at a time."""

AHEAD_PER_HAND = 4
"""So many answers a hand may be ahead of the slowest item: they wait in memory."""


async def in_order(
    items: Sequence[T],
    hands: Sequence[Hand[T, R]],
    stop: asyncio.Event | None = None,
    on_begin: Callable[[int], Awaitable[None]] | None = None,
) -> AsyncGenerator[tuple[int, R], None]:
    """Yield (number, answer) for each item, in the order of the items.

    Once `stop` is set nothing more is begun, and what is under way is given up. `on_begin` is
    told each number before its work begins, in order too. What a hand raises ends it all.
    """
    loop = asyncio.get_running_loop()
    free = deque(hands)
    running: dict[asyncio.Task[R], tuple[int, Hand[T, R]]] = {}
    done: dict[int, R] = {}
    begun = told = 0
    ahead = AHEAD_PER_HAND * len(hands)
    stop = stop or asyncio.Event()
    stopping = loop.create_task(stop.wait())
    try:
        while told < len(items) and not stop.is_set():
            while free and begun < min(len(items), told + ahead):
                if on_begin is not None:
                    await on_begin(begun)
                hand = free.popleft()
                running[loop.create_task(hand(items[begun]))] = begun, hand
                begun += 1
            # Told while the hands are busy again.
            while told in done and not stop.is_set():
                yield told, done.pop(told)
                told += 1
            if free and begun < min(len(items), told + ahead):
                continue  # what was told has made room, and nobody may be at work
            if told < len(items) and not stop.is_set():
                watched: list[asyncio.Task[object]] = [*running, stopping]
                await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in running if task.done()]:
                    number, hand = running.pop(task)
                    free.append(hand)
                    done[number] = task.result()
    finally:
        left: list[asyncio.Task[object]] = [*running, stopping]
        for each in left:
            each.cancel()
        await asyncio.wait(left)
