"""At which prices and when a state must be judged at once: what a live task wakes up for."""

import math
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from daemon.core.candles import MINUTE_MS
from daemon.core.levels import LEVELS, price_of_level
from daemon.core.rules import Rules
from daemon.core.states import Active, Closing, Idle, Opening, Scheduled, State


class Bounds(NamedTuple):
    """A price at or below `low`, or at or above `high`, crosses an armed level."""

    low: float = -math.inf
    high: float = math.inf

    def is_crossed(self, price: float) -> bool:
        """Say whether `price` is at or past either bound."""
        return price <= self.low or price >= self.high


def bounds_of(state: State, rules: Rules) -> Bounds:
    """Return the nearest armed levels of `state`: entry, target, stop, next partial levels."""
    match state:
        case Scheduled(signal=row):
            if row.position == "long":
                return Bounds(low=row.price_open)
            return Bounds(high=row.price_open)
        case Active():
            return _bounds_of_active(state, rules)
        case Idle() | Opening() | Closing():
            return Bounds()
        case _:
            assert_never(state)


def _bounds_of_active(state: Active, rules: Rules) -> Bounds:
    row, basis = state.signal, rules.partial_basis
    gains = [row.price_take_profit]
    losses = [row.price_stop_loss]
    gains += [
        price_of_level(row, level, basis) for level in LEVELS if level not in state.profit_levels
    ]
    losses += [
        price_of_level(row, -level, basis) for level in LEVELS if level not in state.loss_levels
    ]
    if row.position == "long":
        return Bounds(low=max(losses), high=min(gains))
    return Bounds(low=max(gains), high=min(losses))


@dataclass(frozen=True, slots=True)
class Armed:
    """What a state is armed with, worked out once: a tick in between needs no judging.

    It is so between the prices `low` and `high`, before the market time `due_ms`.
    """

    low: float = math.inf
    high: float = -math.inf
    due_ms: float = -math.inf

    def is_quiet(self, at_ms: int, price: float) -> bool:
        """Say whether `step` would stay at a tick of `price` at `at_ms`."""
        return self.low < price < self.high and at_ms < self.due_ms


ROUNDING = 1e-9
"""So much nearer than a level a tick is judged already: its price is reckoned in two ways."""


def armed_of(state: State, rules: Rules) -> Armed:
    """Return when a tick may be left unjudged in `state`: never where an order may be due."""
    due_ms = deadline_ms(state, rules)
    if due_ms is None:
        return Armed()
    bounds = bounds_of(state, rules)
    return Armed(bounds.low * (1.0 + ROUNDING), bounds.high * (1.0 - ROUNDING), due_ms)


def deadline_ms(state: State, rules: Rules) -> int | None:
    """Return the market time (ms) at which time alone ends `state`, or None."""
    match state:
        case Scheduled(signal=row):
            return row.scheduled_at + rules.schedule_await_ms
        case Active(signal=row):
            return row.pending_at + row.minute_estimated_time * MINUTE_MS
        case Idle() | Opening() | Closing():
            return None
        case _:
            assert_never(state)
