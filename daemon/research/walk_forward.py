"""Where a search looks and where it is judged: train ranges, and test ranges behind them.

Between the two lies a purge: what was opened in the train range has ended before the test range
begins, so that no trial has seen a minute that it is judged on.
"""

from dataclasses import dataclass

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.errors import RejectedError
from daemon.core.rules import Rules
from daemon.core.search import SearchWindow


class WindowError(RejectedError, ValueError):
    """The ranges make no sense; the text is one line that says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkForward:
    """Windows of `train_days` and `test_days`, each a test range later than the one before.

    Anchored, all train ranges begin with the first and grow. `purge_minutes` lie between train and
    test: the longest that a signal may wait and last, if left out.
    """

    train_days: float
    test_days: float
    anchored: bool = False
    purge_minutes: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("train_days", self.train_days), ("test_days", self.test_days)):
            if not value > 0:
                raise WindowError(f"{name} must be above 0, not {value}")
        if self.purge_minutes is not None and self.purge_minutes < 0:
            raise WindowError(f"purge_minutes must not be negative: {self.purge_minutes}")


def purge_ms_of(rules: Rules, purge_minutes: int | None = None) -> int:
    """Return how long after the train range a signal that was made in it may still matter."""
    longest = rules.schedule_await_minutes + rules.max_signal_lifetime_minutes
    return (longest if purge_minutes is None else purge_minutes) * MINUTE_MS


def windows_of(
    start_ms: int, end_ms: int, scheme: WalkForward, rules: Rules
) -> tuple[SearchWindow, ...]:
    """Return all whole windows from `start_ms` to `end_ms`, both inclusive. Raises WindowError."""
    train_ms, test_ms = _whole(scheme.train_days), _whole(scheme.test_days)
    purge_ms = purge_ms_of(rules, scheme.purge_minutes)
    count = (end_ms + MINUTE_MS - start_ms - train_ms - purge_ms) // test_ms
    if count < 1:
        needed = (train_ms + purge_ms + test_ms) / DAY_MS
        there = (end_ms + MINUTE_MS - start_ms) / DAY_MS
        raise WindowError(
            f"one window takes {needed:.4g} days (train, purge and test), the frame has {there:.4g}"
        )
    windows = []
    for number in range(count):
        shift = number * test_ms
        train_end = start_ms + shift + train_ms
        windows.append(
            SearchWindow(
                number=number,
                train_start_ms=start_ms if scheme.anchored else start_ms + shift,
                train_end_ms=train_end - MINUTE_MS,
                test_start_ms=train_end + purge_ms,
                test_end_ms=train_end + purge_ms + test_ms - MINUTE_MS,
            )
        )
    return tuple(windows)


def split(start_ms: int, end_ms: int, train_share: float, rules: Rules) -> SearchWindow:
    """Return one window: `train_share` (0..1) of the frame to search on, the rest to judge on.

    Raises WindowError where the purge leaves nothing to judge on.
    """
    train_end = start_ms + int((end_ms - start_ms) * train_share) // MINUTE_MS * MINUTE_MS
    purge_ms = purge_ms_of(rules)
    test_start = train_end + MINUTE_MS + purge_ms
    if not start_ms < train_end < test_start < end_ms:
        raise WindowError(
            f"the frame is too short to be split: {(end_ms - start_ms) / DAY_MS:.4g} days, of which"
            f" {purge_ms / DAY_MS:.4g} lie between train and test: it takes more than"
            f" {(purge_ms + MINUTE_MS) / (1 - train_share) / DAY_MS:.4g}"
        )
    return SearchWindow(
        number=0,
        train_start_ms=start_ms,
        train_end_ms=train_end,
        test_start_ms=test_start,
        test_end_ms=end_ms,
    )


def _whole(days: float) -> int:
    return max(1, round(days * DAY_MS / MINUTE_MS)) * MINUTE_MS
