"""What each month brought."""

from dataclasses import replace
from datetime import UTC, datetime

from daemon.core.events import SignalClosed
from daemon.reports.html.months import Month, by_month, month_table
from tests.core.trades import a_trade


def closed_on(pnl: float, year: int, month: int, day: int) -> SignalClosed:
    at_ms = int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
    return replace(a_trade(pnl), close_timestamp=at_ms)


def test_months_are_of_the_close_and_oldest_first() -> None:
    closed = [
        closed_on(1.0, 2025, 2, 1),
        closed_on(2.0, 2024, 12, 31),
        closed_on(-0.5, 2025, 2, 28),
    ]

    assert by_month(closed) == (
        Month(year=2024, month=12, pnl=2.0, count=1),
        Month(year=2025, month=2, pnl=0.5, count=2),
    )


def test_a_year_without_a_trade_is_an_empty_row() -> None:
    table = month_table([closed_on(1.0, 2022, 1, 5), closed_on(-1.0, 2024, 1, 5)])

    for year in ("2022", "2023", "2024"):
        assert f">{year}</th>" in table
    assert table.count("1 trade") == 2
    assert "+1.00%" in table
    assert "-1.00%" in table


def test_without_trades_there_is_no_table() -> None:
    assert month_table([]) == ""
