"""Market time in the sandbox: faster than the machine's, or a virtual loop's own."""

import asyncio
from collections.abc import Callable
from math import isfinite

ROUNDING_MS = 1e-3


class SandboxClock:
    """Market time that starts at `anchor_ms` and runs at `speed` times the machine's.

    `machine_s` returns machine seconds that never step back (a loop's `time`). Raises ValueError
    if `speed` is not finite and positive.
    """

    def __init__(self, anchor_ms: int, speed: float, machine_s: Callable[[], float]) -> None:
        if not (isfinite(speed) and speed > 0):
            raise ValueError(f"the sandbox's speed must be positive, not {speed!r}")
        self._anchor_ms = anchor_ms
        self._speed = speed
        self._machine_s = machine_s
        self._begun_s = machine_s()

    @property
    def speed(self) -> float:
        """Market seconds per machine second."""
        return self._speed

    @property
    def started_ms(self) -> int:
        """The market time at which this clock began."""
        return self._anchor_ms

    def now_ms(self) -> int:
        """Return the market time, UTC epoch ms."""
        passed_s = self._machine_s() - self._begun_s
        # A timer set for a minute's turn must not wake up a rounding error before it.
        return self._anchor_ms + int(passed_s * self._speed * 1000.0 + ROUNDING_MS)


class VirtualClock(SandboxClock):
    """Market time that follows a loop's time, one to one unless told otherwise.

    On a virtual loop an hour passes as soon as everybody sleeps through it.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, anchor_ms: int = 0, speed: float = 1.0
    ) -> None:
        super().__init__(anchor_ms, speed, loop.time)
