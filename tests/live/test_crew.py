"""How soon a task may tick again."""

from daemon.live.crew import TICK_SLACK, Pace

PACE = Pace(tick_interval_s=2.0)


def test_where_prices_come_faster_than_ticks_an_interval_lies_between_two() -> None:
    assert PACE.next_tick_s(10.0, prices_heard=2) == 12.0


def test_a_price_that_comes_a_little_early_need_not_wait() -> None:
    for prices_heard in (0, 1):
        assert PACE.next_tick_s(10.0, prices_heard) == 12.0 - 2.0 * TICK_SLACK


def test_ticks_come_into_step_with_prices_that_come_once_an_interval() -> None:
    prices_s = [0.7 + 2.0 * number for number in range(100)]
    soonest_s = PACE.next_tick_s(0.0, prices_heard=1)
    waits_s = []
    for price_s in prices_s:
        tick_s = max(price_s, soonest_s)
        waits_s.append(tick_s - price_s)
        soonest_s = PACE.next_tick_s(tick_s, prices_heard=1)

    assert waits_s[0] > 1.0
    assert waits_s[-1] == 0.0
