"""The strategies of the benchmarks: a position each at once, far from its target and its stop.

Loaded by the daemon as a user's file. What the daemon emits is heard through the public listeners
and written down with the machine's monotonic time, which all processes share.
"""

import atexit
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import orjson

from daemon import (
    PartialLossContract,
    PartialProfitContract,
    Signal,
    Strategy,
    View,
    listen_partial_loss,
    listen_partial_profit,
)

TAPE = "TICKD_BENCH_TAPE"
"""The environment's name of the file that the heard events go to at the end."""


class Wide(Strategy):
    """A long position at the market, `distance_percent` from its target and from its stop."""

    interval = "1m"
    params: Mapping[str, object] = MappingProxyType({"distance_percent": 15.0})

    async def get_signal(self, view: View) -> Signal:
        return wide_signal(view)


class WidePlain(Strategy):
    """The same, asked in a worker thread."""

    interval = "1m"
    params: Mapping[str, object] = MappingProxyType({"distance_percent": 18.0})

    def get_signal(self, view: View) -> Signal:
        return wide_signal(view)


def wide_signal(view: View) -> Signal:
    """Return a long signal as far as the parameters say."""
    reach = view.params.number("distance_percent") / 100.0
    return Signal(
        position="long",
        price_take_profit=view.price * (1.0 + reach),
        price_stop_loss=view.price * (1.0 - reach),
        minute_estimated_time=1440,
    )


def _tape(path: str) -> None:
    heard: list[dict[str, object]] = []

    def hear(event: PartialProfitContract | PartialLossContract) -> None:
        heard.append(
            {
                "at_s": time.monotonic(),
                "symbol": event.symbol,
                "strategy": event.strategy_name,
                "kind": event.kind,
                "level": event.level,
                "price_open": event.data.price_open,
                "price_take_profit": event.data.price_take_profit,
                "price_stop_loss": event.data.price_stop_loss,
            }
        )

    listen_partial_profit(hear)
    listen_partial_loss(hear)
    atexit.register(lambda: Path(path).write_bytes(orjson.dumps(heard)))


if TAPE in os.environ:
    _tape(os.environ[TAPE])
