"""Runs over history: shared risk, the worst case, and no way to look ahead."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.candles import Candle
from daemon.core.context import RUN_CONTEXT
from daemon.core.events import (
    Announcement,
    RiskContract,
    SignalClosed,
    SignalIdle,
    SignalOpened,
)
from daemon.core.risk import RiskProfile
from daemon.core.risk_limits import max_positions
from daemon.core.signal import Signal
from daemon.core.strategy import HistoryError, Strategy, View
from daemon.core.subjects import Subjects
from daemon.research.backtest import Backtest
from daemon.research.columns import minutes_of
from daemon.research.plan import BacktestError
from tests.core.samples import MINUTE, T0, a_signal
from tests.research.stage import (
    PLAIN,
    QUIET,
    ByTheClock,
    EveryFive,
    a_job,
    a_market,
    a_plan,
    hearing,
    ran,
    ran_on,
)
from tests.research.test_backtest_against_bars import a_world

IMPATIENT = replace(PLAIN, schedule_await_minutes=5)


def by_the_clock(answers: Mapping[int, object], asked: list[int] | None = None) -> Strategy:
    return ByTheClock(answers, [] if asked is None else asked)


def at(minute: int) -> int:
    return T0 + minute * MINUTE


# -- Several at once -------------------------------------------------------------------------------


async def test_a_position_on_one_symbol_refuses_a_signal_on_another() -> None:
    """They share a profile; the one is open when the other asks, and closed when it asks again."""
    heard: list[Announcement] = []
    minutes = minutes_of(a_market(*[QUIET] * 3, (99.9, 102.0), *[QUIET] * 6))
    calm = minutes_of(a_market(*[QUIET] * 10))
    profile = RiskProfile(risk_name="one", validations=(max_positions(1),))
    jobs = (
        a_job(
            lambda: by_the_clock({at(0): a_signal()}), minutes, symbol="A/USDT", risk_names=("one",)
        ),
        a_job(
            lambda: by_the_clock({at(2): a_signal(), at(4): a_signal()}),
            calm,
            symbol="B/USDT",
            risk_names=("one",),
        ),
    )

    run = await ran_on(a_plan(*jobs, profiles=[profile]), hearing(heard))

    refused = [event for event in heard if isinstance(event, RiskContract)]
    assert [(event.symbol, event.at_ms) for event in refused] == [("B/USDT", at(2))]
    assert refused[0].active_position_count == 1
    opened = [event for event in heard if isinstance(event, SignalOpened)]
    assert [(event.symbol, event.at_ms) for event in opened] == [
        ("A/USDT", at(0)),
        ("B/USDT", at(4)),
    ]
    assert [lane.refused_count for lane in run.result.lanes] == [0, 1]


async def test_all_is_told_in_one_order_of_time() -> None:
    heard: list[Announcement] = []
    worlds = [a_world(seed) for seed in (1, 2, 3)]
    jobs = [
        a_job(partial(by_the_clock, answers), minutes_of(rows), symbol=f"{n}/USDT")
        for n, (rows, answers) in enumerate(worlds)
    ]

    run = await ran_on(a_plan(*jobs, rules=IMPATIENT), hearing(heard))

    times = [event.at_ms for event in heard if hasattr(event, "at_ms")]
    assert times == sorted(times)
    assert len(run.told) > 30
    alone = [(await ran_on(a_plan(job, rules=IMPATIENT))).told for job in jobs]
    assert sorted(run.told, key=lambda event: event.id) == sorted(
        (event for told in alone for event in told), key=lambda event: event.id
    )


# -- The worst case --------------------------------------------------------------------------------


def test_bars_that_leave_the_order_open_are_shown_beside_the_headline() -> None:
    run = ran(lambda: by_the_clock({at(0): a_signal()}), QUIET, (98.0, 103.0), QUIET)

    lane = run.result.lanes[0]
    assert lane.ambiguous_bar_count == 1
    assert lane.statistics.win_count == 1
    assert lane.worst_case is not None
    assert lane.worst_case.loss_count == 1
    assert [event.close_reason for event in run.told if isinstance(event, SignalClosed)] == [
        "take_profit"
    ]


def test_the_second_pass_is_made_only_where_one_is_due_and_nobody_hears_it() -> None:
    made: list[int] = []

    def make() -> Strategy:
        made.append(1)
        return by_the_clock({at(0): a_signal()})

    heard: list[Announcement] = []
    ran(make, QUIET, (99.9, 102.0), QUIET)
    assert len(made) == 1
    ran(make, QUIET, (98.0, 103.0), QUIET, subjects=hearing(heard))
    assert len(made) == 3
    assert len([event for event in heard if isinstance(event, SignalClosed)]) == 1
    worst = replace(PLAIN, intrabar="worst_case")
    run = ran(make, QUIET, (98.0, 103.0), QUIET, rules=worst)
    assert len(made) == 4
    assert run.result.lanes[0].statistics.loss_count == 1
    assert run.result.lanes[0].worst_case is None


# -- What a strategy sees --------------------------------------------------------------------------


Seen = tuple[int, float, list[Candle], list[Candle]]
"""The moment, the price, and both windows of candles."""


class Watcher(Strategy):
    """Decides on what it sees; notes all of it."""

    interval = "1m"
    history: ClassVar[Mapping[str, int]] = {"1m": 4, "3m": 2}

    def __init__(self, seen: list[Seen]) -> None:
        self.seen = seen

    async def get_signal(self, view: View) -> Signal | None:
        """Trade on a sum of everything that is visible."""
        minutes, wide = view.candles("1m", 4), view.candles("3m", 2)
        assert minutes[-1].timestamp < view.now_ms
        self.seen.append((view.now_ms, view.price, list(minutes), list(wide)))
        if sum(minutes.close) + wide[-1].high < 4.99 * view.price:
            return None
        return Signal(
            position="long",
            price_take_profit=view.price * 1.02,
            price_stop_loss=view.price * 0.99,
            minute_estimated_time=7,
        )


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(5, 80))
def test_what_the_future_holds_changes_nothing_that_was_decided_before(
    seed: int, other: int, known: int
) -> None:
    rows = a_world(seed)[0]
    move = rows[known].open - a_world(other)[0][known].open
    changed = rows[:known] + [
        row._replace(
            open=row.open + move,
            high=row.high + move,
            low=max(1.0, row.low + move),
            close=row.close + move,
        )
        for row in a_world(other)[0][known:]
    ]
    now_ms = rows[known].timestamp
    saw: list[list[Seen]] = [[], []]
    ends = []
    for each, seen in zip((rows, changed), saw, strict=True):
        job = a_job(partial(Watcher, seen), minutes_of(each))
        run = asyncio.run(ran_on(a_plan(job)))
        ends.append([event for event in run.told if event.at_ms <= now_ms])

    before = [[look for look in seen if look[0] <= now_ms] for seen in saw]
    assert before[0] == before[1]
    assert ends[0] == ends[1]


async def test_what_was_not_declared_cannot_be_seen_and_a_view_keeps_its_moment() -> None:
    kept: list[View] = []

    class Curious(EveryFive):
        history: ClassVar[Mapping[str, int]] = {"1m": 3}

        async def get_signal(self, view: View) -> Signal | None:
            kept.append(view)
            for interval, limit in (("5m", 1), ("5m", -(1 << 80)), ("5m", 0), ("1m", -1)):
                with suppress(HistoryError):
                    view.candles(interval, limit)
                    raise AssertionError("5m was not declared, and there is no less than nothing")
            view.candles("1m", 4)
            return None

    run = await ran_on(a_plan(a_job(lambda: Curious({}, []), minutes_of(a_market(*[QUIET] * 11)))))

    assert [view.now_ms for view in kept] == [at(0), at(5), at(10)]
    assert [view.candles("1m", 1)[0].timestamp for view in kept] == [at(-1), at(4), at(9)]
    (error,) = run.result.lanes[0].error_counts
    assert (error.error, error.count) == ("HistoryError", 3)
    assert RUN_CONTEXT.get(None) is None


async def test_what_a_call_asks_after_it_waited_is_still_of_its_own_moment() -> None:
    told: list[tuple[int, int]] = []

    class Waiting(EveryFive):
        async def get_signal(self, view: View) -> Signal | None:
            await asyncio.sleep(0)
            told.append((view.now_ms, RUN_CONTEXT.get().at_ms))
            return None

    await ran_on(a_plan(a_job(lambda: Waiting({}, []), minutes_of(a_market(*[QUIET] * 11)))))

    assert told == [(at(0), at(0)), (at(5), at(5)), (at(10), at(10))]
    assert RUN_CONTEXT.get(None) is None


async def test_a_run_is_stopped_by_its_own_strategy_between_two_calls() -> None:
    asked: list[int] = []

    class Ending(EveryFive):
        async def get_signal(self, view: View) -> Signal | None:
            asked.append(view.now_ms)
            if len(asked) == 2:
                run.stop()
            return None

    run = Backtest(a_plan(a_job(lambda: Ending({}, []), minutes_of(a_market(*[QUIET] * 31)))))
    assert [told async for told in run.run()] == []

    assert asked == [at(0), at(5)]
    assert run.result().lanes[0].ask_count == 2


async def test_who_comes_between_two_calls_hears_of_the_next_moment_already() -> None:
    heard: list[Announcement] = []
    subjects = Subjects()

    class Inviting(EveryFive):
        async def get_signal(self, view: View) -> Signal | None:
            if view.now_ms == at(10):
                subjects.signal_backtest.subscribe(heard.append)
            return None

    job = a_job(lambda: Inviting({}, []), minutes_of(a_market(*[QUIET] * 25)))
    await ran_on(a_plan(job), subjects)

    assert [event.at_ms for event in heard if isinstance(event, SignalIdle)] == [
        at(minute) for minute in range(11, 25)
    ]


async def test_moments_without_the_declared_history_are_passed_over_and_counted() -> None:
    seen: list[Seen] = []
    job = a_job(lambda: Watcher(seen), minutes_of(a_market(*[QUIET] * 6)))

    run = await ran_on(a_plan(job, start_ms=at(-5)))

    # Three minutes begin at minute -5: two times three of them are over at minute 1.
    assert run.result.lanes[0].warm_up_moments == 6
    assert seen[0][0] == at(1)


# -- What cannot be run ----------------------------------------------------------------------------


def test_what_cannot_be_run_is_one_clear_line() -> None:
    job = a_job(lambda: by_the_clock({}), minutes_of(a_market(QUIET)))

    with pytest.raises(BacktestError, match="there is nothing to run"):
        replace(a_plan(job), jobs=())
    with pytest.raises(BacktestError, match="BTC/USDT/breakout is named twice"):
        a_plan(job, job)
    with pytest.raises(BacktestError, match="there is no risk profile 'x'"):
        a_plan(replace(job, risk_names=("x",)))
    with pytest.raises(BacktestError, match=r"lies outside the candles of BTC/USDT, which reach"):
        a_plan(job, start_ms=at(-6))
    with pytest.raises(BacktestError, match=f"start_ms {T0 - 1} is not the turn of a minute"):
        a_plan(job, start_ms=T0 - 1)


async def test_a_run_that_is_cancelled_leaves_what_there_is() -> None:
    rows, answers = a_world(4)
    job = a_job(lambda: by_the_clock(answers), minutes_of(rows))
    backtest = Backtest(a_plan(job, rules=IMPATIENT))
    told = []
    run = backtest.run()
    async for event in run:
        told.append(event)
        if len(told) == 3:
            break
    await run.aclose()

    result = backtest.result()
    assert not result.is_complete
    assert result.lanes[0].statistics.total_signals + result.lanes[0].cancelled_count == 3


def test_a_stop_cancels_what_waits_and_lets_what_is_open_end() -> None:
    heard: list[Announcement] = []
    subjects = Subjects()
    answers = {at(0): a_signal(price_open=99.5), at(1): a_signal()}
    job = a_job(lambda: by_the_clock(answers), minutes_of(a_market(*[QUIET] * 9)))
    backtest = Backtest(a_plan(job), subjects)
    subjects.signal_backtest.subscribe(heard.append)
    subjects.signal_backtest.subscribe(lambda _: backtest.stop())

    async def run() -> None:
        async for _ in backtest.run():
            pass

    asyncio.run(run())

    assert [type(event).__name__ for event in heard] == ["SignalScheduled", "SignalCancelled"]
    assert [event.reason for event in heard if hasattr(event, "reason")] == ["stopped"]
    assert not backtest.result().is_complete
