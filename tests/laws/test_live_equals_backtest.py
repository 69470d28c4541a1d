"""The whole daemon in virtual time and the whole backtest, on the same prices, tell the same.

Where every minute stands at one price, a tick in it and its bar see the same: what is left is when
a fact is known. Live knows it within the minute, a backtest when the minute is over.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.events import (
    Announcement,
    PartialLossContract,
    PartialProfitContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    Transition,
    name_of,
)
from daemon.core.frame import Frame
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal
from daemon.core.strategy import Strategy, View
from daemon.research.columns import minutes_of
from daemon.research.plan import Job, Plan
from daemon.simulation.loop import run_virtual
from daemon.simulation.replay import ReplayedMarket, spec_of_candles
from tests.live.scene import START_MS, Scene, a_scene
from tests.research.stage import hearing, ran_on

BEFORE = 30
AFTER = 45
SLOT_MS = 5 * MINUTE_MS
TURN_MS = 1_000
"""So soon after the turn of a minute, live still stands at the price before it."""

RULES = Rules(avg_price_candles_count=1, schedule_await_minutes=7, require_profit_after_costs=False)
KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")
Wish = tuple[bool, int, int, int, int] | None
"""Long or short, tenths of a percent to entry, target and stop, and minutes of life."""


def wishes_for(entries: Sequence[int]) -> st.SearchStrategy[list[Wish]]:
    """Draw what is wanted, entries so many tenths of a percent away."""
    wish = st.tuples(
        st.booleans(),
        st.sampled_from(entries),
        st.integers(4, 15),
        st.integers(4, 12),
        st.integers(1, 20),
    )
    return st.lists(st.none() | wish, min_size=1, max_size=9)


JUMPS = st.lists(st.integers(-80, 80), min_size=AFTER, max_size=AFTER)
"""Hundredths by which each minute stands away from the one before."""

RUNS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(2, 15)), min_size=AFTER // 2, max_size=AFTER // 2
).map(lambda runs: [step for step, count in runs for _ in range(count)][:AFTER])
"""Steps too small to reach a level in the minute in which an entry is reached.

That minute is where the two do differ: a bar that reached an entry judges nothing else, because
nobody knows what came after it, while the next tick of live does.
"""

NO_SHRINKING = settings(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""An example is a daemon that runs for most of an hour of its time."""


