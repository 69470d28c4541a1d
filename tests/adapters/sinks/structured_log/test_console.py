"""Lines for people: each explains itself, and no text from outside breaks out of its line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.sinks.structured_log.console import ConsoleLine, price_text, span_text
from daemon.core.events import Announcement
from daemon.core.fields import flat_fields, log_name
from tests.core.some_events import (
    a_cancelled,
    a_closed,
    a_loss_level,
    a_profit_level,
    a_refusal,
    a_row,
    a_scheduled,
    a_short_row,
    an_error,
    an_exit,
    an_opened,
    every_transition,
)

TIME = "2023-11-14T22:21:05.000000Z"
line = ConsoleLine(has_colors=False)
any_text = st.text(st.characters(exclude_categories=()), max_size=40)


def told(event: Announcement) -> str:
    return line({"event": log_name(event), "timestamp": TIME, **flat_fields(event)})


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            a_scheduled(),
            (
                "long waits for entry 100 (now 101, -0.99 % away)  "
                "take profit 102 (+2.00 %)  stop 99 (-1.00 %)  life 20 min  note=a note"
            ),
        ),
        (
            an_opened(),
            (
                "long entry 100  take profit 102 (+2.00 %)"
                "  stop 99 (-1.00 %)  life 20 min  note=a note"
            ),
        ),
        (
            an_opened(row=replace(a_short_row(), note="")),
            ("short entry 100  take profit 98 (+2.00 %)  stop 101 (-1.00 %)  life 20 min"),
        ),
        (
            a_closed(),
            (
                "long took its profit at 102  pnl +0.50 % "
                "after costs  entry 100  held 10 min  note=a note"
            ),
        ),
        (
            replace(a_closed(pnl_percent=-1.3), close_reason="stop_loss", current_price=99.0),
            (
                "long was stopped out at 99  pnl -1.30 % "
                "after costs  entry 100  held 10 min  note=a note"
            ),
        ),
        (
            a_cancelled(),
            ("long did not reach its entry 100 in 11 min  price 98  note=a note"),
        ),
        (
            replace(a_cancelled(), reason="stop_loss"),
            ("long reached its stop 99 before its entry 100  price 98  note=a note"),
        ),
        (
            a_profit_level(),
            (
                "long reached profit level 50 %  price 101 "
                "(+1.00 %)  50 % of the way to take profit 102"
            ),
        ),
        (
            a_loss_level(),
            ("long reached loss level 50 %  price 99.5 (-0.50 %)  50 % of the way to stop 99"),
        ),
        (
            replace(a_refusal(), pending_signal=replace(a_row(), pending_at=a_row().scheduled_at)),
            (
                "long refused by risk profile calm: "
                "too many open  3 open  rule=at most 3  note=a note"
            ),
        ),
        (
            replace(a_refusal(), pending_signal=a_row()),
            (
                "long that waited 1 min for its entry, now refused by risk profile calm: "
                "too many open  3 open  rule=at most 3  note=a note"
            ),
        ),
        (
            an_error(),
            "feed: TransientError: no answer",
        ),
        (
            an_exit(),
            "storage: FatalError: no folder",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else log_name(value),
)
def test_each_line_explains_itself(event: Announcement, text: str) -> None:
    assert told(event) == f"22:21:05 {log_name(event):<16} BTC/USDT   breakout      {text}"


def test_market_time_is_shown_where_it_is_not_the_time_on_the_wall() -> None:
    fields = flat_fields(replace(an_error(), at_ms=1_700_010_000_000))

    text = line({"event": "error", "timestamp": TIME, **fields})

    assert text.endswith("market 2023-11-15 01:00:00")


def test_other_lines_show_their_fields() -> None:
    event = {"event": "daemon_started", "level": "info", "timestamp": TIME, "a": 1, "b": "x y"}

    assert line(event) == '22:21:05 daemon_started   a=1  b="x y"'


def test_a_line_of_a_library_says_which() -> None:
    event = {"event": "oops", "timestamp": TIME, "logger": "aiohttp.server"}

    assert line(event) == "22:21:05 oops             aiohttp.server"


def test_a_strange_event_under_our_name_is_told_field_by_field() -> None:
    event = {"event": "signal_opened", "timestamp": TIME, "symbol": "BTC"}

    assert line(event) == "22:21:05 signal_opened    symbol=BTC"


def test_a_traceback_stands_below_its_line() -> None:
    event = {"event": "failed", "timestamp": TIME, "exception": "Traceback\n  File\x1b\nError"}

    assert line(event).splitlines()[1:] == ["    Traceback", "      File\\x1b", "    Error"]


def test_colors_are_only_for_terminals() -> None:
    event = {"event": "signal_opened", "timestamp": TIME, **flat_fields(an_opened())}

    assert "\x1b[" not in line(event)
    assert "\x1b[32m+2.00 %\x1b[0m" in ConsoleLine(has_colors=True)(event)


def test_a_long_note_is_cut() -> None:
    text = told(an_opened(row=a_row(note="n" * 2000)))

    assert len(text) < 400
    assert text.endswith("…")


@given(st.sampled_from(every_transition()), any_text, any_text, any_text)
def test_q9_no_text_breaks_out_of_its_line(
    event: Announcement, name: str, text: str, key: str
) -> None:
    fields = {
        field: text if isinstance(value, str) else value
        for field, value in flat_fields(event).items()
    }
    for rendered in (
        line({"event": log_name(event), "timestamp": TIME, **fields}),
        line({"event": name, "timestamp": TIME, key: text, "logger": text}),
    ):
        assert len(rendered.splitlines()) <= 1
        assert "\x1b" not in rendered
        assert "\x9b" not in rendered


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (64210.5, "64210.5"),
        (64210.538472, "64210.54"),
        (100.0, "100"),
        (1.08423, "1.0842"),
        (0.000012345678, "0.000012346"),
        (1e-9, "0.000000001"),
        (0.0, "0"),
        (1200, "1200"),
    ],
)
def test_prices_have_the_decimals_that_they_deserve(price: float, text: str) -> None:
    assert price_text(price) == text


@given(st.floats(1e-9, 1e9))
def test_a_printed_price_is_the_price(price: float) -> None:
    assert float(price_text(price)) == pytest.approx(price, rel=1e-4)
    assert "e" not in price_text(price)


def test_spans_are_short() -> None:
    assert [span_text(minutes) for minutes in (0.5, 20, 119.5, 150)] == [
        "0.5 min",
        "20 min",
        "119.5 min",
        "2.5 h",
    ]
