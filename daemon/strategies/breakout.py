"""Breakout: enter at the market when the price leaves the range of the last minutes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from daemon.core.signal import Signal
from daemon.core.spaces import Float, Int, Spaces
from daemon.core.strategy import Strategy, View


class Breakout(Strategy):
    """Go with the market when the last minute closes outside the range before it.

    Parameters: `lookback` minutes of range (at most 60), `take_profit_percent` and
    `stop_loss_percent` from the price, `life_minutes` of the position.
    """

    strategy_name = "breakout"
    interval = "5m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({"1m": 61})
    params: Mapping[str, object] = MappingProxyType(
        {
            "lookback": 15,
            "take_profit_percent": 0.9,
            "stop_loss_percent": 0.6,
            "life_minutes": 20,
        }
    )
    spaces: ClassVar[Spaces] = MappingProxyType(
        {
            "lookback": Int(5, 60, step=5),
            "take_profit_percent": Float(0.3, 1.8, step=0.1),
            "stop_loss_percent": Float(0.3, 1.2, step=0.1),
        }
    )

    async def get_signal(self, view: View) -> Signal | None:
        """Return a market entry in the direction of a breakout, or None."""
        params = view.params
        lookback = params.integer("lookback")
        target = params.number("take_profit_percent") / 100
        stop = params.number("stop_loss_percent") / 100
        minutes = view.candles("1m", lookback + 1)
        before, last = minutes[:-1], minutes[-1]

        if last.close > max(before.high):
            return Signal(
                position="long",
                price_take_profit=view.price * (1 + target),
                price_stop_loss=view.price * (1 - stop),
                minute_estimated_time=params.integer("life_minutes"),
                note=f"closed above the high of {lookback} minutes",
            )
        if last.close < min(before.low):
            return Signal(
                position="short",
                price_take_profit=view.price * (1 - target),
                price_stop_loss=view.price * (1 + stop),
                minute_estimated_time=params.integer("life_minutes"),
                note=f"closed below the low of {lookback} minutes",
            )
        return None
