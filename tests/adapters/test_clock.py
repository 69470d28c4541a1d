"""The machine's clocks: market time goes on evenly, whatever is done to the wall clock."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.clock import MachineClocks, SteadyClock, WallClock, passed_s, wall_ms

START_MS = 1_767_225_600_000
DAY_S = 86_400.0


@dataclass
class Machine:
    """A machine whose three clocks a test moves."""

    wall_ms: int = START_MS
    passed_s: float = 1_000.0
    running_s: float = 500.0

    def clocks(self) -> MachineClocks:
        return MachineClocks(
            wall_ms=lambda: self.wall_ms,
            passed_s=lambda: self.passed_s,
            running_s=lambda: self.running_s,
        )

    def run(self, seconds: float) -> None:
        self.passed_s += seconds
        self.running_s += seconds
        self.wall_ms += round(seconds * 1000)

    def sleep(self, seconds: float) -> None:
        """Be suspended: only the clock of what has passed goes on, and the wall clock."""
        self.passed_s += seconds
        self.wall_ms += round(seconds * 1000)

    def set_wall(self, seconds: float) -> None:
        self.wall_ms += round(seconds * 1000)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.floats(0, 1e5)),
            st.tuples(st.just("sleep"), st.floats(0, 1e5)),
            st.tuples(st.just("set_wall"), st.floats(-1e8, 1e8)),
        )
    )
)
def test_t1_t2_market_time_is_what_has_passed_whatever_is_done_to_the_wall_clock(
    days: list[tuple[str, float]],
) -> None:
    machine = Machine()
    clock = SteadyClock(machine.clocks())

    for what, seconds in days:
        before_ms, begun_s = clock.now_ms(), machine.passed_s
        getattr(machine, what)(seconds)
        assert clock.now_ms() - before_ms == pytest.approx(
            1000 * (machine.passed_s - begun_s), abs=1.5
        )


@pytest.mark.parametrize("seconds", [-DAY_S, -3600.0, -1.0, 1.0, 3600.0, DAY_S, 74 * 365 * DAY_S])
def test_t1_t2_a_step_of_the_wall_clock_is_noticed_once_and_moves_nothing(seconds: float) -> None:
    machine = Machine()
    clock = SteadyClock(machine.clocks())
    machine.run(1.0)
    before_ms = clock.now_ms()

    machine.set_wall(seconds)

    assert clock.now_ms() == before_ms
    assert clock.disturbance() == f"the wall clock was set by {seconds:+.1f} s"
    machine.run(1.0)
    assert clock.disturbance() == ""


def test_t3_slewing_is_no_step() -> None:
    machine = Machine()
    clock = SteadyClock(machine.clocks())

    for _ in range(1000):
        machine.run(1.0)
        machine.set_wall(0.0005)
        assert clock.disturbance() == ""


def test_t4_a_sleep_is_noticed_and_has_passed() -> None:
    machine = Machine()
    clock = SteadyClock(machine.clocks())

    machine.sleep(8 * 3600.0)

    assert clock.now_ms() == START_MS + 8 * 3_600_000
    assert clock.disturbance() == "the machine slept for 28800.0 s"
    assert clock.disturbance() == ""


def test_t4_a_sleep_that_only_the_wall_clock_saw_is_noticed_as_its_step() -> None:
    """So it looks where no clock goes on while a machine is suspended, or a virtual one paused."""
    machine = Machine()
    clock = SteadyClock(machine.clocks())

    machine.set_wall(8 * 3600.0)
    assert clock.now_ms() == START_MS
    assert clock.disturbance() == "the wall clock was set by +28800.0 s"

    clock.correct(8 * 3_600_000)
    assert clock.now_ms() == START_MS + 8 * 3_600_000
    assert clock.disturbance() == ""


def test_a_pause_between_the_readings_is_not_taken_for_a_step() -> None:
    machine = Machine()
    pauses = [0.0, 0.0, 2.0]

    def slow_wall_ms() -> int:
        machine.run(pauses.pop() if pauses else 0.0)
        return machine.wall_ms

    clock = SteadyClock(
        MachineClocks(
            wall_ms=slow_wall_ms,
            passed_s=lambda: machine.passed_s,
            running_s=lambda: machine.running_s,
        )
    )
    machine.run(1.0)
    pauses[:] = [2.0]

    assert clock.disturbance() == ""


def test_the_machine_itself_is_steady_here() -> None:
    clock, wall = SteadyClock(), WallClock()

    assert abs(clock.now_ms() - wall.now_ms()) < 1_000
    assert abs(wall_ms() - wall.now_ms()) < 1_000
    assert clock.disturbance() == ""
    assert passed_s() <= passed_s()


WORK = """
from daemon.adapters.sinks.structured_log.setup import configure_logging
from daemon.simulation.loop import run_virtual
from daemon.simulation.replay import parse_candles
from tests.live.scene import the_shipped_scene

print(parse_candles("timestamp,open,high,low,close,volume\\n2026-03-29T02:30:00,1,1,1,1,1\\n"))
scene = the_shipped_scene()
run_virtual(scene.run(600))
for event in scene.journaled:
    print(event)
logging = configure_logging("json")
logging.log.info("started")
logging.close()
"""
"""A candle file with a local-looking hour that daylight saving skips, ten minutes, a log line."""


def test_t5_the_local_time_zone_changes_nothing() -> None:
    """Candles, signals, ids and log lines are the same in Kathmandu and nowhere at all."""
    begun_ms = wall_ms()
    working = [
        subprocess.Popen(
            [sys.executable, "-c", WORK],
            env={**os.environ, "TZ": zone},
            stdout=subprocess.PIPE,
            text=True,
        )
        for zone in ("UTC", "Asia/Kathmandu", "Europe/Berlin", "No/Such+Zone\x07")
    ]
    told = [process.communicate(timeout=60)[0].splitlines() for process in working]

    assert len({tuple(lines[:-1]) for lines in told}) == 1
    assert "timestamp=1774751400000" in told[0][0]
    assert any("opened" in line for line in told[0])
    for lines in told:
        logged = datetime.fromisoformat(json.loads(lines[-1])["timestamp"])
        assert begun_ms - 1 <= logged.timestamp() * 1000 <= wall_ms() + 1
