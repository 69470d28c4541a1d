"""Progress of an open signal and its partial levels: 10, 20 ... 100."""

from dataclasses import dataclass
from typing import Literal

from daemon.core.rules import PartialBasis
from daemon.core.signal import SignalRow

PartialLevel = Literal[10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
LEVELS: tuple[PartialLevel, ...] = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)

LEVEL_TOLERANCE_PERCENT = 1e-9
"""What a float may lack: at the very price of a level its progress may be 9.999999999999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a price stands between entry and target or stop; costs excluded.

    `price_percent` is the gain in percent of the entry price (negative: a loss).
    `progress_percent` is the way towards the target (positive) or the stop (negative), where 100
    is at it. `percent_tp` and `percent_sl` are the same as two numbers of 0..100.
    """

    price_percent: float
    progress_percent: float

    @property
    def percent_tp(self) -> float:
        return min(100.0, max(0.0, self.progress_percent))

    @property
    def percent_sl(self) -> float:
        return min(100.0, max(0.0, -self.progress_percent))

    def on(self, basis: PartialBasis) -> float:
        """Return the percent that levels are counted on: negative is a loss."""
        return self.progress_percent if basis == "progress" else self.price_percent


def progress_at(row: SignalRow, price: float) -> Progress:
    """Return the progress of the open signal `row` at `price`."""
    gain = price - row.price_open if row.position == "long" else row.price_open - price
    span = row.price_take_profit if gain >= 0 else row.price_stop_loss
    return Progress(
        price_percent=gain / row.price_open * 100,
        progress_percent=gain / abs(span - row.price_open) * 100,
    )


def new_levels(size_percent: float, reached: tuple[int, ...]) -> tuple[PartialLevel, ...]:
    """Return the levels up to `size_percent` that are not in `reached`, ascending."""
    reach = size_percent + LEVEL_TOLERANCE_PERCENT
    if reach < LEVELS[0]:
        return ()
    return tuple(level for level in LEVELS if level <= reach and level not in reached)


def price_of_level(row: SignalRow, percent: float, basis: PartialBasis) -> float:
    """Return the price at which `row` stands at `percent` (negative: on the loss side)."""
    sign = 1 if row.position == "long" else -1
    if basis == "price":
        return row.price_open * (1 + sign * percent / 100)
    end = row.price_take_profit if percent >= 0 else row.price_stop_loss
    return row.price_open + (end - row.price_open) * (abs(percent) / 100)
