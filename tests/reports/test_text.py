"""How values are written: no value may break a table or a report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.reports.text import (
    Column,
    bullets,
    cut_note,
    document,
    minutes,
    moment,
    number,
    percent,
    plain,
    price,
    signed_percent,
    span_minutes,
    table,
)


def test_prices_have_eight_decimals_and_their_unit() -> None:
    assert price(42_000.5) == "42000.50000000 USD"
    assert price(None) == "N/A"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.234, "+1.23%"),
        (-1.236, "-1.24%"),
        (0.0, "0.00%"),
        (-0.001, "0.00%"),
        (0.004, "0.00%"),
        (None, "N/A"),
    ],
)
def test_pnl_is_signed_with_two_decimals(value: float | None, text: str) -> None:
    assert signed_percent(value) == text


def test_what_is_missing_reads_as_such() -> None:
    assert (percent(None), number(None), minutes(None), plain(None), plain("")) == ("N/A",) * 5
    assert (percent(12.345), number(0.12345), minutes(2.25)) == ("12.35%", "0.123", "2.2")


def test_times_are_utc() -> None:
    assert moment(1_700_000_400_123) == "2023-11-14T22:20:00.123Z"
    assert moment(0) == "1970-01-01T00:00:00.000Z"
    assert moment(10**18) == "1000000000000000000"
    assert span_minutes(0, 90_000) == "1.5"


def test_text_is_read_as_it_is() -> None:
    assert plain("a\x1b[31mb\x07\u202e") == "a[31mb"
    assert plain("a|b\nc*d`e<f>\\") == "a\\|b c\\*d\\`e&lt;f>\\\\"


def test_a_table() -> None:
    size: Column[int] = Column("Size", str)
    half: Column[int] = Column("Half", lambda row: str(row // 2))

    assert table((size, half), [4, 6]) == "| Size | Half |\n| --- | --- |\n| 4 | 2 |\n| 6 | 3 |"


@given(st.text())
def test_no_text_breaks_out_of_its_cell(text: str) -> None:
    column: Column[str] = Column("Text", plain)

    lines = table((column,), [text]).split("\n")

    bare = lines[-1].replace("\\\\", "").replace("\\|", "")
    assert len(lines) == 3
    assert bare.count("|") == 2


def test_a_document_leaves_out_what_says_nothing() -> None:
    assert document("# A", "", "b") == "# A\n\nb\n"
    assert bullets([("One", "1"), ("Two", "2")]) == "- **One:** 1\n- **Two:** 2"


def test_a_cut_is_told() -> None:
    assert cut_note(3, 3, "events") == ""
    assert cut_note(250, 1203, "signals") == (
        "Listed are the newest 250 of 1,203 signals; the figures cover all."
    )
