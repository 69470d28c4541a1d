"""The figures of a row of trades, which every statistic of closed signals shares.

PnL is in percent points after costs, and each trade stakes the same amount: so totals and the
equity are running sums, and a drawdown is percent points of that stake. What a sample cannot carry
is None: a deviation needs two trades, a ratio a denominator that is not next to nothing.
"""

import math
from dataclasses import dataclass, field
from typing import TypedDict

from daemon.core.candles import DAY_MS
from daemon.core.events import SignalClosed
from daemon.core.moments import Moments, finite_or_none

YEAR_DAYS = 365

RATIO_SIZE_MAX = 1_000.0
"""A ratio beyond this tells of a denominator near zero, not of the trades."""

HELD_MS_MIN = DAY_MS
"""A year is told from trades that held at least a day in all, not from a few minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFigures:
    """The figures of closed signals, oldest first. All PnL in percent points.

    `win_rate` is in percent of all trades, `std_dev` the population deviation, `sharpe_ratio` the
    mean of a trade by its deviation (0 when that is 0), annualized by the root of 365 as if a day
    brought one trade. `certainty_ratio` is the average win by the size of the average loss.
    `expected_yearly_returns` is the average PnL times the average trades that fit into a year end
    to end. `max_drawdown` (not negative) is the deepest fall of the running sum from its peak.
    """

    win_count: int
    loss_count: int
    win_rate: float | None
    avg_pnl: float | None
    total_pnl: float | None
    std_dev: float | None
    sharpe_ratio: float | None
    annualized_sharpe_ratio: float | None
    certainty_ratio: float | None
    expected_yearly_returns: float | None
    max_drawdown: float | None


class FigureFields(TypedDict):
    """The fields of `TradeFigures`, for the records that are made of them."""

    win_count: int
    loss_count: int
    win_rate: float | None
    avg_pnl: float | None
    total_pnl: float | None
    std_dev: float | None
    sharpe_ratio: float | None
    annualized_sharpe_ratio: float | None
    certainty_ratio: float | None
    expected_yearly_returns: float | None
    max_drawdown: float | None


@dataclass(slots=True)
class TradeTally:
    """Counts trades one by one, oldest first, in constant memory."""

    pnl: Moments = field(default_factory=Moments)
    total: float = 0.0
    held_ms: int = 0
    win_count: int = 0
    loss_count: int = 0
    win_total: float = 0.0
    loss_total: float = 0.0
    win_streak_max: int = 0
    loss_streak_max: int = 0
    drawdown_max: float = 0.0
    _peak: float = 0.0
    _streak: int = 0

    def add(self, closed: SignalClosed) -> None:
        """Count one closed signal."""
        pnl = closed.pnl.pnl_percentage
        self.pnl.add(pnl)
        self.held_ms += closed.close_timestamp - closed.signal.pending_at
        self.total += pnl
        self._peak = max(self._peak, self.total)
        self.drawdown_max = max(self.drawdown_max, self._peak - self.total)
        self._count(pnl)

    def _count(self, pnl: float) -> None:
        # The streak is positive for wins, negative for losses; a trade at zero ends both.
        if pnl > 0:
            self.win_count += 1
            self.win_total += pnl
            self._streak = max(self._streak, 0) + 1
            self.win_streak_max = max(self.win_streak_max, self._streak)
        elif pnl < 0:
            self.loss_count += 1
            self.loss_total += pnl
            self._streak = min(self._streak, 0) - 1
            self.loss_streak_max = max(self.loss_streak_max, -self._streak)
        else:
            self._streak = 0

    def figures(self) -> FigureFields:
        """Return the figures of the trades so far."""
        return FigureFields(
            win_count=self.win_count,
            loss_count=self.loss_count,
            win_rate=self.win_rate,
            avg_pnl=self.pnl.average,
            total_pnl=self.total_pnl,
            std_dev=self.pnl.deviation,
            sharpe_ratio=self.sharpe_ratio,
            annualized_sharpe_ratio=annualized(self.sharpe_ratio),
            certainty_ratio=self.certainty_ratio,
            expected_yearly_returns=self.expected_yearly_returns,
            max_drawdown=self.max_drawdown,
        )

    @property
    def count(self) -> int:
        """Return the number of trades."""
        return self.pnl.count

    @property
    def total_pnl(self) -> float | None:
        """Return the sum of all PnL; None without trades."""
        return finite_or_none(self.total) if self.count else None

    @property
    def max_drawdown(self) -> float | None:
        """Return the deepest fall of the running sum from its peak; None without trades."""
        return finite_or_none(self.drawdown_max) if self.count else None

    @property
    def win_rate(self) -> float | None:
        """Return the percent of trades that won; None without trades."""
        return self.win_count / self.count * 100 if self.count else None

    @property
    def avg_win(self) -> float | None:
        """Return the average PnL of the trades that won; None if none did."""
        return finite_or_none(self.win_total / self.win_count) if self.win_count else None

    @property
    def avg_loss(self) -> float | None:
        """Return the average PnL (negative) of the trades that lost; None if none did."""
        return finite_or_none(self.loss_total / self.loss_count) if self.loss_count else None

    @property
    def profit_factor(self) -> float | None:
        """Return the sum of wins by the size of the sum of losses; None without losses."""
        return ratio(self.win_total, -self.loss_total)

    @property
    def expectancy(self) -> float | None:
        """Return what a trade brings: each side's rate times its average; None without trades."""
        if not self.count:
            return None
        win = self.win_count / self.count * (self.avg_win or 0.0)
        loss = self.loss_count / self.count * (self.avg_loss or 0.0)
        return finite_or_none(win + loss)

    @property
    def sharpe_ratio(self) -> float | None:
        """Return mean by deviation, 0 when the deviation is 0; None for fewer than two trades."""
        return sharpe_of(self.pnl)

    @property
    def certainty_ratio(self) -> float | None:
        """Return average win by size of average loss (0 without wins); None without losses."""
        return ratio(self.avg_win or 0.0, -(self.avg_loss or 0.0))

    @property
    def expected_yearly_returns(self) -> float | None:
        """Return the average PnL times the trades of a year; None from less than a day held."""
        average = self.pnl.average
        if self.count < 2 or average is None or self.held_ms < HELD_MS_MIN:
            return None
        days = self.held_ms / self.count / DAY_MS
        return finite_or_none(average * (YEAR_DAYS / days))


def sharpe_of(pnl: Moments) -> float | None:
    """Return the Sharpe ratio of one period: mean by population deviation, 0 without spread."""
    deviation, average = pnl.deviation, pnl.average
    if deviation is None or average is None:
        return None
    return 0.0 if deviation == 0 else ratio(average, deviation)


def ratio(above: float, below: float) -> float | None:
    """Return `above / below`, or None where `below` is zero or too near to it."""
    if below <= 0 or not math.isfinite(below):
        return None
    quotient = above / below
    return quotient if abs(quotient) <= RATIO_SIZE_MAX else None


def annualized(sharpe_ratio: float | None) -> float | None:
    """Return a trade's Sharpe ratio as a year's, as if each day brought one trade."""
    return None if sharpe_ratio is None else sharpe_ratio * math.sqrt(YEAR_DAYS)
