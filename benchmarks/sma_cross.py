"""The strategy of the benchmarks over history, as an author would write it: two averages cross."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from daemon import Signal, Strategy, View


class SmaCross(Strategy):
    """Goes with the side on which the fast average (of 15-minute closes) crosses the slow one."""

    strategy_name = "sma_cross"
    interval = "15m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({"15m": 101})
    params: Mapping[str, object] = MappingProxyType({"fast": 10, "slow": 30})

    async def get_signal(self, view: View) -> Signal | None:
        fast, slow = view.params.integer("fast"), view.params.integer("slow")
        closes = view.candles("15m", slow + 1).close
        recent = closes[-fast - 1 :]
        # Each has one candle more than its average: now without the oldest, before without the
        # newest.
        newest, in_recent, in_all = closes[-1], sum(recent), sum(closes)
        lead = (in_recent - recent[0]) / fast - (in_all - closes[0]) / slow
        lead_before = (in_recent - newest) / fast - (in_all - newest) / slow
        price = view.price
        if lead_before <= 0 < lead:
            return Signal(
                position="long",
                price_take_profit=price * 1.02,
                price_stop_loss=price * 0.99,
                minute_estimated_time=1440,
            )
        if lead < 0 <= lead_before:
            return Signal(
                position="short",
                price_take_profit=price * 0.98,
                price_stop_loss=price * 1.01,
                minute_estimated_time=1440,
            )
        return None


class Metronome(Strategy):
    """A position of `minutes` minutes at every `every`-th question; none where that is 0."""

    strategy_name = "metronome"
    interval = "15m"
    params: Mapping[str, object] = MappingProxyType({"every": 0, "minutes": 10})

    async def get_signal(self, view: View) -> Signal | None:
        every = view.params.integer("every")
        if every == 0 or view.now_ms // 900_000 % every:
            return None
        price = view.price
        return Signal(
            position="long",
            price_take_profit=price * 1.15,
            price_stop_loss=price * 0.85,
            minute_estimated_time=view.params.integer("minutes"),
        )
