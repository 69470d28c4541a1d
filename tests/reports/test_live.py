"""The live report: a row for each kind of event."""

from daemon.core.live_statistics import LiveCollector, live_statistics
from daemon.reports.live import render_live
from tests.core.some_events import a_closed, an_active, an_idle, an_opened
from tests.core.trades import trades


def cells(report: str, action: str) -> list[str]:
    [row] = [line for line in report.splitlines() if f"| {action} |" in line]
    return [cell.strip() for cell in row.strip("|").split("|")]


def a_report(*, show_signal_note: bool = False) -> str:
    stats = live_statistics([an_idle(), an_opened(), an_active(), a_closed()])
    return render_live(stats, "breakout", show_signal_note=show_signal_note)


def test_title_and_columns() -> None:
    lines = a_report().splitlines()

    assert lines[0] == "# Live Trading Report: breakout"
    assert lines[2] == (
        "| Timestamp | Action | Symbol | Signal ID | Position | Current Price | Open Price"
        " | Take Profit | Stop Loss | % to TP | % to SL | PNL (net) | Close Reason"
        " | Duration (min) |"
    )
    assert "- **Total events:** 4" in lines
    assert "- **Closed signals:** 1" in lines


def test_an_idle_tick_has_a_price_and_nothing_else() -> None:
    assert cells(a_report(), "IDLE")[1:] == [
        "IDLE",
        "BTC/USDT",
        "N/A",
        "N/A",
        "100.00000000 USD",
        *["N/A"] * 8,
    ]


def test_an_active_tick_has_its_progress() -> None:
    assert cells(a_report(), "ACTIVE")[5:] == [
        "101.00000000 USD",
        "100.00000000 USD",
        "102.00000000 USD",
        "99.00000000 USD",
        "50.00%",
        "0.00%",
        "N/A",
        "N/A",
        "N/A",
    ]


def test_a_close_has_its_result() -> None:
    assert cells(a_report(), "CLOSED")[9:] == ["N/A", "N/A", "+0.50%", "take_profit", "10.0"]


def test_notes_are_shown_only_when_asked_for() -> None:
    assert "a note" not in a_report()
    assert cells(a_report(show_signal_note=True), "OPENED")[5] == "a note"
    assert cells(a_report(show_signal_note=True), "IDLE")[5] == "N/A"


def test_nothing_happened() -> None:
    report = render_live(live_statistics([]), "breakout")

    assert report == "# Live Trading Report: breakout\n\nNo events recorded yet.\n"


def test_a_cut_list_says_so() -> None:
    collector = LiveCollector(events_max=2)
    for event in trades(1.0, 2.0, 3.0):
        collector.add(event)

    report = render_live(collector.statistics(), "breakout")

    assert "Listed are the newest 2 of 3 events; the figures cover all." in report
    assert "- **Total PNL:** +6.00%" in report
