"""The report of refused signals."""

from dataclasses import replace

from daemon.core.live_statistics import risk_statistics
from daemon.reports.risk import render_risk
from tests.core.samples import a_signal
from tests.core.some_events import a_refusal
from tests.core.trades import a_key


def test_a_whole_report() -> None:
    proposed = replace(a_refusal(), pending_signal=a_signal(), key=a_key("ETH/USDT"))

    report = render_risk(risk_statistics([proposed, a_refusal()]), "BTC/USDT", "breakout")

    assert report == (
        "# Risk Rejection Report: BTC/USDT:breakout\n\n"
        "| Symbol | Strategy | Signal ID | Position | Exchange | Open Price | Take Profit"
        " | Stop Loss | Current Price | Active Positions | Reason | Timestamp |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| BTC/USDT | breakout | s1 | LONG | sandbox | 100.00000000 USD | 102.00000000 USD"
        " | 99.00000000 USD | 100.00000000 USD | 3 | too many open | 2023-11-14T22:21:00.000Z |\n"
        "| ETH/USDT | breakout | N/A | LONG | sandbox | N/A | 102.00000000 USD"
        " | 99.00000000 USD | 100.00000000 USD | 3 | too many open | 2023-11-14T22:21:00.000Z |\n"
        "\n"
        "- **Total rejections:** 2\n\n"
        "## Rejections by Symbol\n\n"
        "- **BTC/USDT:** 1\n"
        "- **ETH/USDT:** 1\n\n"
        "## Rejections by Strategy\n\n"
        "- **breakout:** 2\n"
    )


def test_notes_are_shown_only_when_asked_for() -> None:
    stats = risk_statistics([a_refusal()])

    assert "a note" not in render_risk(stats, "BTC/USDT", "breakout")
    report = render_risk(stats, "BTC/USDT", "breakout", show_signal_note=True)
    assert "| LONG | a note | sandbox |" in report


def test_nothing_refused() -> None:
    report = render_risk(risk_statistics([]), "BTC/USDT", "breakout")

    assert "No risk rejections recorded yet." in report
