"""Sizing rules, as they are written on the command line."""

import pytest

from daemon.app.cli.sizing_text import parse_sizing
from daemon.core.sizing import AtrBased, FixedPercentage, KellyCriterion, SizingError


def test_sizing_rules_are_read_as_they_are_written() -> None:
    fixed = parse_sizing("fixed-percentage:risk_percentage=2,min_position_size=0.1")

    assert fixed.method == FixedPercentage(risk_percentage=2.0)
    assert fixed.min_position_size == 0.1
    assert parse_sizing("kelly-criterion").method == KellyCriterion()
    assert parse_sizing("atr-based:atr_multiplier=3").method == AtrBased(
        risk_percentage=1.0, atr_multiplier=3.0
    )
    for wrong in ("kelly-criterion:risk_percentage=1", "atr-based:atr_multiplier=x", "atr-based:x"):
        with pytest.raises(SizingError):
            parse_sizing(wrong)
