"""What the market did while nobody watched: the levels of a signal that a gap's candles touched.

Missed minutes are not replayed: the first live price decides. A person wants to know all the same
that a stop was touched while the daemon was down.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from daemon.core.candles import Candle
from daemon.core.levels import LEVELS, price_of_level
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow
from daemon.core.states import Active, Scheduled, State

Side = Literal["low", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The first minute (UTC epoch ms of its begin) whose range reached the level `name`."""

    name: str
    price: float
    at_ms: int


def touches(state: State, minutes: Sequence[Candle], rules: Rules) -> tuple[Touch, ...]:
    """Return the levels of a waiting or open signal that `minutes` touched, one per name.

    Of the partial levels on one side only the farthest is named.
    """
    if isinstance(state, Scheduled):
        levels = _levels_of_waiting(state.signal)
    elif isinstance(state, Active):
        levels = _levels_of_open(state, rules)
    else:
        return ()
    found: dict[str, Touch] = {}
    for level in levels:
        touch = _first_touch(level, minutes)
        if touch is not None:
            found.setdefault(level.group, touch)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Level:
    group: str
    name: str
    price: float
    side: Side


def _levels_of_waiting(row: SignalRow) -> Iterator[_Level]:
    towards: Side = "low" if row.position == "long" else "high"
    yield _Level("entry", "entry", row.price_open, towards)
    yield _Level("stop", "stop loss", row.price_stop_loss, towards)


def _levels_of_open(state: Active, rules: Rules) -> Iterator[_Level]:
    row, basis = state.signal, rules.partial_basis
    gain: Side = "high" if row.position == "long" else "low"
    loss: Side = "low" if row.position == "long" else "high"
    yield _Level("target", "take profit", row.price_take_profit, gain)
    yield _Level("stop", "stop loss", row.price_stop_loss, loss)
    for level in reversed(LEVELS):
        if level not in state.profit_levels:
            price = price_of_level(row, level, basis)
            yield _Level("profit", f"{level} % of profit", price, gain)
        if level not in state.loss_levels:
            price = price_of_level(row, -level, basis)
            yield _Level("loss", f"{level} % of loss", price, loss)


def _first_touch(level: _Level, minutes: Sequence[Candle]) -> Touch | None:
    for minute in minutes:
        is_touched = (
            minute.low <= level.price if level.side == "low" else minute.high >= level.price
        )
        if is_touched:
            return Touch(name=level.name, price=level.price, at_ms=minute.timestamp)
    return None
