"""Profit and loss by equal slices of a frame: few numbers, however long the frame is."""

from daemon.core.events import SignalCancelled, SignalClosed
from daemon.core.frame import Frame


class Slices:
    """Sums up what closed signals brought, by the slice of the frame in which each ended.

    What ends after the frame counts for its last slice.
    """

    def __init__(self, frame: Frame, count: int) -> None:
        self._start_ms = frame.start_ms
        self._length_ms = max(1, frame.end_ms - frame.start_ms)
        self._sums = [0.0] * count

    def add(self, event: SignalClosed | SignalCancelled) -> None:
        """Take `event` into account if it is a closed signal."""
        count = len(self._sums)
        if count and isinstance(event, SignalClosed):
            place = (event.close_timestamp - self._start_ms) * count // self._length_ms
            self._sums[min(max(place, 0), count - 1)] += event.pnl.pnl_percentage

    @property
    def pnl(self) -> tuple[float, ...]:
        """Return the sums in percent points, oldest first."""
        return tuple(self._sums)
