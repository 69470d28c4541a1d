"""Many hands work on items and are told in the items' order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daemon.research.pool import AHEAD_PER_HAND, Hand, in_order


async def told_of(delays: list[int], hand_count: int) -> list[tuple[int, int]]:
    async def hand(item: int) -> int:
        for _ in range(delays[item]):
            await asyncio.sleep(0)
        return item * 10

    work = in_order(range(len(delays)), [Hand(hand) for _ in range(hand_count)])
    return [answer async for answer in work]


@given(some.lists(some.integers(0, 20), max_size=12), some.integers(1, 5))
def test_any_number_of_hands_tells_the_same(delays: list[int], hand_count: int) -> None:
    told = asyncio.run(told_of(delays, hand_count))

    assert told == [(number, number * 10) for number in range(len(delays))]


async def first_of(work: AsyncIterator[tuple[int, int]]) -> object:
    return await anext(work)


async def test_a_hand_runs_ahead_of_the_slowest_only_so_far() -> None:
    begun, slow = [], asyncio.Event()

    async def hand(item: int) -> int:
        begun.append(item)
        if item == 0:
            await slow.wait()
        return item

    async with aclosing(in_order(range(100), [Hand(hand), Hand(hand)])) as work:
        first = asyncio.get_running_loop().create_task(first_of(work))
        for _ in range(200):
            await asyncio.sleep(0)
        ahead = len(begun)
        slow.set()
        await first

    assert ahead == 2 * AHEAD_PER_HAND


@pytest.mark.parametrize(("count", "most"), [(6, 2), (2, 1)])
async def test_a_hand_holds_a_second_item_while_others_are_left(count: int, most: int) -> None:
    """Else it would wait between two items; the last ones go to whoever is free first."""
    held: dict[str, int] = {"here": 0, "there": 0}
    most_held = dict(held)

    def hand(name: str, holds: int) -> Hand[int, int]:
        async def work(item: int) -> int:
            held[name] += 1
            most_held[name] = max(most_held[name], held[name])
            await asyncio.sleep(0)
            held[name] -= 1
            return item

        return Hand(work, holds=holds)

    hands = [hand("here", 1), hand("there", 2)]
    told = [number async for number, _ in in_order(range(count), hands)]

    assert told == list(range(count))
    assert most_held == {"here": 1, "there": most}


async def test_the_hands_go_on_once_the_slowest_item_has_come() -> None:
    """All hands stood still then: what they were ahead was told, and nobody began the rest."""
    done, all_are_ahead = [], asyncio.Event()

    async def hand(item: int) -> int:
        if item == 0:
            await all_are_ahead.wait()
        done.append(item)
        if len(done) == 2 * AHEAD_PER_HAND - 1:
            all_are_ahead.set()
        return item

    async with asyncio.timeout(5):
        told = [number async for number, _ in in_order(range(100), [Hand(hand), Hand(hand)])]

    assert told == list(range(100))
    assert done[2 * AHEAD_PER_HAND - 1] == 0


async def test_a_stop_gives_up_what_is_under_way_and_begins_nothing() -> None:
    begun, given_up, stop = [], [], asyncio.Event()

    async def hand(item: int) -> int:
        begun.append(item)
        if item == 1:
            stop.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up.append(item)
                raise
        return item

    told = [answer async for answer in in_order(range(5), [Hand(hand)], stop)]

    assert told == [(0, 0)]
    assert begun == [0, 1]
    assert given_up == [1]


async def test_what_a_hand_raises_ends_the_work_of_all() -> None:
    given_up = []

    async def hand(item: int) -> int:
        if item == 1:
            raise ValueError("broken")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up.append(item)
            raise
        return item

    with pytest.raises(ValueError, match="broken"):
        _ = [answer async for answer in in_order(range(2), [Hand(hand), Hand(hand)])]

    assert given_up == [0]
