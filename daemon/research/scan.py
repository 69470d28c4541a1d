"""Where in the bars ahead a signal could do anything but stay: a search, and never a verdict.

Every bar that is found goes through `step`, which alone decides. So the search may find a bar too
many, and must not miss one: a property feeds all bars that it skips to `step` and sees nothing.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from daemon.core.arming import Bounds, bounds_of, deadline_ms
from daemon.core.candles import MINUTE_MS
from daemon.core.levels import LEVELS, price_of_level
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow
from daemon.core.states import Active, Closing, Idle, Opening, Scheduled, State
from daemon.research.columns import Floats
from daemon.research.market import Market

STRETCH = 2_048
"""How many bars are looked at first; each further look is four times as long.

To look at so many takes no longer than to look once more.
"""

SLACK = 1e-9
"""Share of a price by which a level is looked for early: more than rounding can amount to."""


@dataclass(slots=True)
class Ahead:
    """The bars that must be judged, ascending; the last one may end the signal.

    They hold as long as `step` makes of each what the search expected: `levels` says how many
    partial levels are reached after each bar but the last.
    """

    bars: list[int]
    levels: list[int]
    place: int = 0

    @property
    def bar(self) -> int | None:
        """Return the next bar to judge, or None: no bar that is left changes anything."""
        return self.bars[self.place] if self.place < len(self.bars) else None

    def pass_on(self, state: State) -> bool:
        """Go on to the bar after; say whether `state`, which this one left, was expected."""
        place, self.place = self.place, self.place + 1
        return (
            place < len(self.levels)
            and isinstance(state, Active)
            and len(state.profit_levels) + len(state.loss_levels) == self.levels[place]
        )


NOTHING_AHEAD = Ahead([], [])


def look_ahead(state: State, market: Market, start: int, rules: Rules) -> Ahead:
    """Return the bars from `start` on at which `step` could do anything but stay."""
    match state:
        case Scheduled():
            end = _end(state, market, start, bounds_of(state, rules), rules)
            return Ahead([end] if end < market.count else [], [])
        case Active(signal=row):
            ends = (row.price_stop_loss, row.price_take_profit)
            bounds = Bounds(min(ends), max(ends))
            end = _end(state, market, start, bounds, rules)
            ahead = Ahead([], [])
            if len(state.profit_levels) + len(state.loss_levels) < 2 * len(LEVELS):
                ahead = _levels_ahead(state, market.price[start:end], start, rules)
            if end < market.count:
                ahead.bars.append(end)
            return ahead
        case Idle() | Opening() | Closing():
            return NOTHING_AHEAD
        case _:
            assert_never(state)


def _end(state: State, market: Market, start: int, bounds: Bounds, rules: Rules) -> int:
    """Return the first bar that touches `bounds` or at whose open time is over, or the count."""
    due_ms = deadline_ms(state, rules)
    stop = market.count
    if due_ms is not None:
        stop = max(start, min(stop, -(-(due_ms - market.start_ms) // MINUTE_MS)))
    low, high = market.low, market.high
    size = STRETCH
    while start < stop:
        after = min(start + size, stop)
        touched = (low[start:after] <= bounds.low) | (high[start:after] >= bounds.high)
        place = int(touched.argmax())
        if touched[place]:
            return start + place
        start, size = after, size * 4
    return stop


def _levels_ahead(state: Active, price: Floats, start: int, rules: Rules) -> Ahead:
    """Return the bars at which a new partial level is reached, for the prices from `start` on."""
    ahead = Ahead([], [])
    if not len(price):
        return ahead
    row = state.signal
    # Upside down for a short, so that gains are above for both.
    above = price if row.position == "long" else -price
    gains = _level_prices(row, 1, state.profit_levels, rules)
    losses = _level_prices(row, -1, state.loss_levels, rules)
    profit_bars = _reached(np.maximum.accumulate(above), gains)
    loss_bars = _reached(-np.minimum.accumulate(above), losses)
    reached = len(state.profit_levels) + len(state.loss_levels)
    both = sorted(profit_bars + loss_bars)
    for bar in sorted(set(both)):
        ahead.bars.append(start + bar)
        ahead.levels.append(reached + bisect_right(both, bar))
    return ahead


def _level_prices(row: SignalRow, side: int, reached: tuple[int, ...], rules: Rules) -> list[float]:
    """Return the heights of the levels that are left on one side (1: gains), nearest first."""
    sign = side if row.position == "long" else -side
    left = [
        sign * price_of_level(row, side * level, rules.partial_basis)
        for level in LEVELS
        if level not in reached
    ]
    return [height - SLACK * abs(height) for height in left]


def _reached(heights: Floats, levels: list[float]) -> list[int]:
    """Return where `heights`, which never fall, first reach each of `levels`, if they do."""
    count = len(heights)
    return [place for place in heights.searchsorted(levels).tolist() if place < count]
