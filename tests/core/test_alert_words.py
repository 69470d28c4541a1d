"""Alerts in words: short, complete, and unharmed by whatever stands in an event."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.alert_words import Words, cut, short_words_of, words_of
from daemon.core.alerts import Alert, alerts_of
from daemon.core.events import Transition
from daemon.core.plain_text import one_line
from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    Journaled,
    JournalEntry,
    RunEntry,
    StopEntry,
    TransitionEntry,
)
from tests.core.some_events import (
    a_cancelled,
    a_closed,
    a_loss_level,
    a_profit_level,
    a_refusal,
    a_row,
    a_scheduled,
    an_error,
    an_exit,
    an_opened,
    every_transition,
)
from tests.live.alert_stage import a_transition


def an_alert(told: Transition | JournalEntry) -> Alert:
    match told:
        case RunEntry() | StopEntry() | CommandEntry() | CandleEntry() | TransitionEntry():
            entry: JournalEntry = told
        case _:
            entry = a_transition(told)
    return next(iter(alerts_of(Journaled(number=5, entry=entry))))


@pytest.mark.parametrize(
    ("told", "title"),
    [
        (a_scheduled(), "⏳ BTC/USDT breakout: long waits for 100"),
        (an_opened(), "🔵 BTC/USDT breakout: long opened at 100"),
        (a_closed(), "✅ BTC/USDT breakout: long took its profit, +0.50 % after costs"),
        (
            a_closed(pnl_percent=-0.001),
            "❌ BTC/USDT breakout: long took its profit, -0.001 % after costs",
        ),
        (a_cancelled(), "⚪ BTC/USDT breakout: long did not reach its entry in time"),
        (a_profit_level(), "📈 BTC/USDT breakout: long reached profit level 50 %"),
        (a_loss_level(), "📉 BTC/USDT breakout: long reached loss level 50 %"),
        (a_refusal(), "🛡 BTC/USDT breakout: long refused at its entry after 1 min by risk calm"),
        (an_error(), "⚠️ BTC/USDT breakout: trouble in feed"),
        (an_error(where="state"), "🚨 BTC/USDT breakout: trouble in state"),
        (an_exit(), "🚨 BTC/USDT breakout: ended by storage"),
        (RunEntry(version="1.2", config_hash="ab", at_ms=0), "▶️ tickd 1.2 started"),
        (StopEntry(open_count=2, at_ms=0), "⏹ tickd stopped"),
        (
            CommandEntry(command="pause", target="BTC/USDT", origin="a", at_ms=0),
            "🎛 pause BTC/USDT",
        ),
    ],
)
def test_each_alert_says_at_once_what_happened(told: Transition | JournalEntry, title: str) -> None:
    assert words_of(an_alert(told)).title == title


def test_an_alert_tells_all_that_one_wants_to_know() -> None:
    assert words_of(an_alert(an_opened())).lines == (
        "take profit 102 (+2.00 %)",
        "stop 99 (-1.00 %)",
        "life 20 min",
        "“a note”",
        "22:21:00 UTC  #5",
    )


def test_a_line_for_a_list_says_when_who_and_what() -> None:
    assert short_words_of(an_alert(an_opened())) == "22:21 BTC/USDT breakout long opened at 100"


@given(st.text(max_size=300), st.text(max_size=300))
def test_s3_no_text_breaks_out_of_its_line(message: str, note: str) -> None:
    for told in (an_error(message=message), an_opened(row=a_row(note=note))):
        words = words_of(an_alert(told))
        for line in (words.title, *words.lines):
            assert len(line.splitlines()) <= 1
            assert not any(sign in line for sign in "\x1b\u202e\u2066\0\ud800")


@pytest.mark.parametrize("payload", ["{0.__class__}", "%(asctime)s", "${HOME}", "{{7*7}}", "%n"])
def test_q8_a_text_is_never_a_pattern(payload: str) -> None:
    assert any(payload in line for line in words_of(an_alert(an_error(message=payload))).lines)


@given(st.sampled_from(every_transition()), st.sets(st.integers(0, 20)))
def test_fields_that_are_not_there_do_no_harm(event: Transition, missing: set[int]) -> None:
    alert = an_alert(event)
    kept = {n: v for index, (n, v) in enumerate(alert.fields.items()) if index not in missing}

    assert words_of(replace(alert, fields=kept)).title


def test_an_endless_text_is_cut() -> None:
    words = words_of(an_alert(an_error(message="x" * 100_000)))

    assert len(words.text) < 3000
    assert cut("abc", 2) == "a…"
    assert one_line(" a\n\tb ") == "a b"
    assert Words("t").text == "t"
