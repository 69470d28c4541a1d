"""Records as plain values, which every JSON writer takes."""

import json
import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.live_statistics import live_statistics, risk_statistics
from daemon.core.performance_statistics import performance_statistics
from daemon.core.statistics import backtest_statistics
from daemon.reports.as_json import as_json
from tests.core.some_events import every_event


@dataclass(frozen=True, slots=True)
class Odd:
    ratio: float
    text: str
    pair: tuple[int, bool]
    none: None = None


def test_fields_keep_their_order_and_their_types() -> None:
    assert as_json(Odd(0.5, "a", (1, True))) == {
        "ratio": 0.5,
        "text": "a",
        "pair": [1, True],
        "none": None,
    }
    assert str(as_json({"b": 1, "a": 2})) == "{'b': 1, 'a': 2}"


def test_what_json_cannot_say_is_null_or_replaced() -> None:
    assert as_json([math.nan, math.inf, -math.inf, 1.0]) == [None, None, None, 1.0]
    assert as_json("half \ud800") == "half ?"
    assert as_json({"\ud800": 1}) == {"?": 1}


def test_a_function_has_no_json_form() -> None:
    with pytest.raises(TypeError, match="builtin_function_or_method has no JSON form"):
        as_json({"callback": print})


@given(st.lists(st.sampled_from(every_event()), max_size=20))
def test_every_record_can_be_written(events: list[object]) -> None:
    known = [event for event in every_event() if event in events]
    for record in (
        backtest_statistics(known),
        live_statistics(known),
        risk_statistics(known),
        performance_statistics("s", known),
    ):
        first, second = (
            json.dumps(as_json(record), allow_nan=False, ensure_ascii=False) for _ in range(2)
        )
        assert first == second
        assert first.encode("utf-8")


def test_a_backtest_as_json() -> None:
    values = as_json(backtest_statistics([]))

    assert isinstance(values, dict)
    assert values["total_signals"] == 0
    assert values["sharpe_ratio"] is None
    assert values["signal_list"] == []
