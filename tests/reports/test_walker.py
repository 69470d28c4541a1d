"""The walker's report: the best ten, and every signal."""

import pytest

from daemon.core.statistics import backtest_statistics
from daemon.core.walker_statistics import WalkerSetup, walker_statistics
from daemon.reports.walker import NoResultsError, render_walker
from tests.core.trades import trades

SETUP = WalkerSetup(
    walker_name="compare",
    symbol="BTC/USDT",
    exchange_name="sandbox",
    frame_name="january",
    total_strategies=3,
)


def test_a_whole_report() -> None:
    results = [
        ("lone", backtest_statistics(trades(0.25))),
        ("good", backtest_statistics(trades(1.0, 3.0))),
    ]

    report = render_walker(walker_statistics(SETUP, results))

    assert report.startswith(
        "# Walker Comparison Report: compare\n\n"
        "- **Symbol:** BTC/USDT\n"
        "- **Exchange:** sandbox\n"
        "- **Frame:** january\n"
        "- **Optimization Metric:** sharpe_ratio\n"
        "- **Strategies Tested:** 2 of 3\n"
        "- **Best Strategy:** good\n"
        "- **Best Metric:** 2.000\n"
        "- **Best Strategy's Signals:** 2\n\n"
        "## Top Strategies\n\n"
        "| Rank | Strategy | sharpe_ratio | Total Signals | Win Rate | Avg PNL | Total PNL"
        " | Sharpe Ratio | Std Dev |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| 1 | good | 2.000 | 2 | 100.00% | +2.00% | +4.00% | 2.000 | 1.000 |\n"
        "| N/A | lone | N/A | 1 | 100.00% | +0.25% | +0.25% | N/A | N/A |\n\n"
        "## All Signals\n\n"
        "| Strategy | Signal ID | Symbol | Position | PNL (net) | Close Reason | Open Time"
        " | Close Time |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| good | s1 | BTC/USDT | LONG | +3.00% | take_profit | 2023-11-15T10:21:00.000Z"
        " | 2023-11-15T22:21:00.000Z |\n"
    )
    assert report.count("take_profit") == 3


def test_more_than_ten_strategies_and_cut_signals_are_told() -> None:
    one, many = backtest_statistics(trades(1.0)), backtest_statistics(trades(*[1.0] * 300))
    results = [(f"s{number}", one) for number in range(11)]

    report = render_walker(walker_statistics(SETUP, [*results, ("many", many)]))

    assert "Listed are the best 10 of 12 strategies." in report
    assert report.split("## All Signals")[0].count("\n| ") == 2 + 10
    assert "Listed are the newest signals of each strategy, 261 of 311 in all." in report


def test_without_any_signal() -> None:
    report = render_walker(walker_statistics(SETUP, [("idle", backtest_statistics([]))]))

    assert "- **Best Strategy:** N/A" in report
    assert report.endswith("## All Signals\n\nNo signals closed yet.\n")


def test_before_any_result_it_raises() -> None:
    with pytest.raises(NoResultsError, match="walker 'compare' has no results yet"):
        render_walker(walker_statistics(SETUP, []))
