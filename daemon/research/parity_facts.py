"""What a comparison of live trading with a backtest comes to."""

from dataclasses import dataclass
from typing import Literal

from daemon.core.signal import Key

Cause = Literal[
    "vwap",
    "minute",
    "latency",
    "data",
    "risk",
    "command",
    "downtime",
    "strategy",
    "unknown",
]
"""Why live trading and a backtest came to something else.

- vwap: live decides on the average price, a backtest on the extremes of a candle
- minute: the same fact; a backtest knows it when its minute is over
- latency: live asked, or looked, later than at the turn of the minute
- data: candles are missing, or were others when live saw them
- risk: a profile refused live
- command: a person closed, cancelled, stopped or paused
- downtime: the daemon did not run, or knew no price
- strategy: asked again on the same, the strategy answers otherwise
- unknown: none of these could be shown
"""

Where = Literal["signal", "entry", "exit", "candle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that a backtest would have done otherwise.

    `at_ms` (UTC epoch ms) is when it happened live, or would have in a backtest. `live` and
    `backtest` say what each did, `why` how the cause is known.
    """

    at_ms: int
    key: Key
    where: Where
    live: str
    backtest: str
    cause: Cause
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a side came to: closed positions, cancelled signals, sum of PnL in percent."""

    closed_count: int
    cancelled_count: int
    pnl_percentage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneParity:
    """One (symbol, strategy): what was compared, and both sides in all.

    `ask_count` moments were asked again, `skipped_count` not: without the history that the
    strategy declares, or while it did not run. `lateness_ms` is how long after its moment a
    signal was made, at the median and at most.
    """

    key: Key
    ask_count: int
    skipped_count: int
    signal_count: int
    lateness_ms: tuple[int, int]
    live: Outcome
    backtest: Outcome | None
