"""Every threshold of the rules, as one frozen value.

The field names are the seeds' configuration keys in snake_case without their prefix; each is a
setting under `[rules]` of the configuration file, where its unit and bounds are explained.
"""

from dataclasses import dataclass
from typing import Literal

from daemon.core.candles import MINUTE_MS

PartialBasis = Literal["progress", "price"]
IntrabarOrder = Literal["seed", "worst_case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The thresholds that the lifecycle, the validation and the market feed judge by.

    Percents are percent points (0.1 is 0.1 %). A distance of 0 switches its check off.
    """

    percent_slippage: float = 0.1
    percent_fee: float = 0.1
    min_takeprofit_distance_percent: float = 0.3
    min_stoploss_distance_percent: float = 0.1
    max_stoploss_distance_percent: float = 20.0
    require_profit_after_costs: bool = True
    max_signal_lifetime_minutes: int = 1440
    schedule_await_minutes: int = 120
    max_signal_generation_seconds: int = 180
    avg_price_candles_count: int = 5
    align: bool = True
    partial_basis: PartialBasis = "progress"
    intrabar: IntrabarOrder = "seed"
    max_price_age_s: int = 60
    max_price_jump_percent: float = 50.0
    get_candles_retry_count: int = 3
    get_candles_retry_delay_ms: int = 5000
    get_candles_price_anomaly_threshold_factor: int = 1000
    get_candles_min_candles_for_median: int = 5

    @property
    def schedule_await_ms(self) -> int:
        """Return how long a scheduled signal waits for its entry price, in ms."""
        return self.schedule_await_minutes * MINUTE_MS

    @property
    def price_age_ms_max(self) -> int:
        """Return the age in ms past which a price decides nothing."""
        return self.max_price_age_s * 1000
