"""The heatmap: the closed signals of one strategy, symbol by symbol, and as one portfolio."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from daemon.core.collector import gathered
from daemon.core.events import Announcement, SignalClosed
from daemon.core.moments import finite_or_none
from daemon.core.trade_figures import TradeTally


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapRow:
    """The trades of one symbol, PnL in percent points; None is what they cannot carry.

    `profit_factor` is the sum of wins by the size of the sum of losses, `expectancy` what a trade
    brings, `max_drawdown` the deepest fall of the running sum from its peak, not negative.
    """

    symbol: str
    total_pnl: float | None
    sharpe_ratio: float | None
    max_drawdown: float | None
    total_trades: int
    win_count: int
    loss_count: int
    win_rate: float | None
    avg_pnl: float | None
    std_dev: float | None
    profit_factor: float | None
    avg_win: float | None
    avg_loss: float | None
    max_win_streak: int
    max_loss_streak: int
    expectancy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapStatistics:
    """All symbols, best Sharpe ratio first and those without one last.

    `portfolio_sharpe_ratio` is the mean of theirs, weighted by trades; a symbol without one weighs
    in as zero.
    """

    symbols: tuple[HeatmapRow, ...]
    total_symbols: int
    portfolio_total_pnl: float | None
    portfolio_sharpe_ratio: float | None
    portfolio_total_trades: int


class HeatmapCollector:
    """Gathers closed signals by symbol."""

    def __init__(self) -> None:
        self._tallies: dict[str, TradeTally] = {}

    def add(self, event: Announcement) -> None:
        """Take `event` into account if it is a closed signal."""
        if isinstance(event, SignalClosed):
            self._tallies.setdefault(event.symbol, TradeTally()).add(event)

    def statistics(self) -> HeatmapStatistics:
        """Return the figures of everything added so far."""
        rows = [_row(symbol, tally) for symbol, tally in self._tallies.items()]
        rows.sort(key=_rank)
        trades = sum(row.total_trades for row in rows)
        totals = [row.total_pnl for row in rows if row.total_pnl is not None]
        weighted = [
            row.sharpe_ratio * row.total_trades for row in rows if row.sharpe_ratio is not None
        ]
        return HeatmapStatistics(
            symbols=tuple(rows),
            total_symbols=len(rows),
            portfolio_total_pnl=finite_or_none(math.fsum(totals)) if totals else None,
            portfolio_sharpe_ratio=math.fsum(weighted) / trades if weighted else None,
            portfolio_total_trades=trades,
        )


def heatmap_statistics(events: Iterable[Announcement]) -> HeatmapStatistics:
    """Return the figures of the closed signals among `events`, in order of emission."""
    return gathered(HeatmapCollector(), events)


def _row(symbol: str, tally: TradeTally) -> HeatmapRow:
    return HeatmapRow(
        symbol=symbol,
        total_pnl=tally.total_pnl,
        sharpe_ratio=tally.sharpe_ratio,
        max_drawdown=tally.max_drawdown,
        total_trades=tally.count,
        win_count=tally.win_count,
        loss_count=tally.loss_count,
        win_rate=tally.win_rate,
        avg_pnl=tally.pnl.average,
        std_dev=tally.pnl.deviation,
        profit_factor=tally.profit_factor,
        avg_win=tally.avg_win,
        avg_loss=tally.avg_loss,
        max_win_streak=tally.win_streak_max,
        max_loss_streak=tally.loss_streak_max,
        expectancy=tally.expectancy,
    )


def _rank(row: HeatmapRow) -> tuple[bool, float, str]:
    sharpe = row.sharpe_ratio
    return (sharpe is None, -(sharpe or 0.0), row.symbol)
