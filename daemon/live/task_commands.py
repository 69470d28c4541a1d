"""Commands about the signal of one task: they wait for the end of its tick, and are answered."""

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from daemon.core.errors import RejectedError
from daemon.core.signal import Key
from daemon.core.states import Active, Scheduled
from daemon.core.trader import Advance
from daemon.core.vwap import NoPriceError

SignalCommand = Literal["stop", "cancel", "close"]
"""The commands that change a signal: `stop` drops what waits, as `cancel` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedCommand:
    """A command in line; `signal_id` is the only signal that it is about, "" for whichever.

    `done` tells what came of the signal, None where there was nothing to do.
    """

    name: SignalCommand
    signal_id: str
    done: Future[Advance | None]

    def means(self, state: Scheduled | Active) -> bool:
        """Say whether the command is about the signal of `state`."""
        return self.signal_id in ("", state.signal.id)

    def answer(self, after: Advance | None) -> None:
        """Say what came of it, unless nobody waits any more."""
        if not self.done.done():
            self.done.set_result(after)

    def refuse(self, reason: str) -> None:
        """Answer that it cannot be, unless it was answered."""
        if not self.done.done():
            self.done.set_exception(RejectedError(reason))


class CommandQueue:
    """The commands that wait for the end of a task's tick. Made on the loop."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._waiting: deque[QueuedCommand] = deque()

    def put(self, name: SignalCommand, signal_id: str) -> Future[Advance | None]:
        """Stand in line; what is returned tells what came of it, or raises RejectedError."""
        done: Future[Advance | None] = get_running_loop().create_future()
        self._waiting.append(QueuedCommand(name=name, signal_id=signal_id, done=done))
        return done

    async def carry_out(self, do: Callable[[QueuedCommand], Awaitable[Advance | None]]) -> None:
        """Have every command done, in order; one that cannot be is refused."""
        while self._waiting:
            command = self._waiting.popleft()
            try:
                command.answer(await do(command))
            except (NoPriceError, RejectedError) as error:
                command.refuse(f"{self._key}: cannot {command.name}: {error}")
            finally:
                command.refuse(f"{self._key} failed before it could {command.name}")

    def close(self) -> None:
        """Refuse what still waits: the task has ended."""
        for command in self._waiting:
            command.refuse(f"{self._key} has ended before it could {command.name}")
