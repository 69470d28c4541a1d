"""What programs ask of the statistics of all kinds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.app.kept_reports import Heat, Partial, Performance, Risk, Schedule, keep_reports
from daemon.app.registry import REGISTRY, UnknownNameError
from daemon.core.events import Announcement
from daemon.core.subjects import Unsubscribe, route
from tests.core.some_events import (
    a_closed,
    a_performance,
    a_profit_level,
    a_refusal,
    a_scheduled,
)

SYMBOL, NAME = "BTC/USDT", "breakout"


@pytest.fixture
def forget() -> Iterator[Unsubscribe]:
    end = keep_reports()
    yield end
    end()


def tell(*events: Announcement) -> None:
    for event in events:
        for delivery in route(event, REGISTRY.subjects):
            delivery.call()


def test_each_kind_gathers_its_own(forget: Unsubscribe) -> None:
    tell(a_scheduled(), a_closed(), a_profit_level(), a_performance(), a_refusal())

    assert Heat.get_data(NAME).portfolio_total_trades == 1
    assert Schedule.get_data(NAME).total_scheduled == 1
    assert Performance.get_data(NAME).total_events == 1
    assert Partial.get_data(SYMBOL, NAME).total_profit == 1
    assert Risk.get_data(SYMBOL, NAME).total_rejections == 1


async def test_each_kind_is_written_to_its_place(forget: Unsubscribe, tmp_path: Path) -> None:
    tell(a_scheduled(), a_closed(), a_profit_level(), a_performance(), a_refusal())

    places = [
        await Heat.dump(NAME, tmp_path),
        await Schedule.dump(NAME, tmp_path),
        await Performance.dump(NAME, tmp_path),
        await Partial.dump(SYMBOL, NAME, tmp_path),
        await Risk.dump(SYMBOL, NAME, tmp_path),
    ]

    assert [str(place.relative_to(tmp_path)) for place in places] == [
        "heatmap/breakout.md",
        "schedule/breakout.md",
        "performance/breakout.md",
        "partial/BTC%2FUSDT_breakout.md",
        "risk/BTC%2FUSDT_breakout.md",
    ]
    for place in places:
        assert place.read_text().startswith("# ")
        assert json.loads(place.with_suffix(".json").read_text())


def test_what_nobody_asked_to_gather_is_not_there(forget: Unsubscribe) -> None:
    forget()
    tell(a_closed())

    with pytest.raises(UnknownNameError, match=r"no heatmap of breakout was gathered .*keep_rep"):
        Heat.get_data(NAME)
    assert Heat.kept == {}


def test_to_gather_anew_forgets_what_was_before(forget: Unsubscribe) -> None:
    tell(a_closed())
    forget()

    keep_reports()()

    with pytest.raises(UnknownNameError, match="breakout"):
        Heat.get_data(NAME)
