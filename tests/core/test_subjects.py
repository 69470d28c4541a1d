"""Who hears what, in which order, and what a condition may do."""

from collections.abc import Callable

import pytest

from daemon.core.events import Announcement, SignalActive, TickResult
from daemon.core.results import stamped
from daemon.core.subjects import AnyDelivery, Subject, Subjects, route
from tests.core import some_events


def names(event: Announcement, subjects: Subjects) -> list[object]:
    """Return what the handlers of those who hear `event` return, in order."""
    return [delivery.call() for delivery in route(event, subjects)]


def listening_to_all() -> Subjects:
    subjects = Subjects()
    for name in ("signal", "signal_live", "signal_backtest", "error", "exit", "validation"):
        getattr(subjects, name).subscribe(lambda _, name=name: name)
    for name in ("done_live", "done_backtest", "performance", "risk"):
        getattr(subjects, name).subscribe(lambda _, name=name: name)
    for name in ("partial_profit", "partial_loss"):
        getattr(subjects, name).subscribe(lambda _, name=name: name)
    return subjects


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (some_events.an_idle(), ["signal_live", "signal"]),
        (some_events.an_active(), ["signal_live", "signal"]),
        (some_events.a_scheduled(), ["signal_live", "signal"]),
        (some_events.an_opened(), ["signal_live", "signal"]),
        (some_events.a_closed(), ["signal_live", "signal"]),
        (some_events.a_cancelled(), ["signal_live", "signal"]),
        (stamped(some_events.an_idle()), ["signal_backtest", "signal"]),
        (stamped(some_events.a_closed()), ["signal_backtest", "signal"]),
        (some_events.a_profit_level(), ["partial_profit"]),
        (some_events.a_loss_level(), ["partial_loss"]),
        (some_events.a_refusal(), ["risk"]),
        (some_events.an_error(where="feed"), ["error"]),
        (some_events.an_error(where="validation"), ["validation"]),
        (some_events.an_exit(), ["exit"]),
        (some_events.a_done(), ["done_live"]),
        (some_events.a_performance(), ["performance"]),
    ],
)
def test_an_event_reaches_its_emitters_in_order(event: Announcement, heard: list[str]) -> None:
    assert names(event, listening_to_all()) == heard


def test_each_emitter_bears_its_own_name() -> None:
    subjects = Subjects()

    assert [getattr(subjects, name).name for name in Subjects.__slots__] == list(Subjects.__slots__)


def test_listeners_hear_in_the_order_of_their_subscription_until_they_leave() -> None:
    subjects = Subjects()
    leave = subjects.signal.subscribe(lambda _: "first")
    subjects.signal.subscribe(lambda _: "second")

    before = names(some_events.an_idle(), subjects)
    leave()
    leave()

    assert before == ["first", "second"]
    assert names(some_events.an_idle(), subjects) == ["second"]


def test_a_once_listener_hears_the_first_event_that_it_accepts() -> None:
    subjects = Subjects()
    subjects.signal.once(lambda event: event.action == "closed", lambda event: event.action)

    heard = [
        names(event, subjects)
        for event in (
            some_events.an_idle(),
            some_events.a_closed(),
            some_events.a_closed(),
        )
    ]

    assert heard == [[], ["closed"], []]
    assert subjects.signal.listeners == []


def test_a_slow_once_listener_is_not_given_the_next_event() -> None:
    """Its call comes later than the next event: it must have left by then."""
    subjects = Subjects()
    subjects.signal.once(lambda _: True, lambda event: event.action)

    waiting: list[AnyDelivery] = list(route(some_events.a_scheduled(), subjects))
    waiting += route(some_events.a_closed(), subjects)

    assert [delivery.call() for delivery in waiting] == ["scheduled"]


def test_a_once_listener_can_leave_before_it_heard_anything() -> None:
    subjects = Subjects()
    leave = subjects.risk.once(lambda _: True, lambda _: "heard")

    leave()

    assert names(some_events.a_refusal(), subjects) == []


def test_who_leaves_while_others_hear_is_not_skipped_over() -> None:
    subjects = Subjects()
    leaves: list[Callable[[], None]] = []
    leaves.append(subjects.signal.subscribe(lambda _: leaves[0]()))
    subjects.signal.subscribe(lambda _: "second")

    assert names(some_events.an_idle(), subjects) == [None, "second"]


class _Harmful:
    def __bool__(self) -> bool:
        raise SystemExit


async def _late(_: TickResult) -> bool:
    return True


@pytest.mark.parametrize(
    ("accepts", "error"),
    [
        (lambda _: 1 / 0, "ZeroDivisionError"),
        (lambda _: _Harmful(), "SystemExit"),
        (_late, "TypeError"),
    ],
)
def test_a_condition_that_raises_accepts_nothing_and_is_told(
    accepts: Callable[[TickResult], bool], error: str
) -> None:
    subjects = Subjects()
    subjects.signal_live.once(accepts, lambda _: "harmed")
    subjects.signal_live.subscribe(lambda _: "unharmed")

    heard = names(some_events.an_active(), subjects)

    assert heard == ["unharmed"]
    (fault,) = subjects.take_faults()
    assert (fault.subject, fault.raised.error) == ("signal_live", error)
    assert subjects.take_faults() == []
    assert len(subjects.signal_live.listeners) == 2


def test_faults_that_nobody_takes_do_not_pile_up() -> None:
    subject: Subject[SignalActive] = Subject("signal")
    subjects = Subjects()
    subjects.signal.once(lambda _: bool(1 / 0), lambda _: None)

    for _ in range(1_000):
        names(some_events.an_active(), subjects)

    assert len(subjects.take_faults()) == 100
    assert subject.faults.maxlen == 100


def test_what_a_handler_raises_is_the_drivers_business() -> None:
    subjects = Subjects()
    subjects.signal.subscribe(lambda _: 1 / 0)

    (delivery,) = route(some_events.an_idle(), subjects)

    with pytest.raises(ZeroDivisionError):
        delivery.call()
    assert delivery.event == some_events.an_idle()
