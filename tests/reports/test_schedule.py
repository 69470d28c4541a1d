"""The report of scheduled signals."""

from dataclasses import replace

from daemon.core.live_statistics import schedule_statistics
from daemon.reports.schedule import render_schedule
from tests.core.some_events import AT_MS, a_cancelled, a_row, a_scheduled, an_opened


def a_report(*, show_signal_note: bool = False) -> str:
    row = replace(a_row(), scheduled_at=AT_MS, pending_at=AT_MS + 120_000)
    late = replace(a_row(), id="s2", scheduled_at=AT_MS)
    cancelled = replace(a_cancelled(), signal=late, close_timestamp=AT_MS + 600_000)
    stats = schedule_statistics(
        [a_scheduled(row=row), an_opened(row=row), a_scheduled(row=late), cancelled]
    )
    return render_schedule(stats, "breakout", show_signal_note=show_signal_note)


def test_title_columns_and_times() -> None:
    lines = a_report().splitlines()

    assert lines[0] == "# Scheduled Signals Report: breakout"
    assert lines[2] == (
        "| Timestamp | Action | Symbol | Signal ID | Position | Current Price | Entry Price"
        " | Take Profit | Stop Loss | Wait Time (min) |"
    )
    waits = [line.strip("| ").split(" | ")[-1] for line in lines[4:8]]
    assert waits == ["10.0", "N/A", "2.0", "N/A"]


def test_rates_and_times() -> None:
    report = a_report()

    assert "- **Scheduled signals:** 2" in report
    assert "- **Activation rate:** 50.00%" in report
    assert "- **Cancellation rate:** 50.00%" in report
    assert "- **Average activation time (min):** 2.0" in report
    assert "- **Average wait time of cancelled (min):** 10.0" in report


def test_notes_are_shown_only_when_asked_for() -> None:
    assert "a note" not in a_report()
    assert a_report(show_signal_note=True).count("| LONG | a note |") == 4


def test_nothing_scheduled() -> None:
    assert "No scheduled signals recorded yet." in render_schedule(schedule_statistics([]), "s")
