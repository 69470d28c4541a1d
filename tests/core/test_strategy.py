"""The author's side: what a class must have to run as a strategy, and what it may leave out."""

from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from inspect import signature
from typing import ClassVar, get_args

import pytest

from daemon.core.results import Callback, CallbackName, callbacks_of
from daemon.core.signal import Signal
from daemon.core.strategy import (
    HISTORY_MAX,
    HistoryError,
    Strategy,
    View,
    instance_faults,
    strategy_faults,
    takes,
)
from tests.core import some_events
from tests.core.samples import a_signal


class Sound(Strategy):
    history: ClassVar[Mapping[str, int]] = {"1h": HISTORY_MAX, "1m": 1}
    risk_list: ClassVar[tuple[str, ...]] = ("calm", "small")

    def get_signal(self, view: View) -> Signal:
        return a_signal()


def faults_of(**attributes: object) -> list[str]:
    return list(strategy_faults(type("Odd", (Sound,), attributes)))


def _yields(_self: Strategy, view: View) -> Iterator[View]:
    yield view


async def _yields_later(*arguments: object) -> AsyncIterator[object]:
    yield arguments


def test_a_sound_class_has_no_fault() -> None:
    assert list(strategy_faults(Sound)) == []


@pytest.mark.parametrize("interval", ["1m", "3m", "5m", "15m", "30m", "1h"])
def test_every_signal_interval_is_sound(interval: str) -> None:
    assert faults_of(interval=interval) == []


@pytest.mark.parametrize(
    ("attributes", "fault"),
    [
        ({"get_signal": Strategy.get_signal}, "does not override get_signal"),
        ({"get_signal": lambda self: None}, "get_signal must take one argument beside self"),
        ({"get_signal": lambda self, view, when: None}, "get_signal must take one argument"),
        ({"on_open": lambda self, symbol: None}, "on_open must take (self, symbol, row, price, b"),
        ({"get_signal": _yields}, "get_signal has a yield, so that calling it would run nothing"),
        ({"on_tick": _yields_later}, "on_tick has a yield"),
        ({"interval": "2h"}, "interval is '2h': use one of 1m, 3m"),
        ({"interval": []}, "interval is []: use one of"),
        ({"risk_list": "calm"}, 'risk_list must be names as in ("calm", "small")'),
        ({"risk_list": (1,)}, "risk_list must be names"),
        ({"risk_list": None}, "risk_list must be names"),
        ({"history": ["1h"]}, 'history must be a table as in {"1h": 200}'),
        ({"history": {"7m": 5}}, "history has the unknown interval '7m'"),
        ({"history": {"1h": 0}}, f"history of 1h must be a whole number from 1 to {HISTORY_MAX}"),
        ({"history": {"1h": HISTORY_MAX + 1}}, "history of 1h must be a whole number"),
        ({"history": {"1h": True}}, "history of 1h must be a whole number"),
        ({"history": {"1h": 5.0}}, "history of 1h must be a whole number"),
    ],
)
def test_a_class_that_cannot_run_is_told_why(attributes: dict[str, object], fault: str) -> None:
    (found,) = faults_of(**attributes)

    assert found.startswith(fault)


def test_all_faults_are_told() -> None:
    assert len(faults_of(interval="x", risk_list="calm", history={"7m": 0})) == 4


def test_an_async_get_signal_is_sound() -> None:
    async def get_signal(self: Strategy, view: View) -> None: ...

    assert faults_of(get_signal=get_signal) == []


def test_what_takes_how_many_arguments() -> None:
    assert takes(lambda one: one, 1)
    assert takes(lambda *many: many, 7)
    assert takes(partial(lambda one, two: (one, two), 1), 1)
    assert not takes(lambda one: one, 2)
    assert takes(type, 1)


def test_every_callback_may_be_left_out_and_takes_what_it_is_given() -> None:
    """The base class answers each call of every result with nothing."""
    strategy = Strategy()
    calls: list[Callback] = []
    for result in (some_events.an_idle(), some_events.an_active(), some_events.a_scheduled()):
        calls += callbacks_of(result, is_waiting=False, is_live_tick=True)
    for ended in (some_events.an_opened(), some_events.a_closed(), some_events.a_cancelled()):
        calls += callbacks_of(ended, is_waiting=False, is_live_tick=True)

    for call in calls:
        assert getattr(strategy, call.name)(*call.arguments) is None


def test_every_callback_exists() -> None:
    for name in get_args(CallbackName):
        parameters = list(signature(getattr(Strategy, name)).parameters)
        assert parameters[:2] == ["self", "symbol"]
        assert parameters[-1] == "backtest"


def test_a_strategy_that_asks_for_too_much_hears_of_a_lookup() -> None:
    assert issubclass(HistoryError, LookupError)


@pytest.mark.parametrize(
    ("attribute", "value", "told"),
    [
        ("interval", "7m", "interval is '7m': use one of 1m, 3m, 5m, 15m, 30m, 1h"),
        ("interval", 5, "interval is 5: use one of 1m, 3m, 5m, 15m, 30m, 1h"),
        ("history", 5, 'history must be a table as in {"1h": 200}'),
        ("get_signal", None, "get_signal is NoneType, and is to be called"),
        ("on_tick", 5, "on_tick is int, and is to be called"),
    ],
)
def test_what_an_instance_sets_wrongly_is_told(attribute: str, value: object, told: str) -> None:
    made = Sound()
    made.__dict__[attribute] = value

    assert list(instance_faults(made)) == [told]


def test_a_sound_instance_has_no_fault() -> None:
    assert list(instance_faults(Sound())) == []
