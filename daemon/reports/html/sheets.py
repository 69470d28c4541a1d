"""What a page is made of: facts that somebody else has gathered. Times are UTC epoch ms."""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.core.equity import Account
from daemon.core.events import SignalClosed
from daemon.core.rules import Rules
from daemon.core.trade_figures import TradeFigures

Facts = Sequence[tuple[str, str]]
"""Names and values, as they are to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Candles to draw trades on, oldest first, each column as long as `at_ms`."""

    interval: str
    at_ms: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """The same run with the worst order in every bar that leaves open what came first.

    `is_whole` says that `trades` (oldest first) are all of them, and can be drawn.
    """

    figures: TradeFigures
    trades: Sequence[SignalClosed]
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSheet:
    """One strategy on one symbol.

    `trades` are oldest first; `trades_total` says how many there were if not all are listed.
    `counts` stand under the headline, `remarks` are sentences that a reader must know.
    `held_percent` is what one position held all the time would have come to, after costs.
    """

    symbol: str
    strategy_name: str
    figures: TradeFigures
    trades: Sequence[SignalClosed]
    trades_total: int
    worst_case: WorstCase | None = None
    ambiguous_bar_count: int = 0
    counts: Facts = ()
    remarks: Sequence[str] = ()
    parameters: Facts = ()
    data: Facts = ()
    bars: Bars | None = None
    account: Account | None = None
    held_percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSheet:
    """One run: its title, the stretch of time that it is about, its rules and its lanes."""

    title: str
    subtitle: str
    start_ms: int
    end_ms: int
    rules: Rules
    lanes: Sequence[LaneSheet]
    settings: Facts = ()
    remarks: Sequence[str] = ()
