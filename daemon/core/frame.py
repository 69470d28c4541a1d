"""Frames: the stretch of history that a backtest runs over, and the moments at which it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from daemon.core.candles import DAY_MS, INTERVAL_MS
from daemon.core.errors import RejectedError
from daemon.core.guard import Raised, call_foreign

FRAME_INTERVAL_MS: Mapping[str, int] = MappingProxyType({**INTERVAL_MS, "3d": 3 * DAY_MS})
"""Every interval of a frame and its length in ms."""

OnTimeframe = Callable[[range, int, int, str], object]


class FrameError(RejectedError, ValueError):
    """The frame makes no sense; the text names the field, its value and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A stretch of history: from `start_ms` to `end_ms` (UTC epoch ms), both inclusive.

    `on_timeframe(moments, start_ms, end_ms, interval)` is the author's callback. Raises FrameError
    for a frame without a name, with an unknown interval, or that ends before it starts.
    """

    frame_name: str
    interval: str
    start_ms: int
    end_ms: int
    note: str = ""
    on_timeframe: OnTimeframe | None = None

    def __post_init__(self) -> None:
        faults = [*_faults(self)]
        if faults:
            raise FrameError(f"frame {self.frame_name!r}: {'; '.join(faults)}")

    @property
    def interval_ms(self) -> int:
        """Return how far apart the moments are, in ms."""
        return FRAME_INTERVAL_MS[self.interval]


def timeframe(frame: Frame) -> range:
    """Return the moments of `frame` in UTC epoch ms: from its start, by its interval, to its end.

    The end is among them when the interval meets it. However long the frame, this takes no memory.
    """
    return range(frame.start_ms, frame.end_ms + 1, frame.interval_ms)


def call_on_timeframe(frame: Frame) -> Raised | None:
    """Call the author's `on_timeframe`, if there is one, and return what it raised, if it did."""
    if frame.on_timeframe is None:
        return None
    answer = call_foreign(
        frame.on_timeframe, timeframe(frame), frame.start_ms, frame.end_ms, frame.interval
    )
    return answer if isinstance(answer, Raised) else None


def _faults(frame: Frame) -> list[str]:
    faults = [] if frame.frame_name else ["frame_name is empty"]
    if frame.interval not in FRAME_INTERVAL_MS:
        known = ", ".join(FRAME_INTERVAL_MS)
        faults.append(f"unknown interval {frame.interval!r}: use one of {known}")
    times = {"start_ms": frame.start_ms, "end_ms": frame.end_ms}
    bad = {name: value for name, value in times.items() if type(value) is not int or value < 0}
    faults += [
        f"{name} must be a whole number of ms since 1970, not {value!r}"
        for name, value in bad.items()
    ]
    if not bad and frame.end_ms < frame.start_ms:
        faults.append(f"end_ms {frame.end_ms} is before start_ms {frame.start_ms}")
    return faults
