"""Items worked on by several hands at once, and told in their order whoever was faster.

With one hand or with many: the same items give the same answers in the same order.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class Hand(Generic[T, R]):
    """Works on one item at a time, and may hold some more that come next.

    One in another process should hold two: when it is done with an item, it goes on at once and
    does not wait for this process, which may be at work on an item of its own.
    """

    work: Callable[[T], Coroutine[object, object, R]]
    holds: int = 1


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
    held = dict.fromkeys(hands, 0)
    running: dict[asyncio.Task[R], tuple[int, Hand[T, R]]] = {}
    done: dict[int, R] = {}
    begun = told = 0
    ahead = AHEAD_PER_HAND * len(hands)
    stop = stop or asyncio.Event()
    stopping = loop.create_task(stop.wait())
    try:
        while told < len(items) and not stop.is_set():
            while begun < min(len(items), told + ahead):
                hand = _next_hand(held, len(items) - begun)
                if hand is None:
                    break
                if on_begin is not None:
                    await on_begin(begun)
                running[loop.create_task(hand.work(items[begun]))] = begun, hand
                held[hand] += 1
                begun += 1
            # Told while the hands are busy again.
            while told in done and not stop.is_set():
                yield told, done.pop(told)
                told += 1
            if begun < min(len(items), told + ahead) and _next_hand(held, len(items) - begun):
                continue  # what was told has made room, and nobody may be at work
            if told < len(items) and not stop.is_set():
                watched: list[asyncio.Task[object]] = [*running, stopping]
                await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in running if task.done()]:
                    number, by = running.pop(task)
                    held[by] -= 1
                    done[number] = task.result()
    finally:
        left: list[asyncio.Task[object]] = [*running, stopping]
        for each in left:
            each.cancel()
        await asyncio.wait(left)


def _next_hand(held: Mapping[Hand[T, R], int], left: int) -> Hand[T, R] | None:
    """Return the hand that has least to do and may take one of so many items that are `left`."""
    # The last items go to whoever is free first.
    is_near_end = left <= len(held)
    free = (hand for hand, count in held.items() if count < (1 if is_near_end else hand.holds))
    return min(free, key=held.__getitem__, default=None)
