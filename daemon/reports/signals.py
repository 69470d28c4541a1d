"""What every report writes of a signal and of the figures of trades."""

from typing import TypeVar

from daemon.core.signal import Signal, SignalRow
from daemon.core.trade_figures import TradeFigures
from daemon.reports.text import Column, number, percent, plain, signed_percent

T = TypeVar("T")


def with_note(
    columns: tuple[Column[T], ...], note: Column[T], *, show_signal_note: bool
) -> tuple[Column[T], ...]:
    """Return `columns` with `note` after the position, if notes are to be shown."""
    if not show_signal_note:
        return columns
    after = 1 + next(place for place, column in enumerate(columns) if column.title == "Position")
    return (*columns[:after], note, *columns[after:])


def signal_id(signal: Signal | SignalRow) -> str:
    """Return the id of a signal; of one that was refused before it had its own, the label."""
    return plain(signal.id)


def trade_facts(figures: TradeFigures) -> list[tuple[str, str]]:
    """Return the figures of trades, by name, as a report writes them."""
    counts = f"{figures.win_count}W / {figures.loss_count}L"
    return [
        ("Win rate", f"{percent(figures.win_rate)} ({counts})"),
        ("Average PNL", signed_percent(figures.avg_pnl)),
        ("Total PNL", signed_percent(figures.total_pnl)),
        ("Standard Deviation", _percent(figures.std_dev)),
        ("Sharpe Ratio", number(figures.sharpe_ratio)),
        ("Annualized Sharpe Ratio", number(figures.annualized_sharpe_ratio)),
        ("Certainty Ratio", number(figures.certainty_ratio)),
        ("Expected Yearly Returns", signed_percent(figures.expected_yearly_returns)),
        ("Max Drawdown", percent(figures.max_drawdown)),
    ]


def _percent(value: float | None) -> str:
    return number(value) if value is None else f"{number(value)}%"
