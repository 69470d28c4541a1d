"""No run knows the future: change it after any moment, and all that was told before stays."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import Candle
from daemon.core.events import Announcement, Keyed
from daemon.core.params import Params
from daemon.core.risk import RiskProfile
from daemon.core.risk_limits import max_positions
from daemon.core.rules import Rules
from daemon.core.signal import Signal, SignalRow
from daemon.core.strategy import Strategy, View
from daemon.reports.as_json import as_json
from daemon.research.columns import Minutes, minutes_of
from daemon.research.lookahead import changed_after, decisions_of
from tests.core.samples import MINUTE, T0
from tests.research.stage import a_job, a_plan, hearing, ran_on

STEPS = st.lists(st.integers(-6, 6), min_size=30, max_size=90)
RULES_DRAWN = st.builds(
    replace,
    st.just(Rules(schedule_await_minutes=6)),
    align=st.booleans(),
    intrabar=st.sampled_from(["seed", "worst_case"]),
    avg_price_candles_count=st.integers(1, 5),
)


class Skipper(Strategy):
    """Decides on everything that it is shown."""

    strategy_name = "skipper"
    interval = "1m"
    history: ClassVar[Mapping[str, int]] = MappingProxyType({"1m": 7, "5m": 1})

    def get_signal(self, view: View) -> Signal | None:
        seen = (*view.candles("1m", 7), *view.candles("5m", 1))
        number = int(sum(sum(row[1:]) for row in seen) * 100) + view.params.integer("salt")
        if number % 3 == 0:
            return None
        sign = 1 if number % 2 else -1
        entry = view.price * (1 - sign * 0.004) if number % 5 < 2 else None
        base = entry or view.price
        return Signal(
            position="long" if sign > 0 else "short",
            price_open=entry,
            price_take_profit=base * (1 + sign * 0.012),
            price_stop_loss=base * (1 - sign * 0.008),
            minute_estimated_time=3 + number % 9,
        )


class Watcher(Skipper):
    """The same, with a callback that makes the run look at every bar."""

    strategy_name = "watcher"

    def on_partial_profit(
        self, symbol: str, row: SignalRow, price: float, percent: float, backtest: bool
    ) -> None:
        """Hear of every bar in profit."""


def a_walk(steps: list[int]) -> Minutes:
    rows, price = list[Candle](), 100.0
    for index, step in enumerate(steps):
        after = max(20.0, price + step / 8)
        high, low = max(price, after) + abs(step) / 16, min(price, after) - abs(step) / 20
        rows.append(Candle(T0 + index * MINUTE, price, high, low, after, float(index % 4)))
        price = after
    return minutes_of(rows)


def made(strategy: type[Strategy], salt: int) -> Strategy:
    one = strategy()
    one.params = Params({"salt": salt})
    return one


def told_until(minutes: Minutes, until_ms: int, rules: Rules, salt: int) -> bytes:
    """Return all that a run tells up to a moment, as bytes: events, progress, decisions."""
    heard: list[Announcement] = []
    jobs = [
        a_job(partial(made, kind, salt), minutes, name=kind.strategy_name, risk_names=("one",))
        for kind in (Watcher, Skipper)
    ]
    profile = RiskProfile(risk_name="one", validations=(max_positions(1),))
    plan = a_plan(*jobs, rules=rules, profiles=(profile,))
    asyncio.run(ran_on(plan, hearing(heard)))
    alone = asyncio.run(decisions_of(a_plan(jobs[1], rules=rules, profiles=(profile,))))
    events = [
        (type(event).__name__, as_json(event))
        for event in heard
        if isinstance(event, Keyed) and event.at_ms <= until_ms
    ]
    asked = [(one.at_ms, one.answer) for one in alone if one.at_ms <= until_ms]
    return json.dumps([events, asked]).encode()


@settings(max_examples=25)
@given(STEPS, st.floats(0.1, 0.95), st.booleans(), RULES_DRAWN, st.integers(0, 50))
def test_nothing_that_was_told_depends_on_what_comes_after(
    steps: list[int], share: float, is_up: bool, rules: Rules, salt: int
) -> None:
    """Two strategies, one risk profile, every event; the future of all candles is changed."""
    minutes = a_walk(steps)
    cut_ms = T0 + max(1, int(share * len(minutes))) * MINUTE

    straight = told_until(minutes, cut_ms, rules, salt)
    other = told_until(changed_after(minutes, cut_ms, is_up=is_up), cut_ms, rules, salt)

    assert other == straight


def test_the_law_looks_at_runs_in_which_things_happen() -> None:
    minutes = a_walk([(index * 7) % 13 - 6 for index in range(90)])

    runs = [json.loads(told_until(minutes, minutes.end_ms, Rules(), salt)) for salt in range(4)]

    kinds = {name for run in runs for name, _ in run[0]}
    assert {"SignalOpened", "SignalScheduled", "SignalClosed", "RiskContract"} <= kinds
    assert {"PartialProfitContract", "PartialLossContract"} <= kinds
    assert sum(len(run[1]) for run in runs) > 20


@given(STEPS, st.floats(0.1, 0.95), st.booleans())
def test_another_future_is_a_market_that_could_be(
    steps: list[int], share: float, is_up: bool
) -> None:
    minutes = a_walk(steps)
    first = max(1, int(share * len(minutes)))

    changed = changed_after(minutes, T0 + first * MINUTE, is_up=is_up)

    rows = changed.rows()
    assert minutes_of(rows).rows() == rows
    assert rows[:first] == minutes.rows()[:first]
    assert len(rows) > first
    assert all(new != old for new, old in zip(rows[first:], minutes.rows()[first:], strict=False))
