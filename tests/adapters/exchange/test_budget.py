"""The budget in virtual time: never more than the exchange allows, and silence when it asks."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.adapters.exchange.budget import Lane, WeightBudget, retry_after_s
from daemon.core.errors import RateLimitedError
from daemon.simulation.loop import run_virtual

PER_MINUTE = 100.0
RESERVED = 0.2


def spend(weights: list[float], pauses_s: list[float]) -> list[tuple[float, float]]:
    """Return when (s) each weight of market data was spent, asked for one after another."""

    async def main() -> list[tuple[float, float]]:
        budget = WeightBudget(PER_MINUTE, RESERVED)
        loop = asyncio.get_running_loop()
        spent: list[tuple[float, float]] = []

        async def take(weight: float) -> None:
            await budget.take(weight)
            spent.append((loop.time(), weight))

        async with asyncio.TaskGroup() as group:
            for weight, pause_s in zip(weights, pauses_s, strict=False):
                group.create_task(take(weight))
                await asyncio.sleep(pause_s)
        return spent

    return run_virtual(main())


@settings(max_examples=50)
@given(
    st.lists(st.floats(0.1, 20), min_size=1, max_size=60),
    st.lists(st.floats(0, 20), min_size=60, max_size=60),
)
def test_no_minute_sees_more_than_it_allows_and_all_are_served_in_turn(
    weights: list[float], pauses_s: list[float]
) -> None:
    spent = spend(weights, pauses_s)

    assert len(spent) == len(weights)
    assert all(one[0] <= two[0] for one, two in pairwise(spent))
    for begun_s, _ in spent:
        minute = sum(weight for at_s, weight in spent if begun_s <= at_s < begun_s + 60 - 1e-6)
        assert minute <= PER_MINUTE * (1 - RESERVED) + 1e-6


def test_a_burst_goes_at_once_and_the_rest_at_the_pace_of_the_refill() -> None:
    spent = spend([1.0] * 50, [0.0] * 50)

    at_once = [at_s for at_s, _ in spent if at_s == 0.0]
    assert len(at_once) == 40
    assert spent[-1][0] == pytest.approx(10 / (40 / 60))


def test_orders_do_not_wait_behind_market_data() -> None:
    async def main() -> float:
        budget = WeightBudget(PER_MINUTE, RESERVED)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(budget.take(80.0))
            await asyncio.sleep(0)
            await budget.take(1.0, Lane.ORDERS)
            waited_s = asyncio.get_running_loop().time()
            assert not waiting.done()
        return waited_s

    assert run_virtual(main()) == 0.0


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (418, {"retry-after": "600"}, 600.0),
        (429, {}, 30.0),
        (418, {}, 120.0),
        (429, {"Retry-After": "soon"}, 30.0),
        (429, {"Retry-After": "nan"}, 30.0),
        (429, {"Retry-After": "inf"}, 30.0),
        (429, {"Retry-After": "-5"}, 1.0),
        (429, {"Retry-After": "0"}, 1.0),
        (418, {"Retry-After": "99999999"}, 3 * 86_400.0),
    ],
)
def test_x7_every_lane_stands_still_until_the_time_that_the_exchange_asked_for(
    status: int, headers: dict[str, str], wait_s: float
) -> None:
    async def main() -> None:
        budget = WeightBudget(PER_MINUTE)
        budget.told(status, headers)
        for lane in Lane:
            with pytest.raises(RateLimitedError) as raised:
                await budget.take(1.0, lane)
            assert raised.value.retry_after_s == pytest.approx(wait_s)
        await asyncio.sleep(wait_s)
        assert budget.quiet_s() == 0.0
        for lane in Lane:
            await budget.take(1.0, lane)
        assert budget.refusals == 1

    run_virtual(main())


@pytest.mark.parametrize("status", [200, 400, 500, 503])
def test_other_answers_quiet_nobody(status: int) -> None:
    async def main() -> None:
        budget = WeightBudget(PER_MINUTE)
        budget.told(status, {"Retry-After": "60"})
        await budget.take(1.0)
        assert budget.refusals == 0

    run_virtual(main())


def test_x7_a_shorter_wait_does_not_end_a_longer_one() -> None:
    async def main() -> None:
        budget = WeightBudget(PER_MINUTE)
        budget.told(418, {"Retry-After": "600"})
        budget.told(429, {"Retry-After": "5"})
        assert budget.quiet_s() == pytest.approx(600)

    run_virtual(main())


def test_x7_who_waits_in_line_when_the_exchange_says_stop_does_not_go_and_costs_nothing() -> None:
    async def main() -> None:
        budget = WeightBudget(PER_MINUTE, RESERVED)
        await budget.take(40.0)
        loop = asyncio.get_running_loop()
        loop.call_later(1, budget.told, 429, {"Retry-After": "120"})
        with pytest.raises(RateLimitedError):
            await budget.take(20.0)
        await asyncio.sleep(121)
        begun_s = asyncio.get_running_loop().time()
        await budget.take(40.0)
        assert asyncio.get_running_loop().time() == begun_s

    run_virtual(main())


def test_who_is_cancelled_in_line_costs_nothing() -> None:
    async def main() -> None:
        budget = WeightBudget(PER_MINUTE, RESERVED)
        await budget.take(40.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await budget.take(30.0)
        await budget.take(1.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1 / (40 / 60))

    run_virtual(main())


def test_what_others_at_our_address_have_spent_is_not_there_for_us() -> None:
    async def main() -> None:
        budget = WeightBudget(PER_MINUTE, RESERVED)
        budget.told_used(5_940, 6_000)
        assert budget.used_share == pytest.approx(0.99)
        await budget.take(10.0)
        assert asyncio.get_running_loop().time() == pytest.approx((10 - 0.4) / (40 / 60))

    run_virtual(main())


def test_x7_a_date_is_measured_from_the_answers_own_date() -> None:
    headers = {
        "Date": "Sat, 21 Nov 2026 10:00:00 GMT",
        "Retry-After": "Sat, 21 Nov 2026 10:02:30 GMT",
    }

    assert retry_after_s(headers) == 150.0
    assert retry_after_s({"Retry-After": headers["Retry-After"]}) is None


@given(st.dictionaries(st.sampled_from(["Retry-After", "Date", "RETRY-AFTER"]), st.text()))
def test_no_header_can_break_the_reading(headers: dict[str, str]) -> None:
    told = retry_after_s(headers)

    assert told is None or abs(told) < float("inf")
