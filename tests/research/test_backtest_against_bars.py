"""The run that skips is the run that looks at every bar: the naive driver is the reference."""

import asyncio
import random  # noqa: TID251 (seeded)
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import Candle
from daemon.core.events import (
    Announcement,
    DoneContract,
    ErrorContract,
    SignalCancelled,
    SignalClosed,
    TickResult,
)
from daemon.core.results import Callback, CallbackName
from daemon.core.rules import Rules
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy
from daemon.research.columns import minutes_of
from tests.core.bar_driver import BarRun
from tests.core.samples import MINUTE, T0, a_desk
from tests.research.stage import BASE, ByTheClock, a_job, a_plan, hearing, ran_on

LENGTH = 90
EXAMPLES = settings(max_examples=60)

World = tuple[list[Candle], dict[int, Signal]]


def a_world(seed: int) -> World:
    """Return restless minutes from before T0 on, and a signal of any kind at every other one.

    Prices stand on a grid of 1/32, so that levels, entries and ends are met exactly and often.
    """
    rng = random.Random(seed)
    rows: list[Candle] = []
    answers: dict[int, Signal] = {}
    last = 100.0
    for index in range(-BASE, LENGTH):
        at_ms = T0 + index * MINUTE
        if rng.random() < 0.5:
            answers[at_ms] = a_signal_near(last, rng)
        close = max(50.0, last + rng.randint(-24, 24) / 32)
        high = max(last, close) + rng.randint(0, 16) / 32
        low = min(last, close) - rng.randint(0, 16) / 32
        rows.append(Candle(at_ms, last, high, low, close, float(rng.randint(0, 2))))
        last = close
    return rows, answers


def a_signal_near(price: float, rng: random.Random) -> Signal:
    """Return a signal at the market, or one that waits nearby; some make no sense."""
    sign = rng.choice([1, -1])
    entry = None if rng.random() < 0.5 else price - sign * rng.randint(-8, 48) / 32
    base = price if entry is None else entry
    return Signal(
        position="long" if sign > 0 else "short",
        price_open=entry,
        price_take_profit=base + sign * rng.randint(10, 128) / 32,
        price_stop_loss=base - sign * rng.randint(2, 96) / 32,
        minute_estimated_time=rng.randint(1, 12),
    )


WORLDS = st.integers(min_value=0, max_value=2**32).map(a_world)
RULES_DRAWN = st.builds(
    Rules,
    align=st.booleans(),
    schedule_await_minutes=st.integers(min_value=1, max_value=6),
    partial_basis=st.sampled_from(["progress", "price"]),
    intrabar=st.sampled_from(["seed", "worst_case"]),
    avg_price_candles_count=st.integers(min_value=1, max_value=7),
    max_signal_lifetime_minutes=st.integers(min_value=6, max_value=1440),
)
INTERVALS = st.sampled_from(["1m", "3m", "5m"])


def by_bars(
    rows: Sequence[Candle],
    answers: dict[int, Signal],
    rules: Rules,
    every: tuple[str, str],
    calls: list[Callback] | None = None,
) -> BarRun:
    def ask(seen: Sequence[Candle], _price: float) -> object:
        return answers.get(seen[-1].timestamp + MINUTE)

    interval, frame = every
    return BarRun(
        desk=a_desk(rules=rules),
        ask=ask,
        interval=interval,
        frame_minutes=int(frame.removesuffix("m")),
        hears=None if calls is None else calls.append,
    ).run(rows, BASE)


def by_search(
    rows: Sequence[Candle],
    answers: dict[int, Signal],
    rules: Rules,
    every: tuple[str, str],
    *,
    base: type[Strategy] = ByTheClock,
    heard: list[Announcement] | None = None,
) -> tuple[list[object], list[int], int]:
    asked: list[int] = []
    kind = type("Asked", (base,), {"interval": every[0]})
    job = a_job(lambda: kind(answers, asked), minutes_of(rows))
    plan = a_plan(job, rules=rules, frame_minutes=every[1])
    # A worst-case pass asks again, and is not what is compared here.
    run = asyncio.run(ran_on(plan, None if heard is None else hearing(heard)))
    lane = run.result.lanes[0]
    return list(run.told), asked[: lane.ask_count], lane.ambiguous_bar_count


@EXAMPLES
@given(WORLDS, RULES_DRAWN, st.tuples(INTERVALS, INTERVALS))
def test_what_nobody_hears_ends_as_if_every_bar_were_looked_at(
    world: World, rules: Rules, every: tuple[str, str]
) -> None:
    rows, answers = world
    slow = by_bars(rows, answers, rules, every)
    told, asked, ambiguous = by_search(rows, answers, rules, every)

    ends = [event for event in slow.results if isinstance(event, SignalClosed | SignalCancelled)]
    assert told == ends
    assert asked == slow.asked
    assert ambiguous == slow.ambiguous_bars


@EXAMPLES
@given(WORLDS, RULES_DRAWN, st.tuples(INTERVALS, INTERVALS))
def test_whoever_listens_hears_what_a_look_at_every_bar_tells(
    world: World, rules: Rules, every: tuple[str, str]
) -> None:
    rows, answers = world
    slow = by_bars(rows, answers, rules, every)
    heard: list[Announcement] = []
    _, asked, _ = by_search(rows, answers, rules, every, heard=heard)

    assert isinstance(heard.pop(), DoneContract)
    results = [event for event in heard if isinstance(event, TickResult)]
    facts = [event for event in heard if not isinstance(event, TickResult)]
    assert results == slow.results
    assert worded(facts) == worded(
        [event for event in slow.events if not isinstance(event, TickResult)]
    )
    assert asked == slow.asked


def worded(facts: Sequence[Announcement]) -> list[Announcement]:
    """Return `facts` without the words of errors, which name a line here and none there."""
    return [
        replace(fact, message="") if isinstance(fact, ErrorContract) else fact for fact in facts
    ]


def recording(names: Sequence[CallbackName], calls: list[Callback]) -> type[ByTheClock]:
    """Return a strategy that overrides the callbacks `names` and notes each call."""

    def note(name: CallbackName) -> object:
        def call(_self: object, *arguments: object) -> None:
            calls.append(Callback(name=name, arguments=arguments))

        return call

    return type("Recording", (ByTheClock,), {name: note(name) for name in names})


@pytest.mark.parametrize(
    "names",
    [
        ("on_partial_profit", "on_partial_loss"),
        ("on_idle", "on_tick"),
        ("on_open", "on_close", "on_schedule", "on_cancel", "on_active"),
    ],
)
@EXAMPLES
@given(world=WORLDS, rules=RULES_DRAWN)
def test_callbacks_come_as_if_every_bar_were_looked_at(
    names: Sequence[CallbackName], world: World, rules: Rules
) -> None:
    rows, answers = world
    rules = replace(rules, intrabar="worst_case")  # one pass
    expected: list[Callback] = []
    by_bars(rows, answers, rules, ("1m", "1m"), expected)
    calls: list[Callback] = []
    by_search(rows, answers, rules, ("1m", "1m"), base=recording(names, calls))

    assert calls == [call for call in expected if call.name in names]
