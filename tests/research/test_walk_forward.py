"""Train and test ranges: what is judged on was never seen."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.rules import Rules
from daemon.research.walk_forward import WalkForward, WindowError, purge_ms_of, split, windows_of
from tests.core.samples import T0

RULES = Rules()


@given(
    days=some.floats(0.01, 60),
    train=some.floats(0.01, 20),
    test=some.floats(0.01, 20),
    anchored=some.booleans(),
    purge=some.one_of(some.none(), some.integers(0, 5000)),
)
def test_no_window_is_judged_on_what_it_was_trained_on(
    days: float, train: float, test: float, anchored: bool, purge: int | None
) -> None:
    scheme = WalkForward(train_days=train, test_days=test, anchored=anchored, purge_minutes=purge)
    end_ms = T0 + round(days * 1440) * MINUTE_MS
    try:
        windows = windows_of(T0, end_ms, scheme, RULES)
    except WindowError:
        assert (train + test) * DAY_MS + purge_ms_of(RULES, purge) > days * DAY_MS - 3 * MINUTE_MS
        return

    for number, window in enumerate(windows):
        assert window.number == number
        assert window.test_start_ms is not None
        assert window.test_end_ms is not None
        assert T0 <= window.train_start_ms <= window.train_end_ms
        gap_ms = window.test_start_ms - window.train_end_ms
        assert gap_ms == purge_ms_of(RULES, purge) + MINUTE_MS
        assert window.test_start_ms <= window.test_end_ms <= end_ms
        assert not anchored or window.train_start_ms == T0
        assert window.train_end_ms % MINUTE_MS == T0 % MINUTE_MS
    for before, after in pairwise(windows):
        assert before.test_end_ms is not None
        assert after.test_start_ms == before.test_end_ms + MINUTE_MS


def test_a_split_purges_as_long_as_a_signal_may_last() -> None:
    window = split(T0, T0 + 100 * DAY_MS, 0.7, RULES)

    assert window.train_end_ms == T0 + 70 * DAY_MS
    assert window.test_start_ms == T0 + 70 * DAY_MS + (1440 + 120 + 1) * MINUTE_MS
    short = r"too short to be split: 2 days, of which 1\.083 lie .*: it takes more than 3\.613"
    with pytest.raises(WindowError, match=short):
        split(T0, T0 + 2 * DAY_MS, 0.7, RULES)
    split(T0, T0 + int(3.62 * DAY_MS), 0.7, RULES)


def test_a_scheme_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(WindowError, match="train_days must be above 0, not 0"):
        WalkForward(train_days=0, test_days=1)
    with pytest.raises(WindowError, match="test_days must be above 0, not nan"):
        WalkForward(train_days=1, test_days=float("nan"))
    with pytest.raises(WindowError, match="purge_minutes must not be negative"):
        WalkForward(train_days=1, test_days=1, purge_minutes=-1)
