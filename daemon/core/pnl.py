"""Profit and loss of one signal, costs included."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from daemon.core.rules import Rules

Position = Literal["long", "short"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitLoss:
    """`pnl_percentage` in percent points; the two prices are adjusted by slippage and fee."""

    pnl_percentage: float
    price_open: float
    price_close: float


def profit_loss(
    position: Position, price_open: float, price_close: float, rules: Rules
) -> ProfitLoss:
    """Return the result of entering at `price_open` and leaving at `price_close`.

    Slippage and fee each multiply both prices, against the trader: a long pays more at entry and
    gets less at exit, a short the reverse (the lifecycle seed's `toProfitLossDto`).
    """
    percent, entry, leave = _result(position, price_open, price_close, rules)
    return ProfitLoss(pnl_percentage=percent, price_open=entry, price_close=leave)


def pnl_percentage(
    position: Position, price_open: float, price_close: float, rules: Rules
) -> float:
    """Return the percent points alone that `profit_loss` returns."""
    return _result(position, price_open, price_close, rules)[0]


def _result(
    position: Position, price_open: float, price_close: float, rules: Rules
) -> tuple[float, float, float]:
    """Return the result in percent points, and the two adjusted prices."""
    up, down = _costs(rules.percent_slippage, rules.percent_fee)
    if position == "long":
        entry, leave = price_open * up, price_close * down
        gain = leave - entry
    else:
        entry, leave = price_open * down, price_close * up
        gain = entry - leave
    return gain / entry * 100, entry, leave


@lru_cache(maxsize=64)
def _costs(slippage_percent: float, fee_percent: float) -> tuple[float, float]:
    """Return what a price paid and a price got are multiplied with."""
    up = (1 + slippage_percent / 100) * (1 + fee_percent / 100)
    down = (1 - slippage_percent / 100) * (1 - fee_percent / 100)
    return up, down


def distance_percent_break_even(position: Position, rules: Rules) -> float:
    """Return the distance of a take profit from its entry, in percent, at which PnL is zero."""
    up, down = _costs(rules.percent_slippage, rules.percent_fee)
    return (up / down - 1) * 100 if position == "long" else (1 - down / up) * 100
