"""What every report writes of a signal and of the figures of trades."""

from dataclasses import replace

from daemon.core.statistics import backtest_statistics
from daemon.reports.backtest import COLUMNS, NOTE
from daemon.reports.signals import signal_id, trade_facts, with_note
from tests.core.samples import a_signal
from tests.core.some_events import a_row
from tests.core.trades import trades


def test_the_figures_of_five_trades() -> None:
    facts = trade_facts(backtest_statistics(trades(2.0, -1.0, 3.0, 0.0, -2.0)))

    assert facts == [
        ("Win rate", "40.00% (2W / 2L)"),
        ("Average PNL", "+0.40%"),
        ("Total PNL", "+2.00%"),
        ("Standard Deviation", "1.855%"),
        ("Sharpe Ratio", "0.216"),
        ("Annualized Sharpe Ratio", "4.120"),
        ("Certainty Ratio", "1.667"),
        ("Expected Yearly Returns", "+292.00%"),
        ("Max Drawdown", "2.00%"),
    ]


def test_figures_that_a_sample_cannot_carry() -> None:
    facts = dict(trade_facts(backtest_statistics(trades(2.0))))

    assert facts["Standard Deviation"] == facts["Sharpe Ratio"] == "N/A"
    assert facts["Certainty Ratio"] == facts["Expected Yearly Returns"] == "N/A"
    assert facts["Total PNL"] == "+2.00%"


def test_notes_stand_after_the_position_or_nowhere() -> None:
    titles = [column.title for column in with_note(COLUMNS, NOTE, show_signal_note=True)]

    assert titles[2:5] == ["Position", "Note", "Open Price"]
    assert with_note(COLUMNS, NOTE, show_signal_note=False) == COLUMNS


def test_a_signal_without_an_id() -> None:
    assert signal_id(a_signal()) == "N/A"
    assert signal_id(replace(a_signal(), id="mine")) == "mine"
    assert signal_id(a_row()) == "s1"
