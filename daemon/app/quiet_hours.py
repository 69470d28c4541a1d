"""When people want to be left alone, by the clock on their wall."""

from collections.abc import Callable
from datetime import datetime, time, timedelta, tzinfo

from daemon.ports import Clock

ALWAYS_LOUD: Callable[[], float] = lambda: 0.0  # noqa: E731 - a value, not a function of its own


class QuietHours:
    """Says how long it is still quiet. `span` is two times of day, as in "22:00-07:00".

    `clock` is the world's, also in the sandbox: people sleep by that one.
    """

    def __init__(self, span: str, zone: tzinfo, clock: Clock) -> None:
        start, _, end = span.partition("-")
        self._start, self._end = time.fromisoformat(start), time.fromisoformat(end)
        self._zone = zone
        self._clock = clock

    def wait_s(self) -> float:
        """Return the seconds until the quiet hours end, 0 outside them."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, self._zone)
        at = now.time()
        is_over_midnight = self._start > self._end
        is_quiet = (
            at >= self._start or at < self._end
            if is_over_midnight
            else self._start <= at < self._end
        )
        if not is_quiet:
            return 0.0
        end = datetime.combine(now.date(), self._end, self._zone)
        if at >= self._end:
            end = datetime.combine(now.date() + timedelta(days=1), self._end, self._zone)
        # Through UTC, so that the night in which clocks change is as long as it is.
        return max(end.timestamp() - now.timestamp(), 1.0)
