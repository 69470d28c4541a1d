"""When a strategy is asked over history: a row of quiet calls is what call after call would be."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import INTERVAL_MS, MINUTE_MS, SIGNAL_INTERVALS
from daemon.core.params import Params
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.core.throttle import next_ask_ms
from daemon.research.asker import Asker
from daemon.research.containment import Containment
from daemon.research.view import Scene

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="quiet")
INTERVALS = st.sampled_from(SIGNAL_INTERVALS)
STEPS = st.sampled_from(("1m", "3m", "5m", "15m", "1h"))


def an_asker(interval: str, *, align: bool) -> Asker:
    class Quiet(Strategy):
        strategy_name = "quiet"

    Quiet.interval = interval
    scene = Scene(KEY, Params({}), {}, {})
    return Asker(Quiet(), scene, Rules(align=align), Containment())


@given(INTERVALS, STEPS, st.booleans(), st.data())
def test_moments_alike_are_those_at_which_call_after_call_is_due(
    interval: str, step: str, align: bool, data: st.DataObject
) -> None:
    step_ms, interval_ms = INTERVAL_MS[step], INTERVAL_MS[interval]
    start_ms = data.draw(st.integers(0, 200)) * MINUTE_MS
    grid = range(start_ms, start_ms + 60 * step_ms, step_ms)
    now_ms = data.draw(st.sampled_from(grid))
    last_ms = now_ms + data.draw(st.integers(0, 200)) * MINUTE_MS

    alike = an_asker(interval, align=align).moments_alike(grid, now_ms, last_ms)

    due, asked_ms = [now_ms], now_ms
    for at_ms in grid:
        if now_ms < at_ms <= last_ms and at_ms == next_ask_ms(
            asked_ms, interval_ms, at_ms, align=align
        ):
            due.append(at_ms)
            asked_ms = at_ms
    found = list(chain(*alike))
    assert found == due[: len(found)]
    # A grid of the usual kind holds the slots, and then none is left for another row.
    is_usual = interval_ms % step_ms == 0 and start_ms % step_ms == 0
    assert len(found) == len(due) if is_usual else found
