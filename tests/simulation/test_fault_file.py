"""Fault plans as users write them: what is understood, and how clearly the rest is refused."""

import math
import tomllib

import pytest

from daemon.simulation.fault_file import KINDS, FaultPlanError, parse_fault_plan
from daemon.simulation.faults import Body, Fault, FaultClock, FaultPlan, Gap, Status


def test_a_plan_in_toml_becomes_data() -> None:
    text = """
        seed = 7
        [[plan]]
        kind = "status"
        status = 429
        retry_after_s = 5
        body = "html"
        start_s = 30
        stop_s = 40
        path = "/api/v3/klines"
        [[plan]]
        kind = "gap"
        clock = "market"
        symbol = "BTC/USDT"
        probability = 0.5
    """

    plan = parse_fault_plan(tomllib.loads(text))

    assert plan == FaultPlan(
        seed=7,
        faults=(
            Fault(
                effect=Status(status=429, retry_after_s=5.0, body=Body.HTML),
                start_s=30.0,
                stop_s=40.0,
                path="/api/v3/klines",
            ),
            Fault(
                effect=Gap(heal_s=math.inf),
                clock=FaultClock.MARKET,
                symbol="BTC/USDT",
                probability=0.5,
            ),
        ),
    )


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_works_with_nothing_but_its_name(kind: str) -> None:
    plan = parse_fault_plan({"plan": [{"kind": kind}]})

    assert type(plan.faults[0].effect) is KINDS[kind]


def test_no_faults_at_all_is_a_plan() -> None:
    assert parse_fault_plan({}) == FaultPlan()


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"kind": "time_out"}, "fault 1: unknown kind 'time_out' (did you mean 'timeout'?)"),
        ({}, "unknown kind None"),
        ({"kind": "gap", "factor": 2}, "fault 1 (gap): unknown key 'factor'"),
        ({"kind": "gap", "star_s": 2}, "did you mean 'start_s'?"),
        ({"kind": "gap", "start_s": "2"}, "start_s must be a number, not '2'"),
        ({"kind": "gap", "start_s": True}, "start_s must be a number, not True"),
        ({"kind": "gap", "start_s": math.nan}, "not NaN"),
        ({"kind": "status", "status": 429.5}, "status must be a whole number"),
        ({"kind": "status", "status": 99}, "from 200 to 599"),
        ({"kind": "status", "body": "htm"}, "did you mean 'html'?"),
        ({"kind": "gap", "path": 3}, "path must be text"),
        ({"kind": "gap", "start_s": 5, "stop_s": 5}, "is empty"),
        ({"kind": "gap", "probability": 0}, "probability must be above 0"),
        ({"kind": "absurd", "factor": -1}, "factor must be positive"),
        ("gap", "a fault is a table"),
    ],
)
def test_a_mistake_is_named_with_its_place(entry: object, text: str) -> None:
    with pytest.raises(FaultPlanError) as caught:
        parse_fault_plan({"plan": [entry]})

    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"seeds": 1}, "did you mean 'seed'?"),
        ({"seed": "1"}, "seed must be a whole number"),
        ({"plan": "gap"}, "plan must be a list"),
    ],
)
def test_a_mistake_around_the_faults_is_named_too(data: dict[str, object], text: str) -> None:
    with pytest.raises(FaultPlanError) as caught:
        parse_fault_plan(data)

    assert text in str(caught.value)
