"""How the values of options are read."""

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from daemon.app.cli.options import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("60s", 60),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86_400),
        ("0.5s", 0.5),
        (" 1 M ", 60),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@given(st.text(max_size=12))
def test_any_text_is_a_positive_duration_or_refused(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except typer.BadParameter:
        return
    assert seconds > 0


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-1", "1w", "1e9", "inf", "nan", "s", "1,5s", "9" * 30]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no duration"):
        parse_duration(text)
