"""What all runners of a daemon share."""

from dataclasses import dataclass

from daemon.live.asking import Patience
from daemon.live.containment import Containment
from daemon.live.fanout import Fanout
from daemon.live.hang_guard import HangGuard
from daemon.live.health import Health
from daemon.live.timings import Timings
from daemon.live.troubles import Troubles
from daemon.ports import Clock, Meter

TICK_SLACK = 0.05
"""By which part of the interval a tick may come sooner where prices come no faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a task ticks, in seconds of machine time."""

    tick_interval_s: float = 1.0
    tick_quiet_s: float = 5.0

    def next_tick_s(self, now_s: float, prices_heard: int) -> float:
        """Return how soon a task may tick again that ticks at `now_s`, after so many prices.

        An interval later; where no more than one price came since the last tick, a little less.
        Prices that come once an interval are then each judged as they come: without it every tick
        would wait for what is left of the interval, and a thousand tasks that wait wake the
        process a thousand times.
        """
        slack = TICK_SLACK if prices_heard <= 1 else 0.0
        return now_s + self.tick_interval_s * (1.0 - slack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The hands that every runner works with."""

    clock: Clock
    containment: Containment
    fanout: Fanout
    health: Health
    timings: Timings
    troubles: Troubles
    hang_guard: HangGuard
    meter: Meter
    pace: Pace
    patience: Patience
