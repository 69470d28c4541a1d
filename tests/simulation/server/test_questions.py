"""Bad parameters are refused with Binance's own codes."""

from collections.abc import Callable

import pytest

from daemon.simulation.faults import FaultPlan, Moment
from daemon.simulation.generator import GeneratedMarket, default_specs
from daemon.simulation.server.errors import ApiError
from daemon.simulation.server.questions import Question, names_of
from daemon.simulation.server.scene import Scene
from tests.simulation.server.conftest import NOW_MS, START_MS

MARKET = GeneratedMarket(default_specs(), 7, START_MS)


def a_question(**parameters: str) -> Question:
    moment = Moment(NOW_MS, START_MS)
    scene = Scene(market=MARKET, path="", plan=FaultPlan(), moment=moment)
    return Question(scene=scene, names=names_of(MARKET), parameters=parameters)


@pytest.mark.parametrize(
    ("parameters", "read", "code"),
    [
        ({}, lambda q: q.name, -1102),
        ({"symbol": ""}, lambda q: q.name, -1102),
        ({"symbol": "NOPEUSDT"}, lambda q: q.name, -1121),
        ({"symbol": "btc/usdt"}, lambda q: q.name, -1100),
        ({"interval": "7m"}, lambda q: q.interval, -1120),
        ({"limit": "many"}, lambda q: q.limit(5, 10), -1100),
        ({"limit": "-1"}, lambda q: q.limit(5, 10), -1100),
        ({"limit": "9" * 5000}, lambda q: q.limit(5, 10), -1100),
        ({"limit": "0"}, lambda q: q.limit(5, 10), -1130),
        ({"symbols": "BTCUSDT"}, lambda q: q.chosen(), -1130),
        ({"symbols": "[]"}, lambda q: q.chosen(), -1130),
        ({"symbols": "[1]"}, lambda q: q.chosen(), -1130),
        ({"symbols": '["NOPEUSDT"]'}, lambda q: q.chosen(), -1121),
        ({"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, lambda q: q.chosen(), -1128),
    ],
)
def test_a_bad_parameter_is_refused(
    parameters: dict[str, str], read: Callable[[Question], object], code: int
) -> None:
    with pytest.raises(ApiError) as refused:
        read(a_question(**parameters))

    assert (refused.value.status, refused.value.code) == (400, code)


def test_what_is_left_out_has_its_usual_value() -> None:
    question = a_question()

    assert question.whole("startTime") is None
    assert question.limit(5, 10) == 5
    assert question.chosen() is None


def test_a_limit_is_cut_to_the_most_there_is() -> None:
    assert a_question(limit="5000").limit(5, 10) == 10
