"""The backtest's report, whole."""

from dataclasses import replace

from daemon.core.statistics import backtest_statistics
from daemon.reports.backtest import BacktestRemarks, render_backtest
from tests.core.some_events import a_closed
from tests.core.trades import trades

WHOLE = """\
# Backtest Report: breakout

| Signal ID | Symbol | Position | Open Price | Close Price | Take Profit | Stop Loss | PNL (net) \
| Close Reason | Duration (min) | Open Time | Close Time |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| s1 | BTC/USDT | LONG | 100.00000000 USD | 102.00000000 USD | 102.00000000 USD \
| 99.00000000 USD | +0.50% | take_profit | 10.0 | 2023-11-14T22:11:00.000Z \
| 2023-11-14T22:21:00.000Z |

- **Total signals:** 1
- **Win rate:** 100.00% (1W / 0L)
- **Average PNL:** +0.50%
- **Total PNL:** +0.50%
- **Standard Deviation:** N/A
- **Sharpe Ratio:** N/A
- **Annualized Sharpe Ratio:** N/A
- **Certainty Ratio:** N/A
- **Expected Yearly Returns:** N/A
- **Max Drawdown:** 0.00%
"""


def test_a_whole_report() -> None:
    assert render_backtest(backtest_statistics([a_closed()]), "breakout") == WHOLE


def test_nothing_closed() -> None:
    report = render_backtest(backtest_statistics([]), "breakout")

    assert report == "# Backtest Report: breakout\n\nNo signals closed yet.\n"


def test_notes_are_shown_only_when_asked_for() -> None:
    stats = backtest_statistics([a_closed()])

    assert "a note" not in render_backtest(stats, "breakout")
    assert "| LONG | a note | 100" in render_backtest(stats, "breakout", show_signal_note=True)


def test_a_cut_list_says_so() -> None:
    report = render_backtest(backtest_statistics(trades(*[1.0] * 251)), "breakout")

    assert "Listed are the newest 250 of 251 signals; the figures cover all." in report
    assert report.count("take_profit") == 250
    assert "- **Total PNL:** +251.00%" in report


def test_the_worst_order_stands_beside_the_headline() -> None:
    worst = backtest_statistics(trades(-1.0))
    remarks = BacktestRemarks(
        ambiguous_bar_count=3, worst_case=worst, lines=("2 calls of get_signal raised.",)
    )

    report = render_backtest(backtest_statistics(trades(2.0)), "breakout", remarks=remarks)

    assert "2 calls of get\\_signal" not in report
    assert "2 calls of get_signal raised." in report
    headline, ambiguity = report.split("## Ambiguous Bars")
    assert "- **Total PNL:** +2.00%" in headline
    assert "In 3 of the bars" in ambiguity
    assert "- **Total PNL:** -1.00%" in ambiguity


def test_without_ambiguous_bars_nothing_is_said_of_them() -> None:
    stats = backtest_statistics(trades(2.0))

    assert "Ambiguous" not in render_backtest(stats, "breakout", remarks=BacktestRemarks())
    counted = render_backtest(stats, "breakout", remarks=BacktestRemarks(ambiguous_bar_count=1))
    assert "In 1 of the bars" in counted


def test_a_name_cannot_break_the_report() -> None:
    odd = replace(a_closed(), signal=replace(a_closed().signal, note="x | y\n# z"))

    report = render_backtest(backtest_statistics([odd]), "a\n# b", show_signal_note=True)

    assert report.startswith("# Backtest Report: a # b\n")
    assert "| x \\| y # z |" in report
