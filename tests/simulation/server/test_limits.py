"""Request weight and socket pace are counted as Binance counts them, in machine time."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.simulation.server.limits import (
    BAN_S_FIRST,
    REFUSALS_BEFORE_BAN,
    Admitted,
    Banned,
    MessagePace,
    Refused,
    WeightBudget,
)


def test_weight_adds_up_within_a_minute_and_starts_anew_in_the_next() -> None:
    budget = WeightBudget()

    used = [budget.charge(20, at_s) for at_s in (0.0, 59.9, 60.0)]

    assert used == [Admitted(20), Admitted(40), Admitted(20)]


def test_past_the_limit_a_client_is_told_how_long_the_minute_lasts() -> None:
    budget = WeightBudget(weight_max=100)
    budget.charge(100, 5.0)

    assert budget.charge(1, 17.5) == Refused(101, retry_after_s=43)


def test_a_client_that_ignores_refusals_is_banned_and_each_ban_is_longer() -> None:
    budget = WeightBudget(weight_max=1)

    def provoke(at_s: float) -> Banned:
        verdicts = [budget.charge(1, at_s) for _ in range(REFUSALS_BEFORE_BAN + 2)]
        assert isinstance(verdicts[-2], Refused)
        assert isinstance(verdicts[-1], Banned)
        return verdicts[-1]

    first = provoke(0.0)
    during = budget.charge(1, 119.5)
    second = provoke(120.0)

    assert first.retry_after_s == BAN_S_FIRST
    assert during == Banned(used=0, retry_after_s=1)
    assert second.retry_after_s == 2 * BAN_S_FIRST


@given(st.lists(st.integers(1, 300), max_size=60))
def test_no_minute_admits_more_than_its_limit(weights: list[int]) -> None:
    budget = WeightBudget(weight_max=1000)

    verdicts = [budget.charge(weight, 1.0) for weight in weights]

    admitted = zip(verdicts, weights, strict=True)
    assert sum(weight for verdict, weight in admitted if isinstance(verdict, Admitted)) <= 1000


def test_the_sixth_message_within_a_second_is_too_fast() -> None:
    pace = MessagePace()

    assert [pace.too_fast(at_s) for at_s in (0.0, 0.1, 0.2, 0.3, 0.4, 0.99)] == [False] * 5 + [True]
    assert not pace.too_fast(1.2)
