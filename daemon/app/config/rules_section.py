"""The table of the rules: the core's own thresholds, with units, bounds and defaults."""

from dataclasses import fields
from typing import Annotated

from pydantic import ConfigDict, Field, Strict
from pydantic.dataclasses import dataclass

from daemon.core.rules import IntrabarOrder, PartialBasis, Rules

# Strict each by itself: a dataclass that is strict as a whole takes no table.
Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]
Switch = Annotated[bool, Strict()]
PLAIN = ConfigDict(extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True, config=PLAIN)
class RulesSection(Rules):
    """What a signal must satisfy and how it is followed; 0.1 percent is written 0.1."""

    def plain(self) -> Rules:
        """Return the same as the core's own record: other processes need no settings for it."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})

    percent_slippage: Number = Field(
        default=0.1,
        ge=0,
        le=50,
        description="Slippage per side of a trade, in percent of the price.",
    )
    percent_fee: Number = Field(
        default=0.1, ge=0, le=50, description="Fee per side of a trade, in percent of the price."
    )
    min_takeprofit_distance_percent: Number = Field(
        default=0.3,
        ge=0,
        le=100,
        description="Least distance of the target from the entry, in percent; 0 switches the"
        " check off.",
    )
    min_stoploss_distance_percent: Number = Field(
        default=0.1,
        ge=0,
        le=100,
        description="Least distance of the stop from the entry, in percent; 0 switches the check"
        " off.",
    )
    max_stoploss_distance_percent: Number = Field(
        default=20.0,
        ge=0,
        le=100,
        description="Most distance of the stop from the entry, in percent; 0 switches the check"
        " off.",
    )
    require_profit_after_costs: Switch = Field(
        default=True,
        description="Refuse a signal that loses at its own target, once slippage and fees are"
        " paid.",
    )
    max_signal_lifetime_minutes: Whole = Field(
        default=1440,
        ge=1,
        le=5_256_000,
        description="Most minutes that a signal may ask to stay open.",
    )
    schedule_await_minutes: Whole = Field(
        default=120,
        ge=1,
        le=525_600,
        description="Minutes of market time that a signal waits for its entry price before it is"
        " cancelled.",
    )
    max_signal_generation_seconds: Whole = Field(
        default=180,
        ge=1,
        le=86_400,
        description="Most seconds that a strategy may take for an answer, and to be made.",
    )
    avg_price_candles_count: Whole = Field(
        default=5, ge=1, le=1000, description="One-minute candles that make the average price."
    )
    align: Switch = Field(
        default=True,
        description="Ask strategies at multiples of their interval (12:00, 12:05, ...), as a"
        " backtest does, rather than from the start on.",
    )
    partial_basis: PartialBasis = Field(
        default="progress",
        description="What the levels 10, 20, ... 100 count: `progress` to the target or stop, or"
        " percent of `price`.",
    )
    intrabar: IntrabarOrder = Field(
        default="seed",
        description="Which comes first where one candle touched both: `seed` takes the target,"
        " `worst_case` the stop.",
    )
    max_price_age_s: Whole = Field(
        default=60,
        ge=1,
        le=86_400,
        description="No decision on a price that was last confirmed more than so many seconds ago.",
    )
    max_price_jump_percent: Number = Field(
        default=50.0,
        gt=0,
        le=100_000,
        description="A greater move against the last good minute, in percent, decides nothing"
        " until it is confirmed.",
    )
    get_candles_retry_count: Whole = Field(
        default=3, ge=0, le=100, description="Tries of a request for candles."
    )
    get_candles_retry_delay_ms: Whole = Field(
        default=5000, ge=0, le=600_000, description="Milliseconds between two tries."
    )
    get_candles_price_anomaly_threshold_factor: Whole = Field(
        default=1000,
        ge=2,
        le=1_000_000_000,
        description="A price below the median divided by this factor is refused.",
    )
    get_candles_min_candles_for_median: Whole = Field(
        default=5,
        ge=1,
        le=10_000,
        description="Least candles for the median; with fewer the mean is taken.",
    )
