"""The figures against empyrical-reloaded and scipy, where their definitions agree with ours.

NEEDS the packages empyrical-reloaded and scipy (which it brings) in the `dev` extra; without them
these tests fail, and do not skip.

Where the definitions differ:
- empyrical's deviation is the sample's (n - 1), ours the population's (n): the ratio of the two is
  sqrt((n - 1) / n), and the tests say so.
- empyrical compounds returns, we stake the same amount in each trade and add percent points. So
  each p is handed over as the return exp(p) - 1: what it compounds to is exp of our sum, less 1,
  and its largest drawdown is 1 - exp(-ours).
- empyrical's Sharpe ratio without deviation is infinite or NaN, ours is 0; ratios without losses
  are infinite there, None here.
"""

import math
from importlib import import_module
from types import ModuleType

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daemon.core.heatmap import heatmap_statistics
from daemon.core.moments import moments_of
from daemon.core.quantiles import Quantiles
from daemon.core.statistics import BacktestStatistics, backtest_statistics
from tests.core.trades import tallied, trades

# Percent points in steps of a hundredth, as a strategy's trades are.
PNLS = st.lists(
    st.integers(-1000, 1000).map(lambda cents: cents / 100), min_size=3, max_size=50
).filter(lambda pnls: len(set(pnls)) > 1)


@pytest.fixture(scope="module")
def empyrical() -> ModuleType:
    return import_module("empyrical")


@pytest.fixture(scope="module")
def numpy() -> ModuleType:
    return import_module("numpy")


@pytest.fixture(scope="module")
def scipy_stats() -> ModuleType:
    return import_module("scipy.stats")


def figures(pnls: list[float]) -> BacktestStatistics:
    return backtest_statistics(trades(*pnls))


@given(pnls=PNLS)
def test_the_sharpe_ratios(empyrical: ModuleType, numpy: ModuleType, pnls: list[float]) -> None:
    ours = figures(pnls)
    unbiased = math.sqrt((len(pnls) - 1) / len(pnls))
    returns = numpy.array(pnls)

    per_trade = empyrical.sharpe_ratio(returns, annualization=1)
    per_year = empyrical.sharpe_ratio(returns, annualization=365)

    assert ours.sharpe_ratio is not None
    assert ours.annualized_sharpe_ratio is not None
    assert ours.sharpe_ratio * unbiased == pytest.approx(per_trade, abs=1e-9)
    assert ours.annualized_sharpe_ratio * unbiased == pytest.approx(per_year, abs=1e-9)


@given(pnls=PNLS)
def test_the_deviation(empyrical: ModuleType, numpy: ModuleType, pnls: list[float]) -> None:
    theirs = empyrical.annual_volatility(numpy.array(pnls), annualization=1)

    ours = figures(pnls).std_dev

    assert ours is not None
    assert ours / math.sqrt((len(pnls) - 1) / len(pnls)) == pytest.approx(theirs)


@given(pnls=PNLS)
def test_the_total_and_the_drawdown(
    empyrical: ModuleType, numpy: ModuleType, pnls: list[float]
) -> None:
    ours = figures(pnls)
    compounding = numpy.expm1(numpy.array(pnls) / 100)

    assert ours.total_pnl is not None
    assert ours.max_drawdown is not None
    assert math.expm1(ours.total_pnl / 100) == pytest.approx(
        empyrical.cum_returns_final(compounding), abs=1e-12
    )
    assert math.expm1(-ours.max_drawdown / 100) == pytest.approx(
        empyrical.max_drawdown(compounding), abs=1e-12
    )


@given(pnls=PNLS)
def test_the_ratios_of_wins_to_losses(
    empyrical: ModuleType, numpy: ModuleType, pnls: list[float]
) -> None:
    """With a threshold of 0 the omega ratio is the profit factor."""
    assume(min(pnls) < 0)
    tally = tallied(*pnls)
    omega = empyrical.omega_ratio(numpy.array(pnls), required_return=0.0, annualization=1)

    assume(omega < 500)
    assert tally.profit_factor == pytest.approx(omega)
    if tally.win_count:
        by_average = omega * tally.loss_count / tally.win_count
        assert tally.certainty_ratio == pytest.approx(by_average)
    [row] = heatmap_statistics(trades(*pnls)).symbols
    assert row.profit_factor == tally.profit_factor


@given(pnls=PNLS)
def test_skewness_and_kurtosis(
    scipy_stats: ModuleType, numpy: ModuleType, pnls: list[float]
) -> None:
    moments = moments_of(pnls)
    numbers = numpy.array(pnls)

    skewness = float(scipy_stats.skew(numbers))
    kurtosis = float(scipy_stats.kurtosis(numbers, fisher=False))

    assert moments.skewness == pytest.approx(skewness, abs=1e-9)
    assert moments.kurtosis == pytest.approx(kurtosis)


@given(sizes=st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_percentiles(numpy: ModuleType, sizes: list[float]) -> None:
    quantiles = Quantiles()
    for size in sizes:
        quantiles.add(size)

    theirs = numpy.percentile(numpy.array(sizes), [50, 95, 99], method="inverted_cdf")

    assert quantiles.at(50, 95, 99) == list(theirs)
