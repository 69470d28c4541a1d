"""Doing what a person wants of one task, whether it runs at the moment or not.

A pause and a stop are marks on disk, which hold whatever the task is doing: no strategy that
thinks for minutes and no exchange that is away delays them. Only what changes a signal goes
through the task, between two of its ticks.
"""

from dataclasses import dataclass
from typing import assert_never

from daemon.core.errors import RejectedError
from daemon.core.states import Scheduled
from daemon.core.trader import Advance
from daemon.live.keeper import Keeper
from daemon.live.status import Slot
from daemon.live.wishes import SignalWish, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What came of a wish: whether it changed anything, and what became of the signal."""

    is_news: bool
    after: Advance | None = None


async def grant(slot: Slot, keeper: Keeper, wish: Wish, signal_id: str = "") -> Granted:
    """Do it and return when it is on disk. Raises RejectedError where it cannot be done now."""
    match wish:
        case "pause" | "resume":
            is_news = await keeper.mark(is_paused=wish == "pause")
        case "start":
            is_news = await keeper.mark(is_stopped=False)
        case "stop":
            is_news = await keeper.mark(is_stopped=True)
            if is_news and isinstance(keeper.held.state, Scheduled) and _runs(slot):
                return Granted(is_news=True, after=await _order(slot, wish, signal_id))
        case "cancel" | "close":
            after = await _order(slot, wish, signal_id)
            return Granted(is_news=after is not None, after=after)
        case _:
            assert_never(wish)
    if slot.runner is not None:
        slot.runner.nudge()
    return Granted(is_news=is_news)


async def _order(slot: Slot, wish: SignalWish, signal_id: str) -> Advance | None:
    runner = slot.runner
    if runner is None or not _runs(slot):
        why = slot.reason or slot.condition.replace("_", " ")
        raise RejectedError(f"{slot.key} does not run now ({why}): it can {wish} nothing")
    return await runner.order(wish, signal_id)


def _runs(slot: Slot) -> bool:
    return slot.runner is not None and slot.runner.is_running
