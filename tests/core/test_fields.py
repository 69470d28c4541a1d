"""An event as flat fields: every event has a name and plain values in one order."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.events import Announcement, Transition
from daemon.core.fields import LogName, flat_fields, gain_percent, log_name
from daemon.core.signal import Signal
from tests.core.some_events import (
    AT_MS,
    a_cancelled,
    a_closed,
    a_refusal,
    a_short_row,
    an_error,
    an_opened,
    every_event,
    every_transition,
)


def test_every_event_has_a_name_of_its_own() -> None:
    names = [log_name(event) for event in every_event()]

    assert sorted(names) == sorted(get_args(LogName))


@pytest.mark.parametrize("event", every_event(), ids=log_name)
def test_fields_are_plain_and_start_with_who(event: Announcement) -> None:
    fields = flat_fields(event)

    assert list(fields)[:3] == ["symbol", "strategy", "exchange"]
    assert all(type(value) in {str, int, float, bool} for value in fields.values())


@pytest.mark.parametrize("event", every_transition(), ids=log_name)
def test_transitions_end_with_their_id_and_time(event: Transition) -> None:
    fields = flat_fields(event)

    assert list(fields.items())[-2:] == [("id", event.id), ("at_ms", AT_MS)]


def test_an_opened_signal_tells_all_a_reader_needs() -> None:
    fields = flat_fields(an_opened())

    assert fields == {
        "symbol": "BTC/USDT",
        "strategy": "breakout",
        "exchange": "sandbox",
        "position": "long",
        "price_open": 100.0,
        "price_take_profit": 102.0,
        "price_stop_loss": 99.0,
        "take_profit_percent": 2.0,
        "stop_loss_percent": -1.0,
        "minute_estimated_time": 20,
        "current_price": 100.0,
        "note": "a note",
        "signal_id": "s1",
        "id": "e2",
        "at_ms": AT_MS,
    }


def test_a_close_tells_why_what_and_how_long() -> None:
    fields = flat_fields(a_closed())

    assert fields["reason"] == "take_profit"
    assert fields["pnl_percent"] == 0.5
    assert fields["held_minutes"] == 10.0


def test_a_cancellation_tells_how_long_it_waited() -> None:
    assert flat_fields(a_cancelled())["waited_minutes"] == 11.0


def test_a_short_gains_below_its_entry() -> None:
    fields = flat_fields(an_opened(row=a_short_row()))

    assert fields["take_profit_percent"] == 2.0
    assert fields["stop_loss_percent"] == -1.0


def test_a_market_signal_that_risk_refused_is_priced_at_the_market() -> None:
    signal = Signal(
        position="short", price_take_profit=98.0, price_stop_loss=101.0, minute_estimated_time=5
    )

    fields = flat_fields(replace(a_refusal(), pending_signal=signal))

    assert fields["price_open"] == 100.0
    assert fields["take_profit_percent"] == 2.0


def test_a_refusal_of_a_signal_that_had_waited_for_its_entry_tells_how_long() -> None:
    row = a_short_row()
    new = replace(row, pending_at=row.scheduled_at)
    waited = replace(row, pending_at=row.scheduled_at + 90_000)

    assert "waited_minutes" not in flat_fields(replace(a_refusal(), pending_signal=new))
    fields = flat_fields(replace(a_refusal(), pending_signal=waited))

    assert fields["waited_minutes"] == 1.5


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_written_afterwards(text: str) -> None:
    event = an_error(where=text, message=text)

    for value in flat_fields(event).values():
        str(value).encode("utf-8")


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_what_a_long_gains_a_short_loses(price_open: float, price: float) -> None:
    assert gain_percent("long", price_open, price) == -gain_percent("short", price_open, price)
