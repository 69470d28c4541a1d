"""Trades as rows: the names of their columns, and closed ones of a run for a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from typing import TypedDict

from daemon.core.events import SignalClosed


class TradeRow(TypedDict):
    """What became of a signal, in plain values; times are UTC epoch ms.

    `pnl_percentage` is after costs; `levels` are those reached, in loss below zero.
    """

    id: str
    symbol: str
    strategy: str
    exchange: str
    position: str
    state: str
    scheduled_at: int
    opened_at: int | None
    ended_at: int | None
    price_open: float
    price_take_profit: float
    price_stop_loss: float
    price_close: float | None
    reason: str
    pnl_percentage: float | None
    levels: list[int]
    note: str


COLUMNS = tuple(TradeRow.__annotations__)
COLUMNS_CLOSED = tuple(name for name in COLUMNS if name not in {"state", "levels"})
"""All of a run are closed, and it does not keep their levels."""


def trades_csv(trades: Iterable[SignalClosed]) -> str:
    """Return `trades` as CSV, a row each: times in UTC epoch ms, PnL in percent after costs."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(COLUMNS_CLOSED)
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
