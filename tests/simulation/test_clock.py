"""Market time: anchored, sped up, and never a moment early."""

import asyncio
import math

import pytest

from daemon.simulation.clock import SandboxClock, VirtualClock
from daemon.simulation.loop import run_virtual

ANCHOR_MS = 1_700_000_000_000


class Machine:
    """Machine seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 500.0

    def __call__(self) -> float:
        return self.now_s


def test_market_time_starts_at_the_anchor_and_runs_at_its_speed() -> None:
    machine = Machine()
    clock = SandboxClock(ANCHOR_MS, 60.0, machine)

    assert clock.now_ms() == ANCHOR_MS
    machine.now_s += 1.5
    assert clock.now_ms() == ANCHOR_MS + 90_000
    assert clock.speed == 60.0
    assert clock.started_ms == ANCHOR_MS


def test_a_timer_for_a_minute_s_turn_does_not_see_the_minute_before() -> None:
    machine = Machine()
    machine.now_s = 0.0
    clock = SandboxClock(ANCHOR_MS, 1.0, machine)

    machine.now_s = 59.999_999_999_9

    assert clock.now_ms() == ANCHOR_MS + 60_000


@pytest.mark.parametrize("speed", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be positive"):
        SandboxClock(ANCHOR_MS, speed, Machine())


def test_a_virtual_clock_follows_its_loop() -> None:
    async def main() -> list[int]:
        clock = VirtualClock(asyncio.get_running_loop(), ANCHOR_MS)
        seen = [clock.now_ms()]
        await asyncio.sleep(3600)
        return [*seen, clock.now_ms()]

    assert run_virtual(main()) == [ANCHOR_MS, ANCHOR_MS + 3_600_000]
