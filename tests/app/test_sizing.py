"""Sizing rules by name."""

from collections.abc import Iterator

import pytest

from daemon.app import sizing as sizings
from daemon.app.registry import RegistrationError, UnknownNameError
from daemon.app.sizing import PositionSize, add_sizing, list_sizings
from daemon.core.sizing import (
    AtrBased,
    FixedPercentage,
    KellyCriterion,
    SizingError,
    SizingSchema,
)

ONE = SizingSchema(
    sizing_name="one", method=FixedPercentage(risk_percentage=1.0), max_position_size=50.0
)


@pytest.fixture(autouse=True)
def _none_registered() -> Iterator[None]:
    sizings._SIZINGS.clear()
    yield
    sizings._SIZINGS.clear()


def test_each_method_tells_its_quantity() -> None:
    add_sizing(ONE)
    add_sizing(SizingSchema(sizing_name="kelly", method=KellyCriterion()))
    add_sizing(SizingSchema(sizing_name="atr", method=AtrBased(risk_percentage=1.0)))

    kelly = PositionSize.kelly_criterion(
        10_000.0, 100.0, win_rate=0.5, win_loss_ratio=2.0, sizing_name="kelly"
    )
    assert kelly == 10_000 / 100 * 0.25 * 0.25
    assert PositionSize.fixed_percentage(1_000.0, 100.0, 99.0, sizing_name="one") == 10.0
    assert PositionSize.fixed_percentage(10_000.0, 100.0, 99.0, sizing_name="one") == 50.0
    assert PositionSize.atr_based(10_000.0, 100.0, 5.0, sizing_name="atr") == 10.0
    assert [each.sizing_name for each in list_sizings()] == ["one", "kelly", "atr"]


def test_unknown_names_and_other_methods_are_refused() -> None:
    add_sizing(ONE)

    with pytest.raises(UnknownNameError, match="there is no sizing 'two'; registered: 'one'"):
        PositionSize.atr_based(1.0, 1.0, 1.0, sizing_name="two")
    with pytest.raises(SizingError, match="is fixed-percentage: it was given AtrBasedParams"):
        PositionSize.atr_based(1.0, 1.0, 1.0, sizing_name="one")
    with pytest.raises(RegistrationError, match="already exists"):
        add_sizing(ONE)
    with pytest.raises(RegistrationError, match="needs a sizing_name"):
        add_sizing(SizingSchema(sizing_name="", method=KellyCriterion()))
