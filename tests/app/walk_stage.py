"""Strategies and candles for walkers and searches, where other processes find them too."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from daemon import (
    Choice,
    Frame,
    Int,
    Signal,
    Strategy,
    View,
    add_frame,
    add_history,
    add_strategy,
)
from daemon.app import history as histories
from daemon.app.registry import REGISTRY
from daemon.core.candles import Candle
from daemon.core.spaces import Space
from tests.core.samples import MINUTE, T0

SYMBOL = "BTC/USDT"
MINUTES = 3000


class Swing(Strategy):
    """Buys when it is asked, with targets as its parameters say."""

    strategy_name = "swing"
    interval = "5m"
    params: Mapping[str, object] = {"target": 10, "stop": 10, "side": "long"}
    spaces: ClassVar[Mapping[str, Space]] = {
        "target": Int(5, 30),
        "stop": Int(5, 30),
        "side": Choice("long", "short"),
    }

    def get_signal(self, view: View) -> Signal:
        """Return an entry at the market; targets are tenths of a percent."""
        sign = 1 if view.params.text("side") == "long" else -1
        target, stop = view.params.integer("target"), view.params.integer("stop")
        return Signal(
            position="long" if sign == 1 else "short",
            price_take_profit=view.price * (1 + sign * target / 1000),
            price_stop_loss=view.price * (1 - sign * stop / 1000),
            minute_estimated_time=60,
        )


class Lethal(Swing):
    """Takes its process with it, unless it is this one."""

    strategy_name = "lethal"

    def get_signal(self, view: View) -> Signal:
        """Never return elsewhere."""
        if os.getppid() == view.params.integer("target"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().get_signal(view)


class Unmade(Swing):
    """Cannot be made."""

    strategy_name = "unmade"

    def __init__(self) -> None:
        raise RuntimeError("no model")


def some_rows(count: int = MINUTES) -> list[Candle]:
    """Return minutes that rise and fall by some percent in turn, at a changing pace."""
    rows = []
    for index in range(count):
        close = 100.0 + abs(index % 97 - 48) / 12 + abs(index % 611 - 305) / 90
        rows.append(Candle(T0 + index * MINUTE, close, close + 0.1, close - 0.1, close, 1.0))
    return rows


@contextmanager
def registering() -> Iterator[None]:
    """Forget what is registered within."""
    before = (REGISTRY.strategies.copy(), REGISTRY.frames.copy(), REGISTRY.risks.copy())
    yield
    for schemas in (REGISTRY.strategies, REGISTRY.frames, REGISTRY.risks):
        schemas.clear()
    REGISTRY.strategies.update(before[0])
    REGISTRY.frames.update(before[1])
    REGISTRY.risks.update(before[2])
    histories._HISTORIES.clear()


@contextmanager
def a_registry() -> Iterator[None]:
    """Have these strategies, candles and frames registered beside what is there."""
    with registering():
        for strategy in (Swing, Lethal, Unmade):
            add_strategy(strategy)
        end_ms = T0 + (MINUTES - 1) * MINUTE
        add_frame(Frame(frame_name="all", interval="1m", start_ms=T0 + 10 * MINUTE, end_ms=end_ms))
        add_history(SYMBOL, some_rows())
        yield
