"""What a strategy, a callback, a listener or a risk rule does wrong costs its call, and is told."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from daemon.core.events import (
    Announcement,
    ErrorContract,
    SignalClosed,
)
from daemon.core.risk import RiskPayload, RiskProfile, RiskValidation
from daemon.core.signal import Signal
from daemon.core.strategy import Strategy, View
from daemon.research.columns import minutes_of
from daemon.research.containment import Containment
from daemon.research.plan import BacktestError
from tests.core.samples import MINUTE, T0, a_signal
from tests.research.stage import (
    QUIET,
    ByTheClock,
    a_job,
    a_market,
    a_plan,
    hearing,
    ran,
    ran_on,
)


def by_the_clock(answers: Mapping[int, object], asked: list[int] | None = None) -> Strategy:
    return ByTheClock(answers, [] if asked is None else asked)


def at(minute: int) -> int:
    return T0 + minute * MINUTE


def _raise() -> object:
    raise ValueError("a bad idea")


def _hang() -> object:
    while True:
        pass


def _sleep() -> object:
    time.sleep(60)
    return None


def _exit(*_: object) -> object:
    raise SystemExit(3)


def _stop_the_loop() -> None:
    asyncio.get_running_loop().stop()


Unbearable = type("Unbearable", (), {"__class__": property(_exit), "__eq__": _exit})
"""Even asking what it is does harm, as a test runner finds out: make it late."""


class Endless(Mapping[str, object]):
    """Reads as a signal whose fields never come to an end."""

    def __getitem__(self, _: str) -> object:
        return _hang()

    def __iter__(self) -> Iterator[str]:
        return iter([str(_hang())])

    def __len__(self) -> int:
        return 4


class Aloof(type):
    """The class of a class that says nothing of itself."""

    def __getattribute__(cls, name: str) -> object:
        raise SystemExit(name)


def nameless() -> Any:
    # Late: a test runner asks what it collects.
    return Aloof("Nameless", (), {})()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_raise, "ValueError"),
        (_hang, "OverrunError"),
        (_sleep, "OverrunError"),
        (_exit, "SystemExit"),
        ("nonsense", "InvalidSignalError"),
        (Unbearable, "InvalidSignalError"),
        (42, "InvalidSignalError"),
        (lambda: a_signal(price_open=-1.0), "InvalidSignalError"),
        (lambda: replace(a_signal(), note=Unbearable()), "InvalidSignalError"),
        (lambda: replace(a_signal(), id=Unbearable()), "InvalidSignalError"),
        (lambda: replace(a_signal(), note=nameless()), "InvalidSignalError"),
        (nameless, "InvalidSignalError"),
        (Endless, "OverrunError"),
        (_stop_the_loop, "MeddlingError"),
    ],
)
def test_what_a_strategy_does_wrong_costs_that_bar_and_is_counted(
    answer: object, error: str
) -> None:
    heard: list[Announcement] = []
    asked: list[int] = []
    answers = {at(1): answer, at(3): a_signal()}

    run = ran(lambda: by_the_clock(answers, asked), *[QUIET] * 6, subjects=hearing(heard))

    lane = run.result.lanes[0]
    assert [(found.where, found.error, found.count) for found in lane.error_counts] == [
        ("get_signal", error, 1)
    ]
    assert [event.at_ms for event in lane.first_errors] == [at(1)]
    assert [event.error for event in heard if isinstance(event, ErrorContract)] == [error]
    assert asked == [at(0), at(1), at(2), at(3)]
    assert lane.opened_count == 1


async def test_an_answer_that_never_comes_is_given_up_and_a_slow_one_is_waited_for() -> None:
    class Slow(Strategy):
        interval = "1m"

        async def get_signal(self, view: View) -> Signal | None:
            if view.now_ms == at(1):
                await asyncio.Event().wait()
            if view.now_ms == at(3):
                await asyncio.sleep(0.01)
                return a_signal()
            return None

    run = await ran_on(a_plan(a_job(Slow, minutes_of(a_market(*[QUIET] * 6)))))

    lane = run.result.lanes[0]
    assert [(found.error, found.count) for found in lane.error_counts] == [("TimeoutError", 1)]
    assert (lane.opened_count, lane.is_given_up) == (1, False)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("interval", "9m", "cannot be made: interval is '9m': use one of 1m"),
        ("history", {"1m": "x"}, "cannot be made: history of 1m must be a whole number"),
        ("history", Unbearable, "cannot be made: SystemExit: 3"),
    ],
)
def test_what_an_instance_says_of_itself_is_looked_at_before_it_runs(
    name: str, value: object, told: str
) -> None:
    class Changed(ByTheClock):
        def __init__(self) -> None:
            super().__init__({}, [])
            self.__dict__[name] = value() if callable(value) else value

    with pytest.raises(BacktestError, match=told):
        ran(Changed, *[QUIET] * 3)


@pytest.mark.parametrize("answer", [_hang, Endless])
def test_a_strategy_that_never_comes_back_is_asked_no_more(answer: object) -> None:
    asked: list[int] = []
    answers = dict.fromkeys([at(n) for n in range(10)], answer)

    run = ran(lambda: by_the_clock(answers, asked), *[QUIET] * 10)

    assert asked == [at(0), at(1), at(2)]
    assert run.result.lanes[0].is_given_up
    assert run.result.is_complete


def test_a_callback_and_a_listener_that_raise_harm_nobody() -> None:
    class Loud(ByTheClock):
        def on_open(self, *_: object) -> None:
            raise ValueError("too loud")

    def deaf(_: object) -> None:
        raise KeyError("deaf")

    heard: list[Announcement] = []
    subjects = hearing(heard)
    subjects.signal_backtest.once(lambda event: isinstance(event, SignalClosed), deaf)

    run = ran(lambda: Loud({at(0): a_signal()}, []), (99.9, 102.0), QUIET, subjects=subjects)

    counts = {(each.where, each.error): each.count for each in run.result.lanes[0].error_counts}
    assert "(at test_broken_strategies.py:" in run.result.lanes[0].first_errors[0].message
    assert counts == {("callback on_open", "ValueError"): 1, ("listener", "KeyError"): 1}
    assert len(run.told) == 1


def test_a_callback_that_never_comes_back_is_called_no_more() -> None:
    called: list[int] = []

    class Stuck(ByTheClock):
        def on_idle(self, symbol: str, price: float, backtest: bool) -> None:
            called.append(len(called))
            if len(called) != 2:
                _hang()

    run = ran(lambda: Stuck({}, []), *[QUIET] * 10)

    counts = {(each.where, each.error): each.count for each in run.result.lanes[0].error_counts}
    assert counts == {
        ("callback on_idle", "OverrunError"): 4,
        ("callbacks", "GivenUpError"): 1,
    }
    assert called == [0, 1, 2, 3, 4]
    assert run.result.lanes[0].ask_count == 10


def test_what_a_callback_and_a_listener_return_is_nobodys_business() -> None:
    class Odd(ByTheClock):
        def on_open(self, *_: object) -> object:
            return Unbearable()

    subjects = hearing([])
    subjects.signal_backtest.subscribe(lambda _: Unbearable())

    run = ran(lambda: Odd({at(0): a_signal()}, []), (99.9, 102.0), QUIET, subjects=subjects)

    assert run.result.lanes[0].error_counts == ()
    assert len(run.told) == 1


def test_a_risk_rule_that_breaks_refuses_and_is_told() -> None:
    def broken(_: RiskPayload) -> str:
        return str(1 / 0)

    heard: list[Announcement] = []
    profile = RiskProfile(risk_name="odd", validations=(RiskValidation(validate=broken),))
    job = a_job(
        lambda: by_the_clock({at(0): a_signal()}),
        minutes_of(a_market(*[QUIET] * 3)),
        risk_names=("odd",),
    )

    run = asyncio.run(ran_on(a_plan(job, profiles=[profile]), hearing(heard)))

    assert run.result.lanes[0].refused_count == 1
    assert [event.where for event in heard if isinstance(event, ErrorContract)] == ["validation"]


def test_a_risk_rule_that_hangs_refuses_and_is_told() -> None:
    profile = RiskProfile(
        risk_name="odd", validations=(RiskValidation(validate=lambda _: str(_hang())),)
    )
    job = a_job(
        lambda: by_the_clock({at(0): a_signal()}),
        minutes_of(a_market(*[QUIET] * 3)),
        risk_names=("odd",),
    )

    run = asyncio.run(ran_on(a_plan(job, profiles=[profile])))

    lane = run.result.lanes[0]
    assert lane.refused_count == 1
    assert [(found.where, found.error) for found in lane.error_counts] == [
        ("validation", "OverrunError")
    ]


@pytest.mark.may_block
async def test_a_run_can_be_ended_while_each_of_its_calls_takes_its_time() -> None:
    asked: list[int] = []

    class Slow(Strategy):
        interval = "1m"

        def get_signal(self, view: View) -> None:
            asked.append(view.now_ms)
            time.sleep(0.01)

    plan = a_plan(a_job(Slow, minutes_of(a_market(*[QUIET] * 250))))
    run = asyncio.get_running_loop().create_task(ran_on(plan))
    asyncio.get_running_loop().call_later(0.02, run.cancel)
    with suppress(asyncio.CancelledError):
        await run

    assert run.cancelled()
    assert len(asked) < 200


def test_a_loop_of_another_thread_ends_while_a_strategy_is_asked() -> None:
    async def enter() -> None:
        with Containment():
            pass

    ended: list[bool] = []

    def run_aside() -> None:
        aside = threading.Thread(target=asyncio.run, args=(enter(),), daemon=True)
        aside.start()
        aside.join(2.0)
        ended.append(not aside.is_alive())

    ran(lambda: by_the_clock({at(0): run_aside}), QUIET, QUIET)

    assert ended == [True]