class Wishing(Strategy):
    """Wants what was drawn for each five minutes."""

    strategy_name = "s"
    interval = "5m"
    wishes: ClassVar[Sequence[Wish]] = ()

    async def get_signal(self, view: View) -> Signal | None:
        wish = self.wishes[(view.now_ms - START_MS) // SLOT_MS % len(self.wishes)]
        if wish is None:
            return None
        is_long, entry, target, stop, life = wish
        sign = 1 if is_long else -1
        base = view.price * (1 - sign * entry / 1000)
        return Signal(
            position="long" if is_long else "short",
            price_open=base if entry else None,
            price_take_profit=base * (1 + sign * target / 1000),
            price_stop_loss=base * (1 - sign * stop / 1000),
            # One that waited lives past the end: it is opened by a price and would expire at the
            # very moment of another one, where live looks at its clock before it sees the price.
            minute_estimated_time=life + (60 if entry else 0),
        )


def a_path(steps: Sequence[int]) -> list[Candle]:
    """Minutes that stand still, each at a price some hundredths from the one before."""
    prices = [100.0] * BEFORE
    for step in steps:
        prices.append(round(prices[-1] + step / 100, 2))
    return [
        Candle(START_MS + (index - BEFORE) * MINUTE_MS, price, price, price, price, 60.0)
        for index, price in enumerate(prices)
    ]


def told_live(rows: Sequence[Candle], strategy: type[Strategy]) -> list[Transition]:
    market = ReplayedMarket(replace(spec_of_candles(KEY.symbol, rows), price_tick=0.01), rows)

    async def scene() -> Scene:
        rules = {
            "avg_price_candles_count": 1,
            "schedule_await_minutes": RULES.schedule_await_minutes,
            "require_profit_after_costs": False,
        }
        made = a_scene(strategy, rules=rules)
        made.market = market
        await made.run(AFTER * 60.0)
        return made

    return run_virtual(scene()).journaled


def told_backtest(rows: Sequence[Candle], strategy: type[Strategy]) -> list[Transition]:
    heard: list[Announcement] = []
    subjects = hearing(heard)
    minutes = minutes_of(rows)
    plan = Plan(
        jobs=(Job(key=KEY, make=strategy, minutes=minutes),),
        frame=Frame(frame_name="t", interval="1m", start_ms=START_MS, end_ms=minutes.end_ms),
        rules=RULES,
    )
    asyncio.run(ran_on(plan, subjects))
    return [event for event in heard if isinstance(event, Fact)]


Fact = (
    SignalScheduled
    | SignalOpened
    | SignalClosed
    | SignalCancelled
    | PartialProfitContract
    | PartialLossContract
)


def minute_of(at_ms: int) -> int:
    """Return the turn of the minute at which a backtest knows what live knew at `at_ms`."""
    return -(-(at_ms - TURN_MS) // MINUTE_MS) * MINUTE_MS


def in_minutes(events: Sequence[Transition], until_ms: int) -> list[tuple[Any, ...]]:
    """Return all that is told of each event but its ids and its second."""
    told = []
    for event in events:
        assert isinstance(event, Fact), event
        if isinstance(event, PartialProfitContract | PartialLossContract):
            row = event.data
        else:
            row = event.signal
        if minute_of(event.at_ms) <= until_ms:
            told.append(
                (
                    name_of(event),
                    minute_of(event.at_ms),
                    event.current_price,
                    getattr(event, "close_reason", getattr(event, "reason", None)),
                    getattr(event, "level", None),
                    getattr(event, "pnl", None),
                    (row.position, row.price_open, row.price_take_profit, row.price_stop_loss),
                    (minute_of(row.scheduled_at), minute_of(row.pending_at), row.is_scheduled),
                )
            )
    return told


def known_in_another_slot_ms(event: Transition) -> int:
    """Return when the two part for good: a signal ended within the last minute of a slot.

    Live may still ask in that slot; a backtest, which knows the end a minute later, asks in the
    next one.
    """
    is_end = isinstance(event, SignalClosed | SignalCancelled)
    is_within = event.at_ms % MINUTE_MS > TURN_MS and minute_of(event.at_ms) % SLOT_MS == 0
    return minute_of(event.at_ms) - MINUTE_MS if is_end and is_within else 1 << 62


def both(steps: Sequence[int], wishes: Sequence[Wish]) -> tuple[list[Any], list[Any]]:
    strategy = type("S", (Wishing,), {"wishes": tuple(wishes)})
    rows = a_path(steps)
    live, history = told_live(rows, strategy), told_backtest(rows, strategy)
    until_ms = min([rows[-1].timestamp, *map(known_in_another_slot_ms, live)])
    return in_minutes(live, until_ms), in_minutes(history, until_ms)


@NO_SHRINKING
@given(JUMPS, wishes_for([0]))
def test_entries_at_the_market_are_the_same_through_any_jumps(
    steps: list[int], wishes: list[Wish]
) -> None:
    live, history = both(steps, wishes)

    assert live == history


@NO_SHRINKING
@given(RUNS, wishes_for([0, 1, 2, 3]))
def test_entries_that_wait_are_the_same_through_runs(steps: list[int], wishes: list[Wish]) -> None:
    live, history = both(steps, wishes)

    assert live == history


class Reading(Wishing):
    """Wants nothing, and notes every candle that it is shown."""

    interval = "1m"
    history: ClassVar[Mapping[str, int]] = {"1m": 3, "5m": 2}
    wishes: ClassVar[Sequence[Wish]] = (None,)
    shown: ClassVar[dict[int, Any]] = {}

    async def get_signal(self, view: View) -> Signal | None:
        windows = [view.candles(name, limit) for name, limit in self.history.items()]
        told = [[tuple(row) for row in window] for window in windows]
        self.shown[view.now_ms // MINUTE_MS] = told
        return None


@NO_SHRINKING
@given(JUMPS)
def test_both_show_a_strategy_the_same_candles(steps: list[int]) -> None:
    rows = a_path(steps)
    Reading.shown = {}
    told_live(rows, Reading)
    live, Reading.shown = Reading.shown, {}
    told_backtest(rows, Reading)

    both = live.keys() & Reading.shown.keys()
    assert len(both) >= AFTER - 2
    assert [live[minute] for minute in both] == [Reading.shown[minute] for minute in both]


def test_the_law_looks_at_runs_in_which_things_happen() -> None:
    """Or it would hold of two drivers that do nothing."""
    wishes: list[Wish] = [
        (True, 1, 5, 4, 9),
        (False, 2, 4, 4, 20),
        (True, 0, 4, 4, 3),
        (True, 3, 9, 9, 3),
    ]
    runs = [3] * 8 + [-3] * 20 + [3] * 12 + [-2] * 5
    live, history = both(runs, wishes)

    assert live == history
    assert {told[0] for told in live} >= {"scheduled", "opened", "closed", "cancelled"}
    assert {told[0] for told in live} >= {"partial_profit", "partial_loss"}
    assert len({told[3] for told in live}) >= 3
