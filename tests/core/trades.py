"""Closed signals by their PnL, for tests of the figures that are made of them."""

from collections.abc import Sequence
from dataclasses import replace

from daemon.core.events import SignalClosed
from daemon.core.pnl import ProfitLoss
from daemon.core.signal import Key
from daemon.core.trade_figures import TradeTally
from tests.core.some_events import AT_MS, KEY, a_closed

HOUR_MS = 3_600_000


def a_trade(pnl: float, *, number: int = 0, held_ms: int = 12 * HOUR_MS) -> SignalClosed:
    """Held for `held_ms`, right after the trades before it."""
    opened_at = AT_MS + number * held_ms
    closed = a_closed(event_id=f"e{number}")
    return replace(
        closed,
        signal=replace(closed.signal, id=f"s{number}", pending_at=opened_at),
        pnl=ProfitLoss(pnl_percentage=pnl, price_open=100.2, price_close=101.8),
        close_timestamp=opened_at + held_ms,
        at_ms=opened_at + held_ms,
    )


def trades(*pnls: float, held_ms: int = 12 * HOUR_MS) -> list[SignalClosed]:
    return [a_trade(pnl, number=number, held_ms=held_ms) for number, pnl in enumerate(pnls)]


def on_symbol(events: Sequence[SignalClosed], symbol: str) -> list[SignalClosed]:
    return [replace(event, key=a_key(symbol)) for event in events]


def a_key(symbol: str) -> Key:
    return replace(KEY, symbol=symbol)


def tallied(*pnls: float, held_ms: int = 12 * HOUR_MS) -> TradeTally:
    tally = TradeTally()
    for event in trades(*pnls, held_ms=held_ms):
        tally.add(event)
    return tally
