"""What a person may want of one task, and how the task answers."""

from asyncio import Future
from dataclasses import dataclass
from typing import Literal

from daemon.core.errors import RejectedError
from daemon.core.states import Active, Scheduled
from daemon.core.trader import Advance

SignalWish = Literal["stop", "cancel", "close"]
"""What a person may want of the signal of a task: `stop` drops what waits, as `cancel` does."""
TaskWish = Literal["pause", "resume", "stop", "start"]
"""What a person may want of the task itself."""
Wish = TaskWish | SignalWish


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A wish in line; `signal_id` is the only signal that it is about, "" for whichever is there.

    `done` tells what came of the signal, None where there was nothing to do.
    """

    wish: SignalWish
    signal_id: str
    done: Future[Advance | None]

    def means(self, state: Scheduled | Active) -> bool:
        """Say whether the wish is about the signal of `state`."""
        return self.signal_id in ("", state.signal.id)

    def grant(self, after: Advance | None) -> None:
        """Answer, unless nobody waits any more."""
        if not self.done.done():
            self.done.set_result(after)

    def refuse(self, reason: str) -> None:
        """Answer that it cannot be, unless it was answered."""
        if not self.done.done():
            self.done.set_exception(RejectedError(reason))
