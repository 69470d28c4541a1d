"""What a backtest is about, and whether it can be run at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from daemon.core.candles import MINUTE_MS
from daemon.core.collector import NEWEST_MAX
from daemon.core.errors import RejectedError
from daemon.core.frame import Frame
from daemon.core.risk import RiskProfile
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.research.columns import Minutes, moment_text
from daemon.research.containment import Limits


class BacktestError(RejectedError, ValueError):
    """A backtest cannot run as it was asked for; the text is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One (symbol, strategy): `make` makes its strategy anew for each pass over the history."""

    key: Key
    make: Callable[[], Strategy]
    minutes: Minutes
    risk_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a backtest is about: its jobs run in one order of time and share the risk profiles.

    Of the signals that ended, each job's statistics list the newest `signals_max`; their figures
    cover all. Raises BacktestError for what cannot be run.
    """

    jobs: tuple[Job, ...]
    frame: Frame
    rules: Rules = field(default_factory=Rules)
    profiles: tuple[RiskProfile, ...] = ()
    limits: Limits = field(default_factory=Limits)
    signals_max: int = NEWEST_MAX

    def __post_init__(self) -> None:
        fault = next(_faults(self), None)
        if fault is not None:
            raise BacktestError(fault)


def _faults(plan: Plan) -> Iterator[str]:
    frame = plan.frame
    if not plan.jobs:
        yield "there is nothing to run: name a symbol and a strategy"
    if frame.start_ms % MINUTE_MS:
        yield f"frame {frame.frame_name!r}: start_ms {frame.start_ms} is not the turn of a minute"
    keys = [job.key for job in plan.jobs]
    for key in sorted({str(key) for key in keys if keys.count(key) > 1}):
        yield f"{key} is named twice"
    known = {profile.risk_name for profile in plan.profiles}
    for job in plan.jobs:
        for name in job.risk_names:
            if name not in known:
                yield f"{job.key}: there is no risk profile {name!r}"
        if not _is_within(frame, job.minutes):
            yield (
                f"frame {frame.frame_name!r} ({moment_text(frame.start_ms)} to "
                f"{moment_text(frame.end_ms)}) lies outside the candles of {job.key.symbol}, which "
                f"reach from {moment_text(job.minutes.start_ms)} to "
                f"{moment_text(job.minutes.end_ms)}"
            )


def _is_within(frame: Frame, minutes: Minutes) -> bool:
    return minutes.start_ms <= frame.start_ms and frame.end_ms <= minutes.end_ms
