"""What all runners of a daemon share."""

from dataclasses import dataclass

from daemon.live.asking import Patience
from daemon.live.containment import Containment
from daemon.live.fanout import Fanout
from daemon.live.health import Health
from daemon.live.timings import Timings
from daemon.live.troubles import Troubles
from daemon.ports import Clock, Meter

TICK_SLACK = 0.05
"""By which part of the interval a tick may follow a late one sooner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a task ticks, in seconds of machine time."""

    tick_interval_s: float = 1.0
    tick_quiet_s: float = 5.0

    def next_tick_s(self, soonest_s: float, now_s: float) -> float:
        """Return how soon a task may tick again that ticks at `now_s` and might at `soonest_s`.

        That is an interval after the moment from which it might, unless that lies far away.
        So prices that come once an interval, some a little early, some a little late, each
        make a tick at once; counted from the late ones alone, most would have to wait, and
        every task that waits by itself wakes the process up once more.
        """
        slack_s = self.tick_interval_s * TICK_SLACK
        return min(max(soonest_s, now_s - slack_s), now_s) + self.tick_interval_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The hands that every runner works with."""

    clock: Clock
    containment: Containment
    fanout: Fanout
    health: Health
    timings: Timings
    troubles: Troubles
    meter: Meter
    pace: Pace
    patience: Patience
