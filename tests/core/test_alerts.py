"""Alerts: what of the journal is told, how grave it is, and who wants it."""

from typing import get_args

import pytest

from daemon.core.alert_kinds import AlertKind
from daemon.core.alerts import AlertFilter, alerts_of, is_alert, kind_of, level_of
from daemon.core.candles import Candle
from daemon.core.fields import flat_fields, log_name
from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    Journaled,
    JournalEntry,
    RunEntry,
    StopEntry,
    TransitionEntry,
)
from tests.core.some_events import KEY, an_error, an_exit, an_opened, every_transition

CANDLE = CandleEntry(
    symbol="X",
    candle=Candle(timestamp=0, open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0),
)
TOLD: tuple[JournalEntry, ...] = (
    RunEntry(version="1.2", config_hash="x", at_ms=1),
    StopEntry(open_count=3, at_ms=2),
    CommandEntry(command="pause", target="BTC/USDT", origin="cli", at_ms=3),
    TransitionEntry(key=KEY, events=every_transition(), at_ms=4),
)


def test_every_kind_is_told_by_some_entry() -> None:
    alerts = [
        alert
        for number, entry in enumerate(TOLD, 1)
        for alert in alerts_of(Journaled(number=number, entry=entry))
    ]

    assert {alert.kind for alert in alerts} == set(get_args(AlertKind))
    assert len({alert.id for alert in alerts}) == len(alerts)
    assert [alert.place for alert in alerts] == sorted(alert.place for alert in alerts)


def test_candles_and_empty_writes_tell_nothing() -> None:
    empty = TransitionEntry(key=KEY, events=(), at_ms=1)

    assert not is_alert(CANDLE)
    assert not is_alert(empty)
    assert all(map(is_alert, TOLD))
    assert list(alerts_of(Journaled(number=1, entry=CANDLE))) == []


def test_an_alert_bears_the_name_and_the_fields_of_its_log_line() -> None:
    for event in every_transition():
        entry = TransitionEntry(key=KEY, events=(event,), at_ms=1)
        (alert,) = alerts_of(Journaled(number=7, entry=entry))

        assert alert.kind == kind_of(event) == log_name(event)
        assert alert.fields == flat_fields(event)
        assert (alert.id, alert.number, alert.symbol) == (event.id, 7, KEY.symbol)


def test_a_person_is_woken_for_what_needs_one() -> None:
    assert level_of(an_exit()) == "critical"
    assert level_of(an_error(where="state")) == "critical"
    assert level_of(an_error(where="get_signal")) == "warning"
    assert level_of(an_opened()) == "notice"


@pytest.mark.parametrize(
    ("alert_filter", "wanted"),
    [
        (AlertFilter(), True),
        (AlertFilter(level="notice"), True),
        (AlertFilter(level="warning"), False),
        (AlertFilter(kinds=frozenset({"signal_opened"})), True),
        (AlertFilter(kinds=frozenset({"signal_closed"})), False),
        (AlertFilter(symbols=frozenset({"BTC/USDT"})), True),
        (AlertFilter(symbols=frozenset({"ETH/USDT"})), False),
        (AlertFilter(strategies=frozenset({"breakout"})), True),
        (AlertFilter(strategies=frozenset({"other"})), False),
    ],
)
def test_each_filter_counts(alert_filter: AlertFilter, wanted: bool) -> None:
    entry = TransitionEntry(key=KEY, events=(an_opened(),), at_ms=1)
    (alert,) = alerts_of(Journaled(number=1, entry=entry))

    assert alert_filter.wants(alert) is wanted


def test_what_concerns_the_whole_daemon_passes_filters_of_symbols() -> None:
    alert_filter = AlertFilter(symbols=frozenset({"ETH/USDT"}), strategies=frozenset({"other"}))
    (alert,) = alerts_of(Journaled(number=1, entry=TOLD[0]))

    assert alert_filter.wants(alert)
