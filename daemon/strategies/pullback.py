"""Pullback: in a trend, wait for a better price than the present one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from daemon.core.signal import Signal
from daemon.core.spaces import Float, Int, Spaces
from daemon.core.strategy import Strategy, View


class Pullback(Strategy):
    """Schedule an entry against the last move, in the direction of the trend.

    The trend is the mean of the last `fast` closes against the mean of the last `slow` (at most
    120 minutes). The entry waits `pullback_percent` away from the price, and is dropped when the
    market does not come back in time.
    """

    strategy_name = "pullback"
    interval = "3m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({"1m": 120})
    params: Mapping[str, object] = MappingProxyType(
        {
            "fast": 10,
            "slow": 30,
            "pullback_percent": 0.3,
            "take_profit_percent": 1.0,
            "stop_loss_percent": 0.7,
            "life_minutes": 30,
        }
    )
    spaces: ClassVar[Spaces] = MappingProxyType(
        {
            "fast": Int(5, 30, step=5),
            "slow": Int(40, 120, step=10),
            "pullback_percent": Float(0.1, 0.6, step=0.1),
        }
    )

    def get_signal(self, view: View) -> Signal | None:
        """Return a waiting entry in the direction of the trend, or None without one."""
        params = view.params
        fast, slow = params.integer("fast"), params.integer("slow")
        closes = view.candles("1m", slow).close
        mean_fast, mean_slow = sum(closes[-fast:]) / fast, sum(closes) / slow
        if mean_fast == mean_slow:
            return None

        is_up = mean_fast > mean_slow
        sign = 1 if is_up else -1
        entry = view.price * (1 - sign * params.number("pullback_percent") / 100)
        target = params.number("take_profit_percent") / 100
        stop = params.number("stop_loss_percent") / 100
        return Signal(
            position="long" if is_up else "short",
            price_open=entry,
            price_take_profit=entry * (1 + sign * target),
            price_stop_loss=entry * (1 - sign * stop),
            minute_estimated_time=params.integer("life_minutes"),
            note=f"mean of {fast} {'above' if is_up else 'below'} mean of {slow} minutes",
        )
