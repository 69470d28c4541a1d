"""What all runners of a daemon share."""

from dataclasses import dataclass

from daemon.live.asking import Patience
from daemon.live.containment import Containment
from daemon.live.fanout import Fanout
from daemon.live.health import Health
from daemon.live.timings import Timings
from daemon.live.troubles import Troubles
from daemon.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a task ticks, in seconds of machine time."""

    tick_interval_s: float = 1.0
    tick_quiet_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The hands that every runner works with."""

    clock: Clock
    containment: Containment
    fanout: Fanout
    health: Health
    timings: Timings
    troubles: Troubles
    pace: Pace
    patience: Patience
