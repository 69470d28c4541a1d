"""What a run needs beside its candles does not grow with its moments, nor with its signals."""

import asyncio
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from daemon.core.frame import Frame
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.research.assignment import make
from daemon.research.backtest import Backtest
from daemon.research.columns import Minutes, minutes_of
from daemon.research.market import Markets
from daemon.research.plan import Job, Plan
from tests.core.samples import KEY, MINUTE, T0
from tests.research.stage import PLAIN, a_market

SIGNALS_MAX = 5
GROWTH_MAX_BYTES = 20_000
"""What the interpreter itself may come to hold: a list of the moments would be far longer."""


class EveryHour(Strategy):
    """Reads a candle each minute, and buys each hour for some minutes."""

    strategy_name = "every_hour"
    interval = "1m"
    history: ClassVar[Mapping[str, int]] = {"5m": 2}

    async def get_signal(self, view: View) -> Signal | None:
        """Return an entry at the turn of the hour."""
        closes = view.candles("5m", 2).close
        if view.now_ms // MINUTE % 60:
            return None
        return Signal(
            position="long",
            price_take_profit=closes[-1] * 1.1,
            price_stop_loss=closes[-1] * 0.9,
            minute_estimated_time=7,
        )


def run(minutes: Minutes, count: int, markets: Markets) -> tuple[int, int, int]:
    """Run over the first so many minutes; return the peak in bytes, the questions, the signals."""
    frame = Frame(frame_name="f", interval="1m", start_ms=T0, end_ms=T0 + count * MINUTE)
    job = Job(key=KEY, make=partial(make, EveryHour, {}), minutes=minutes)
    plan = Plan(jobs=(job,), frame=frame, rules=replace(PLAIN), signals_max=SIGNALS_MAX)
    engine = Backtest(plan, markets=markets)

    async def drain() -> None:
        async for _ in engine.run():
            pass

    tracemalloc.start()
    try:
        asyncio.run(drain())
        lane = engine.result().lanes[0]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak, lane.ask_count, lane.opened_count


def test_a_run_of_ten_times_the_moments_takes_no_more_memory() -> None:
    minutes, markets = minutes_of(a_market(*[(99.9, 100.1)] * 8_000)), Markets()
    run(minutes, 200, markets)

    short, asked_short, opened_short = run(minutes, 700, markets)
    long, asked_long, opened_long = run(minutes, 7_000, markets)

    assert asked_long > 9 * asked_short
    assert opened_long > 9 * opened_short > 9 * SIGNALS_MAX
    assert long < short + GROWTH_MAX_BYTES
