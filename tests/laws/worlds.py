"""What hypothesis draws from: rows, prices and whole stretches of a market.

Prices stand on a grid of 1/32 around 100, so that sums and reflections of them are exact and the
interesting prices (entry, target, stop, a level) are met often.
"""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from daemon.core.pnl import Position
from daemon.core.rules import Rules
from daemon.core.signal import Key, SignalRow, make_id
from daemon.core.states import Active, Idle, Observation, Scheduled, State, tick
from tests.core.samples import KEY, MINUTE, T0

POSITIONS: tuple[Position, ...] = ("long", "short")
STEPS = st.integers(min_value=-128, max_value=128)
PRICES = STEPS.map(lambda steps: 100 + steps / 32)
DISTANCES = st.integers(min_value=1, max_value=96).map(lambda steps: steps / 32)
MINUTES = st.integers(min_value=1, max_value=8)

LAW_RULES = Rules(schedule_await_minutes=5)
"""A short wait, so that time runs out within a drawn stretch."""

RULES_DRAWN = st.builds(
    replace,
    st.just(LAW_RULES),
    partial_basis=st.sampled_from(["progress", "price"]),
    intrabar=st.sampled_from(["seed", "worst_case"]),
)


def a_law_row(
    position: Position, target: float, stop: float, minutes: int, key: Key = KEY
) -> SignalRow:
    """A row made at T0 that enters at 100."""
    sign = 1 if position == "long" else -1
    return SignalRow(
        id=make_id("signal", key, T0),
        label="",
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        position=position,
        price_open=100.0,
        price_take_profit=100 + sign * target,
        price_stop_loss=100 - sign * stop,
        minute_estimated_time=minutes,
        note="",
        scheduled_at=T0,
        pending_at=T0,
        is_scheduled=False,
    )


ROWS = st.builds(a_law_row, st.sampled_from(POSITIONS), DISTANCES, DISTANCES, MINUTES)
WAITING = ROWS.map(lambda row: Scheduled(signal=replace(row, is_scheduled=True)))
OPEN = ROWS.map(lambda row: Active(signal=row))
LIVING: st.SearchStrategy[State] = WAITING | OPEN
STATES: st.SearchStrategy[State] = LIVING | st.just(Idle())


@st.composite
def bars(draw: st.DrawFn, at_ms: int | None = None) -> Observation:
    """Draw one minute: at `at_ms`, or at any turn of the first minutes."""
    if at_ms is None:
        at_ms = T0 + draw(st.integers(min_value=0, max_value=9)) * MINUTE
    low, high = sorted((draw(PRICES), draw(PRICES)))
    # The average of five minutes may lie outside the last one.
    return Observation(
        at_ms=at_ms,
        span_ms=MINUTE,
        price_start=draw(PRICES),
        price=draw(PRICES),
        low=low,
        high=high,
    )


TICKS = st.builds(tick, st.integers(min_value=T0, max_value=T0 + 10 * MINUTE), PRICES)
SEEN: st.SearchStrategy[Observation] = bars() | TICKS


@st.composite
def stretches(draw: st.DrawFn, length_max: int = 12) -> Sequence[Observation]:
    """Draw minutes that follow one another from T0 on."""
    count = draw(st.integers(min_value=1, max_value=length_max))
    return [draw(bars(T0 + index * MINUTE)) for index in range(count)]
