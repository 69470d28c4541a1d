"""Closed trades as rows for a spreadsheet, with the names of `tickd trades --format csv`."""

import csv
import io
from collections.abc import Iterable

from daemon.core.events import SignalClosed

COLUMNS = (
    "id", "symbol", "strategy", "exchange", "position", "scheduled_at", "opened_at", "ended_at",
    "price_open", "price_take_profit", "price_stop_loss", "price_close", "reason",
    "pnl_percentage", "note",
)  # fmt: skip


def trades_csv(trades: Iterable[SignalClosed]) -> str:
    """Return `trades` as CSV, a row each: times in UTC epoch ms, PnL in percent after costs."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, trades))
    return told.getvalue()


def _row(event: SignalClosed) -> tuple[str | int | float, ...]:
    row = event.signal
    return (
        row.id,
        row.symbol,
        row.strategy_name,
        row.exchange_name,
        row.position,
        row.scheduled_at,
        row.pending_at,
        event.close_timestamp,
        row.price_open,
        row.price_take_profit,
        row.price_stop_loss,
        event.current_price,
        event.close_reason,
        event.pnl.pnl_percentage,
        row.note,
    )
