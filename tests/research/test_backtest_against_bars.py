"""The run that skips is the run that looks at every bar: the naive driver is the reference."""

import asyncio
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
from daemon.core.results import Callback
from daemon.core.rules import Rules
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy
from daemon.research.columns import minutes_of
from tests.core.bar_driver import BarRun
from tests.core.samples import MINUTE, T0, a_desk
from tests.laws.worlds import PRICES
from tests.research.stage import BASE, ByTheClock, a_job, a_plan, hearing, ran_on

LENGTH_MAX = 24
EXAMPLES = settings(max_examples=60)
MINUTES_DRAWN = st.tuples(
    st.tuples(PRICES, PRICES, PRICES, PRICES), st.integers(min_value=0, max_value=3)
)


@st.composite
def candles(draw: st.DrawFn) -> list[Candle]:
    """Draw minutes from before T0 on; some without trades."""
    drawn = draw(st.lists(MINUTES_DRAWN, min_size=1 + BASE, max_size=LENGTH_MAX + BASE))
    rows = []
    for index, (prices, volume) in enumerate(drawn):
        low, middle, other, high = sorted(prices)
        at_ms = T0 + (index - BASE) * MINUTE
        rows.append(Candle(at_ms, middle, high, low, other, float(volume)))
    return rows


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    """Draw a signal around 100, short-lived; some make no sense and are refused."""
    sign = draw(st.sampled_from([1, -1]))
    target, stop = draw(st.tuples(*[st.integers(min_value=8, max_value=128)] * 2))
    entry = draw(st.none() | PRICES)
    base = 100.0 if entry is None else entry
    return Signal(
        position="long" if sign > 0 else "short",
        price_open=entry,
        price_take_profit=base + sign * target / 32,
        price_stop_loss=base - sign * stop / 32,
        minute_estimated_time=draw(st.integers(min_value=1, max_value=12)),
    )


ANSWERS = st.dictionaries(
    st.integers(min_value=0, max_value=LENGTH_MAX).map(lambda n: T0 + n * MINUTE),
    signals(),
    max_size=12,
)
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
@given(candles(), ANSWERS, RULES_DRAWN, st.tuples(INTERVALS, INTERVALS))
def test_what_nobody_hears_ends_as_if_every_bar_were_looked_at(
    rows: list[Candle], answers: dict[int, Signal], rules: Rules, every: tuple[str, str]
) -> None:
    slow = by_bars(rows, answers, rules, every)
    told, asked, ambiguous = by_search(rows, answers, rules, every)

    ends = [event for event in slow.results if isinstance(event, SignalClosed | SignalCancelled)]
    assert told == ends
    assert asked == slow.asked
    assert ambiguous == slow.ambiguous_bars


@EXAMPLES
@given(candles(), ANSWERS, RULES_DRAWN, st.tuples(INTERVALS, INTERVALS))
def test_whoever_listens_hears_what_a_look_at_every_bar_tells(
    rows: list[Candle], answers: dict[int, Signal], rules: Rules, every: tuple[str, str]
) -> None:
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


def recording(names: Sequence[str], calls: list[Callback]) -> type[ByTheClock]:
    """Return a strategy that overrides the callbacks `names` and notes each call."""

    def note(name: str) -> object:
        def call(_self: object, *arguments: object) -> None:
            calls.append(Callback(name=name, arguments=arguments))  # type: ignore[arg-type]

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
@given(rows=candles(), answers=ANSWERS, rules=RULES_DRAWN)
def test_callbacks_come_as_if_every_bar_were_looked_at(
    names: Sequence[str], rows: list[Candle], answers: dict[int, Signal], rules: Rules
) -> None:
    rules = replace(rules, intrabar="worst_case")  # one pass
    expected: list[Callback] = []
    by_bars(rows, answers, rules, ("1m", "1m"), expected)
    calls: list[Callback] = []
    by_search(rows, answers, rules, ("1m", "1m"), base=recording(names, calls))

    assert calls == [call for call in expected if call.name in names]
