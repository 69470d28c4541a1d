"""The machine's wall clock, read in this one place."""

import time


def wall_ms() -> int:
    """Return the wall clock's time, UTC epoch ms. It may jump: decide nothing by it."""
    return time.time_ns() // 1_000_000


class WallClock:
    """The wall clock as it is, for what is compared with other people's clocks."""

    speed = 1.0

    def now_ms(self) -> int:
        return wall_ms()
