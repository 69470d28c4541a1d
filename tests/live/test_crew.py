"""How soon a task may tick again."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.live.crew import TICK_SLACK, Pace

PACE = Pace(tick_interval_s=1.0)


def next_of(soonest_s: float, now_s: float) -> float:
    return PACE.next_tick_s(soonest_s, now_s)


def test_the_next_tick_is_an_interval_after_the_moment_from_which_this_one_might_be() -> None:
    assert next_of(10.0, 10.0) == 11.0
    assert next_of(10.0, 10.02) == 11.0


def test_a_tick_that_is_long_overdue_pays_nothing_back() -> None:
    assert next_of(0.0, 10.0) == 11.0 - TICK_SLACK


def test_a_tick_out_of_turn_puts_the_next_one_off() -> None:
    assert next_of(10.9, 10.0) == 11.0


@given(st.lists(st.floats(min_value=0.0, max_value=3.0), max_size=50))
def test_ticks_keep_to_one_an_interval_but_for_the_slack_once(waits_s: list[float]) -> None:
    soonest_s, now_s = 0.0, 100.0
    ticks_s = []
    for wait_s in waits_s:
        now_s = max(now_s + wait_s, soonest_s)
        ticks_s.append(now_s)
        soonest_s = next_of(soonest_s, now_s)

    for first, early_s in enumerate(ticks_s):
        for passed, late_s in enumerate(ticks_s[first:]):
            assert late_s - early_s >= passed - TICK_SLACK - 1e-9
