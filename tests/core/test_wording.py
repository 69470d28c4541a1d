"""Numbers and times in words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.wording import (
    count_text,
    day_text,
    moment_text,
    percent_text,
    price_text,
    span_text,
    time_text,
    uptime_text,
)


@given(st.integers(0, 253_402_300_799_000))
def test_a_moment_is_the_one_that_the_calendar_says(at_ms: int) -> None:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)

    assert moment_text(at_ms) == moment.strftime("%Y-%m-%d %H:%M")
    assert day_text(at_ms) == moment.strftime("%Y-%m-%d")
    assert time_text(at_ms) == moment.strftime("%H:%M:%S")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (12_000, "3 h 20 min"), (370_800, "4 d 7 h")],
)
def test_an_uptime_has_two_units(seconds: float, text: str) -> None:
    assert uptime_text(seconds) == text


def test_figures_are_short() -> None:
    assert (price_text(64210.5), price_text(1.08421), price_text(0.00001234)) == (
        "64210.5",
        "1.0842",
        "0.00001234",
    )
    assert (span_text(20), span_text(150)) == ("20 min", "2.5 h")
    assert (percent_text(1.234), percent_text(-0.0001), percent_text(0)) == (
        "+1.23 %",
        "-0.0001 %",
        "+0.00 %",
    )


def test_one_is_not_many() -> None:
    assert [count_text(count, "trial") for count in (0, 1, 2500)] == [
        "0 trials",
        "1 trial",
        "2,500 trials",
    ]
