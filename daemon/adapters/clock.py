"""The machine's clocks, read in this one place.

The wall clock may be set by a person, by NTP or by a virtual machine that wakes up. Market time
takes it once, as a beginning, and then follows a clock that nobody can set.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

STEP_S_MIN = 0.5
"""A wall clock that moves so much against the steady one was set; NTP's slewing is a thousandth."""

SLEEP_S_MIN = 0.5
READING_S_MAX = 0.05
READINGS_MAX = 5


def wall_ms() -> int:
    """Return the wall clock's time, UTC epoch ms. It may jump: decide nothing by it."""
    return time.time_ns() // 1_000_000


def passed_s() -> float:
    """Return seconds that never step back, and that go on while the machine is suspended.

    Where the system has no such clock they stand still then, as those of the event loop do.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class WallClock:
    """The wall clock as it is, for what is compared with other people's clocks."""

    speed = 1.0

    def now_ms(self) -> int:
        return wall_ms()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineClocks:
    """The three clocks of a machine. `running_s` stands still while it is suspended."""

    wall_ms: Callable[[], int] = wall_ms
    passed_s: Callable[[], float] = passed_s
    running_s: Callable[[], float] = time.monotonic


class Reading(NamedTuple):
    """What the three clocks showed at one moment."""

    wall_ms: int
    passed_s: float
    running_s: float


class SteadyClock:
    """Market time of a real exchange: it begins at the wall clock's and never follows a step."""

    speed = 1.0

    def __init__(self, clocks: MachineClocks = MachineClocks()) -> None:  # frozen, one for all
        self._clocks = clocks
        self._last = self._read()
        self._passed_s = clocks.passed_s
        self._begun_s = self._last.passed_s
        self._begun_ms = self._last.wall_ms

    def now_ms(self) -> int:
        return self._begun_ms + int((self._passed_s() - self._begun_s) * 1000.0)

    def correct(self, by_ms: int) -> None:
        """Put the market time forward, or back where `by_ms` is negative."""
        self._begun_ms += by_ms

    def disturbance(self) -> str:
        """Return in words what happened to the machine's time since the last call, or ""."""
        last, now = self._last, self._read()
        self._last = now
        between_s = now.passed_s - last.passed_s
        slept_s = between_s - (now.running_s - last.running_s)
        set_s = (now.wall_ms - last.wall_ms) / 1000.0 - between_s
        told = []
        if slept_s >= SLEEP_S_MIN:
            told.append(f"the machine slept for {slept_s:.1f} s")
        if abs(set_s) >= STEP_S_MIN:
            told.append(f"the wall clock was set by {set_s:+.1f} s")
        return " and ".join(told)

    def _read(self) -> Reading:
        """Read all clocks as of one moment: a pause between two of them would look like a step."""
        clocks = self._clocks
        tries = 0
        while True:
            tries += 1
            before_s = clocks.passed_s()
            reading = Reading(clocks.wall_ms(), before_s, clocks.running_s())
            is_one_moment = clocks.passed_s() - before_s < READING_S_MAX
            if is_one_moment or tries == READINGS_MAX:
                return reading
