"""The figures of trades: golden numbers by hand, and what a sample cannot carry."""

import math
import statistics
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.moments import moments_of
from daemon.core.trade_figures import RATIO_SIZE_MAX, annualized, ratio, sharpe_of
from tests.core.trades import HOUR_MS, tallied

PNLS = st.lists(st.integers(-2000, 2000).map(lambda cents: cents / 100), max_size=40)


def test_five_trades_by_hand() -> None:
    """The running sum goes 2, 1, 4, 4, 2; each trade is held for half a day."""
    tally = tallied(2.0, -1.0, 3.0, 0.0, -2.0)

    assert tally.figures() == {
        "win_count": 2,
        "loss_count": 2,
        "win_rate": 40.0,
        "avg_pnl": pytest.approx(0.4),
        "total_pnl": 2.0,
        "std_dev": pytest.approx(1.8547236991),
        "sharpe_ratio": pytest.approx(0.2156655464),
        "annualized_sharpe_ratio": pytest.approx(4.1202844864),
        "certainty_ratio": pytest.approx(2.5 / 1.5),
        "expected_yearly_returns": pytest.approx(0.4 * 730),
        "max_drawdown": 2.0,
    }
    assert tally.profit_factor == pytest.approx(5 / 3)
    assert tally.expectancy == pytest.approx(0.4)
    assert (tally.win_streak_max, tally.loss_streak_max) == (1, 1)


def test_no_trades_have_no_figures() -> None:
    tally = tallied()

    assert {name: value for name, value in tally.figures().items() if value is not None} == {
        "win_count": 0,
        "loss_count": 0,
    }
    assert (tally.expectancy, tally.profit_factor) == (None, None)


def test_one_trade_has_no_deviation_and_no_ratio() -> None:
    figures = tallied(2.0, held_ms=48 * HOUR_MS).figures()

    assert (figures["win_rate"], figures["avg_pnl"], figures["total_pnl"]) == (100.0, 2.0, 2.0)
    assert figures["std_dev"] is None
    assert figures["sharpe_ratio"] is None
    assert figures["annualized_sharpe_ratio"] is None
    assert figures["expected_yearly_returns"] is None


def test_the_sharpe_ratio_of_equal_trades_is_zero() -> None:
    """Ten times the same target: the percents differ in the last bit only."""
    figures = tallied(*[0.1 + 0.2, 0.3] * 5).figures()

    assert (figures["std_dev"], figures["sharpe_ratio"]) == (0.0, 0.0)


def test_the_certainty_ratio_needs_a_loss() -> None:
    assert tallied(1.0, 2.0).certainty_ratio is None
    assert tallied(-1.0, -2.0).certainty_ratio == 0.0
    assert tallied(1.0, -2.0).certainty_ratio == 0.5


def test_a_loss_next_to_nothing_makes_no_ratio() -> None:
    tally = tallied(5.0, -1e-9)

    assert tally.certainty_ratio is None
    assert tally.profit_factor is None


def test_a_year_is_not_told_from_minutes() -> None:
    assert tallied(1.0, 1.0, held_ms=60_000).expected_yearly_returns is None
    assert tallied(1.0, 1.0, held_ms=12 * HOUR_MS).expected_yearly_returns == pytest.approx(730)


def test_no_duration_at_all_makes_no_yearly_figure() -> None:
    assert tallied(1.0, 1.0, held_ms=0).expected_yearly_returns is None


@pytest.mark.parametrize(
    ("pnls", "fall"),
    [
        ([-1.0, 3.0, -1.0], 1.0),
        ([3.0, -1.0, -1.0], 2.0),
        ([-1.0, -2.0], 3.0),
        ([1.0, 2.0], 0.0),
        ([2.0, -1.0, 0.5, -1.5, 4.0, -1.0], 2.0),
    ],
)
def test_a_drawdown_is_the_deepest_fall_from_a_peak(pnls: list[float], fall: float) -> None:
    assert tallied(*pnls).max_drawdown == pytest.approx(fall)


def test_streaks_end_at_the_other_side_and_at_zero() -> None:
    tally = tallied(1.0, 1.0, 0.0, 1.0, -1.0, -1.0, -1.0, 1.0)

    assert (tally.win_streak_max, tally.loss_streak_max) == (2, 3)


@given(PNLS)
def test_figures_agree_with_the_whole_list(pnls: list[float]) -> None:
    """Nothing here is shared with the code: sums of lists against running tallies."""
    tally = tallied(*pnls)
    wins = [pnl for pnl in pnls if pnl > 0]
    losses = [pnl for pnl in pnls if pnl < 0]
    equity = list(accumulate(pnls, initial=0.0))
    fall = max(peak - low for peak, low in zip(accumulate(equity, max), equity, strict=True))

    assert tally.total == pytest.approx(math.fsum(pnls), abs=1e-9)
    assert tally.drawdown_max == pytest.approx(fall, abs=1e-9)
    assert (tally.win_count, tally.loss_count) == (len(wins), len(losses))
    assert tally.avg_win == (pytest.approx(statistics.fmean(wins)) if wins else None)
    assert tally.avg_loss == (pytest.approx(statistics.fmean(losses)) if losses else None)
    if pnls:
        assert tally.expectancy == pytest.approx(statistics.fmean(pnls), abs=1e-9)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=12))
def test_no_figure_is_ever_infinite_nan_or_a_huge_ratio(pnls: list[float]) -> None:
    tally = tallied(*pnls)
    figures = tally.figures()

    values = [*figures.values(), tally.profit_factor, tally.expectancy]
    assert all(math.isfinite(value) for value in values if isinstance(value, int | float))
    ratios = (figures["sharpe_ratio"], figures["certainty_ratio"], tally.profit_factor)
    assert all(value is None or abs(value) <= RATIO_SIZE_MAX for value in ratios)


def test_ratio_refuses_what_it_cannot_divide_by() -> None:
    assert ratio(1.0, 4.0) == 0.25
    assert ratio(1.0, 0.0) is None
    assert ratio(1.0, -1.0) is None
    assert ratio(1.0, math.inf) is None
    assert ratio(1.0, 1e-9) is None


def test_the_annual_sharpe_ratio_takes_each_trade_as_a_day() -> None:
    assert sharpe_of(moments_of([1.0, 3.0])) == 2.0
    assert annualized(2.0) == pytest.approx(2 * math.sqrt(365))
    assert annualized(None) is None
