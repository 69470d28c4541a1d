"""The report of partial levels."""

from dataclasses import replace

from daemon.core.live_statistics import partial_statistics
from daemon.reports.partial import render_partial
from tests.core.some_events import a_loss_level, a_profit_level


def test_a_whole_report() -> None:
    stats = partial_statistics([a_profit_level(), replace(a_loss_level(), backtest=True)])

    report = render_partial(stats, "BTC/USDT", "breakout")

    assert report == (
        "# Partial Profit/Loss Report: BTC/USDT:breakout\n\n"
        "| Action | Symbol | Strategy | Signal ID | Position | Level % | Current Price"
        " | Timestamp | Mode |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| LOSS | BTC/USDT | breakout | s1 | LONG | -50% | 99.50000000 USD"
        " | 2023-11-14T22:21:00.000Z | Backtest |\n"
        "| PROFIT | BTC/USDT | breakout | s1 | LONG | +50% | 101.00000000 USD"
        " | 2023-11-14T22:21:00.000Z | Live |\n\n"
        "- **Total events:** 2\n"
        "- **Profit events:** 1\n"
        "- **Loss events:** 1\n"
    )


def test_a_cut_list_says_so() -> None:
    report = render_partial(partial_statistics([a_profit_level()] * 300), "BTC/USDT", "breakout")

    assert "Listed are the newest 250 of 300 events; the figures cover all." in report
    assert "- **Profit events:** 300" in report


def test_nothing_reached() -> None:
    assert "No partial profit/loss events recorded yet." in render_partial(
        partial_statistics([]), "BTC/USDT", "breakout"
    )
