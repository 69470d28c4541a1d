"""What is written after a step, and what a start makes of the files it finds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.held import (
    Held,
    given_by,
    held_after,
    is_schedule_stale,
    record_of,
    restored,
    signal_record,
)
from daemon.core.orders import fill_at_rule_price
from daemon.core.records import ScheduleRecord, SignalRecord
from daemon.core.risk import RiskDesk, RiskProfile, RiskValidation
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal
from daemon.core.states import Active, Cancel, Close, Given, Idle, Proposal, Scheduled, tick
from daemon.core.trader import Desk, advance, propose
from daemon.core.validation import Moment

KEY = Key(exchange_name="sandbox", symbol="BTC/USDT", strategy_name="s")


def a_desk(*, allows: bool = True) -> Desk:
    rule = RiskValidation(validate=lambda _: None if allows else "no")
    return Desk(
        key=KEY,
        rules=Rules(),
        risk=RiskDesk([RiskProfile(risk_name="r", validations=(rule,))]),
        risk_names=("r",),
        broker=fill_at_rule_price,
    )


def a_proposal(at_ms: int = 0, *, price_open: float | None = None) -> Proposal:
    signal = Signal(
        position="long",
        price_open=price_open,
        price_take_profit=102.0,
        price_stop_loss=97.0,
        minute_estimated_time=60,
    )
    made = propose(signal, Moment(key=KEY, at_ms=at_ms, price=100.0), a_desk())
    assert isinstance(made, Proposal)
    return made


def moved(held: Held, given_: Given, desk: Desk) -> tuple[Held, SignalRecord | ScheduleRecord]:
    after = advance(held.state, given_, desk)
    target = held_after(held, after)
    return target, record_of(held, target, after.events)


def test_a_new_waiting_signal_is_written_to_the_schedule_file_alone() -> None:
    held, record = moved(Held(key=KEY), a_proposal(price_open=99.0), a_desk())

    assert isinstance(record, ScheduleRecord)
    assert record.signal is not None
    assert isinstance(held.state, Scheduled)
    assert [event.id for event in record.outbox] == [f"{record.signal.id}-scheduled"]


def test_an_activation_is_written_to_the_signal_file_and_makes_the_schedule_file_stale() -> None:
    waiting, schedule = moved(Held(key=KEY), a_proposal(price_open=99.0), a_desk())
    opened, record = moved(waiting, tick(1000, 98.9), a_desk())

    assert isinstance(schedule, ScheduleRecord)
    assert isinstance(record, SignalRecord)
    assert isinstance(record.state, Active)
    assert is_schedule_stale(opened, schedule)
    assert restored(KEY, record, schedule).state == record.state, "the open one wins"


def test_a_closed_signal_never_comes_back_as_a_waiting_one() -> None:
    """The write that empties the schedule file may be lost: the signal file still knows."""
    waiting, schedule = moved(Held(key=KEY), a_proposal(price_open=99.0), a_desk())
    opened, _ = moved(waiting, tick(1000, 98.9), a_desk())
    _, closed = moved(opened, tick(2000, 96.0), a_desk())

    assert isinstance(closed, SignalRecord)
    assert isinstance(schedule, ScheduleRecord)
    assert restored(KEY, closed, schedule).state == Idle()


def test_a_refused_activation_empties_the_schedule_file() -> None:
    waiting, _ = moved(Held(key=KEY), a_proposal(price_open=99.0), a_desk())
    dropped, record = moved(waiting, tick(1000, 98.9), a_desk(allows=False))

    assert isinstance(record, ScheduleRecord)
    assert record.signal is None
    assert dropped.state == Idle()


def test_a_close_is_remembered_with_its_day_and_its_loss() -> None:
    opened, _ = moved(Held(key=KEY), a_proposal(), a_desk())
    closed, record = moved(opened, Close(reason="user", at_ms=5000, price=99.0), a_desk())

    assert closed.history.last_loss_at == 5000
    assert [close.at_ms for close in closed.history.closes] == [5000]
    assert isinstance(record, SignalRecord)
    assert record.history == closed.history


moves = st.lists(
    st.sampled_from(["propose", "schedule", "rise", "fall", "dip", "cancel", "late"]), max_size=30
)


@given(moves=moves, loses_emptying=st.booleans())
def test_the_files_always_tell_what_was_held(moves: list[str], loses_emptying: bool) -> None:
    """After any history, reading the newest records gives the state back; also where the
    emptying of the schedule file was still under way."""
    desk = a_desk()
    held, now_ms = Held(key=KEY), 0
    signal, schedule = signal_record(held), ScheduleRecord(key=KEY)
    for move in moves:
        now_ms += 60_000
        inputs: dict[str, Given] = {
            "propose": a_proposal(now_ms),
            "schedule": a_proposal(now_ms, price_open=99.0),
            "rise": tick(now_ms, 103.0),
            "fall": tick(now_ms, 96.0),
            "dip": tick(now_ms, 98.5),
            "cancel": Cancel(reason="user", at_ms=now_ms, price=100.0),
            "late": tick(now_ms + 100 * 60_000, 100.0),
        }
        if move in ("propose", "schedule") and held.state != Idle():
            continue
        if is_schedule_stale(held, schedule):
            # The next write of a key waits for the emptying, as the keeper does.
            schedule = ScheduleRecord(key=KEY)
        held, record = moved(held, inputs[move], desk)
        if isinstance(record, SignalRecord):
            signal = record
            if not loses_emptying and is_schedule_stale(held, schedule):
                schedule = ScheduleRecord(key=KEY)
        else:
            schedule = record

        assert restored(KEY, signal, schedule) == replace(held)


@pytest.mark.parametrize(
    ("marks", "price", "reason"),
    [
        ({}, 98.0, None),
        ({"is_paused": True}, 100.0, None),
        ({"is_paused": True}, 98.0, "user"),
        ({"is_stopped": True}, 100.0, "stopped"),
        ({"is_stopped": True, "is_paused": True}, 98.0, "stopped"),
    ],
)
def test_what_a_person_forbade_is_not_opened(
    marks: dict[str, bool], price: float, reason: str | None
) -> None:
    waiting = Scheduled(signal=a_proposal(price_open=99.0).row)
    held = Held(
        key=KEY,
        state=waiting,
        is_stopped=marks.get("is_stopped", False),
        is_paused=marks.get("is_paused", False),
    )
    seen = tick(1000, price)

    told = given_by(seen, held, Rules())

    assert (told.reason if isinstance(told, Cancel) else None) == reason
    assert told is seen or reason is not None
