"""The memory of strategies that took the daemon down with them, start after start.

A loop that hangs is ended by the service manager's watchdog, and so is code in C that never lets
go. What would hang the next start, too, begins switched off once it did so often enough.
"""

from contextlib import suppress
from typing import Protocol

from daemon.core.errors import FatalError, TransientError
from daemon.core.hangs import HangCounts, counts_after_answer, find_hang
from daemon.core.signal import Key


class CallMarks(Protocol):
    """Notes whose code runs, where the next start finds it. Must cost next to nothing."""

    def enter(self, holder: str) -> None:
        """Note that the code of `holder` has the event loop."""
        ...

    def leave(self) -> None:
        """Note that nobody's code has it any more."""
        ...

    def think(self, holder: str) -> int:
        """Note that the code of `holder` runs in a thread; return what `thought` wants back."""
        ...

    def thought(self, mark: int) -> None:
        """Note that it has come back, or is waited for no more."""
        ...

    def beat(self) -> None:
        """Note that the event loop moves."""
        ...


class HangMemory(CallMarks, Protocol):
    """Marks, and what an earlier start's marks have come to. `counts` is what is on disk."""

    counts: HangCounts

    async def save(self, counts: HangCounts) -> None:
        """Keep `counts`. Raises TransientError."""
        ...


class NoMemory:
    """Notes nothing: for worlds that end with their process."""

    def __init__(self) -> None:
        self.counts: HangCounts = {}

    def enter(self, holder: str) -> None: ...

    def leave(self) -> None: ...

    def think(self, holder: str) -> int:
        del holder
        return 0

    def thought(self, mark: int) -> None: ...

    def beat(self) -> None: ...

    async def save(self, counts: HangCounts) -> None:
        self.counts = counts


class HangGuard:
    """Says which strategies are not to be made. `hangs_max` ends in a row are one too many."""

    def __init__(self, memory: HangMemory, hangs_max: int) -> None:
        self._memory = memory
        self._hangs_max = hangs_max
        self._counts = memory.counts
        self._refused: set[Key] = set()

    def find_fault(self, key: Key) -> str:
        """Say why the strategy of `key` must not be made, "" if it may."""
        fault = find_hang(self._counts, key, self._hangs_max)
        if fault:
            self._refused.add(key)
        return fault

    def is_refused(self, key: Key) -> bool:
        """Say whether `key` was refused, and nobody has wanted it back since."""
        return key in self._refused

    async def forget(self, key: Key) -> None:
        """Let `key` be made again: it has answered, or a person wants it."""
        self._refused.discard(key)
        self._counts = counts_after_answer(self._counts, key)
        if len(self._counts) < len(self._memory.counts):
            # If the disk refuses it is tried again after the next answer.
            with suppress(TransientError, FatalError):
                await self._memory.save(self._counts)
