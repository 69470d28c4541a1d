"""Where the result of a row of trades comes from: reasons, costs, and time in the market.

PnL in percent points of the stake, times UTC epoch ms.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from daemon.core.candles import MINUTE_MS
from daemon.core.events import SignalClosed
from daemon.core.moments import finite_or_none
from daemon.core.pnl import profit_loss
from daemon.core.rules import Rules
from daemon.core.states import CloseReason
from daemon.core.trade_figures import TradeTally


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """The trades that closed for one reason; `share_percent` is of all trades."""

    reason: CloseReason
    count: int
    share_percent: float
    win_count: int
    total_pnl: float | None
    avg_pnl: float | None
    avg_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The sum of PnL before costs, what slippage and fees took of it, and what was left."""

    gross: float
    slippage: float
    fee: float
    net: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureSpan:
    """How much of a span was spent with an open position, long and short, in percent of it.

    Positions that overlap add up, to more than 100 if there were several at once.
    """

    start_ms: int
    end_ms: int
    long_percent: float
    short_percent: float


def by_reason(closed: Iterable[SignalClosed]) -> tuple[ReasonRow, ...]:
    """Return a row for each reason that occurred, in the order of the rules."""
    tallies: dict[str, TradeTally] = {}
    count = 0
    for event in closed:
        tallies.setdefault(event.close_reason, TradeTally()).add(event)
        count += 1
    return tuple(
        ReasonRow(
            reason=reason,
            count=tally.count,
            share_percent=tally.count / count * 100,
            win_count=tally.win_count,
            total_pnl=tally.total_pnl,
            avg_pnl=tally.pnl.average,
            avg_minutes=tally.held_ms / tally.count / MINUTE_MS,
        )
        for reason in get_args(CloseReason)
        if (tally := tallies.get(reason)) is not None
    )


def costs(closed: Iterable[SignalClosed], rules: Rules) -> Costs | None:
    """Return what costs took of the trades under `rules`; None without trades, or not finite.

    Slippage is told first and fees of what it left, so that the parts add up to the whole.
    """
    free = replace(rules, percent_slippage=0.0, percent_fee=0.0)
    slipped = replace(rules, percent_fee=0.0)
    gross = after_slippage = net = 0.0
    count = 0
    for event in closed:
        prices = (event.signal.position, event.signal.price_open, event.current_price)
        gross += profit_loss(*prices, free).pnl_percentage
        after_slippage += profit_loss(*prices, slipped).pnl_percentage
        net += event.pnl.pnl_percentage
        count += 1
    if not count or finite_or_none(gross + after_slippage + net) is None:
        return None
    return Costs(gross=gross, slippage=gross - after_slippage, fee=after_slippage - net, net=net)


def exposure(
    closed: Sequence[SignalClosed], start_ms: int, end_ms: int, spans: int
) -> tuple[ExposureSpan, ...]:
    """Return the exposure of `spans` equal parts of the time from `start_ms` to `end_ms`.

    Nothing for a time without length.
    """
    length_ms = end_ms - start_ms
    if length_ms <= 0 or spans < 1:
        return ()
    edges = [start_ms + length_ms * number // spans for number in range(spans + 1)]
    held = {"long": [0] * spans, "short": [0] * spans}
    for event in closed:
        begin = max(event.signal.pending_at, start_ms)
        end = min(event.close_timestamp, end_ms)
        if end <= begin:
            continue
        first = min((begin - start_ms) * spans // length_ms, spans - 1)
        for number in range(first, spans):
            if edges[number] >= end:
                break
            inside = min(end, edges[number + 1]) - max(begin, edges[number])
            held[event.signal.position][number] += max(0, inside)
    return tuple(
        ExposureSpan(
            start_ms=edges[number],
            end_ms=edges[number + 1],
            long_percent=_percent(held["long"][number], edges[number + 1] - edges[number]),
            short_percent=_percent(held["short"][number], edges[number + 1] - edges[number]),
        )
        for number in range(spans)
    )


def _percent(part: int, whole: int) -> float:
    return part / whole * 100 if whole else 0.0
