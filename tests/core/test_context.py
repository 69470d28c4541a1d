"""The running call is known inside of it and nowhere else."""

import contextvars

import pytest

from daemon.core.candles import Candles
from daemon.core.context import RUN_CONTEXT, Context, NoContextError, RunContext, running
from daemon.core.params import Params
from daemon.core.signal import Key


class AView:
    symbol = "BTC/USDT"
    price = 100.0
    now_ms = 60_000
    params = Params()

    def candles(self, interval: str, limit: int) -> Candles:
        del interval, limit
        return Candles.of([])


def test_outside_of_a_call_the_function_is_named() -> None:
    with pytest.raises(NoContextError, match="get_date works only inside"):
        contextvars.Context().run(running, "get_date")


def test_inside_of_a_call_it_is_the_one_that_was_set() -> None:
    key = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
    context = RunContext(key=key, at_ms=60_000, backtest=False, view=AView())

    def scene() -> Context:
        RUN_CONTEXT.set(context)
        return running("get_date")

    assert contextvars.Context().run(scene) is context
