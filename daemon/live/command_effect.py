"""Doing what a person commands of one task, whether it runs at the moment or not.

A pause and a stop are marks on disk, which hold whatever the task is doing: no strategy that
thinks for minutes and no exchange that is away delays them. Only what changes a signal goes
through the task, between two of its ticks.
"""

from dataclasses import dataclass
from typing import assert_never

from daemon.core.commands import CommandName
from daemon.core.errors import RejectedError
from daemon.core.states import Scheduled
from daemon.core.trader import Advance
from daemon.live.keeper import Keeper
from daemon.live.status import Slot
from daemon.live.task_commands import SignalCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEffect:
    """What came of a command: whether it changed anything, and what became of the signal."""

    is_news: bool
    after: Advance | None = None


async def apply_command(
    slot: Slot, keeper: Keeper, name: CommandName, signal_id: str = ""
) -> CommandEffect:
    """Do it and return when it is on disk. Raises RejectedError where it cannot be done now."""
    match name:
        case "pause" | "resume":
            is_news = await keeper.mark(is_paused=name == "pause")
        case "start":
            is_news = await keeper.mark(is_stopped=False)
        case "stop":
            is_news = await keeper.mark(is_stopped=True)
            if is_news and isinstance(keeper.held.state, Scheduled) and _runs(slot):
                return CommandEffect(is_news=True, after=await _pass_on(slot, name, signal_id))
        case "cancel" | "close":
            after = await _pass_on(slot, name, signal_id)
            return CommandEffect(is_news=after is not None, after=after)
        case _:
            assert_never(name)
    if slot.runner is not None:
        slot.runner.nudge()
    return CommandEffect(is_news=is_news)


async def _pass_on(slot: Slot, name: SignalCommand, signal_id: str) -> Advance | None:
    runner = slot.runner
    if runner is None or not _runs(slot):
        why = slot.reason or slot.condition.replace("_", " ")
        raise RejectedError(f"{slot.key} does not run now ({why}): it can {name} nothing")
    return await runner.command(name, signal_id)


def _runs(slot: Slot) -> bool:
    return slot.runner is not None and slot.runner.is_running
