"""The curve of gains and losses: where it stands, and how far below its highest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.sinks.prometheus.equity import Equity

RATIOS = st.lists(st.floats(min_value=-0.5, max_value=0.5), max_size=20)


def an_equity(ratios: list[float]) -> Equity:
    equity = Equity()
    for ratio in ratios:
        equity.add(ratio)
    return equity


def test_a_drawdown_is_what_was_lost_since_the_highest() -> None:
    equity = an_equity([0.05, 0.02, -0.04, 0.01])

    assert equity.total == pytest.approx(0.04)
    assert equity.drawdown == pytest.approx(0.03)


def test_who_only_loses_has_fallen_from_the_beginning() -> None:
    assert an_equity([-0.1, -0.1]).drawdown == pytest.approx(0.2)


@given(RATIOS, RATIOS)
def test_two_parts_one_after_the_other_come_to_what_the_whole_does(
    before: list[float], after: list[float]
) -> None:
    whole, joined = an_equity(before + after), an_equity(before).followed_by(an_equity(after))

    assert joined.total == pytest.approx(whole.total, abs=1e-9)
    assert joined.drawdown == pytest.approx(whole.drawdown, abs=1e-9)
