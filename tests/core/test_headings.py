"""Columns are found by their names, in whatever order and case."""

import re

import pytest

from daemon.core.headings import HeadingError, places_of


@pytest.mark.parametrize(
    ("headings", "places"),
    [
        (["timestamp", "open", "high", "low", "close", "volume"], [0, 1, 2, 3, 4, 5]),
        (["Volume", "CLOSE", "note", ' "Open"', "high ", "low", "Date"], [6, 3, 4, 5, 1, 0]),
    ],
)
def test_each_column_has_its_place(headings: list[str], places: list[int]) -> None:
    assert places_of(headings) == places


@pytest.mark.parametrize(
    ("headings", "column", "told"),
    [
        (["time", "open", "high", "low", "close"], "volume", "no column has this name; there are"),
        (["a", "b" * 200], "timestamp", "the columns must be named (timestamp, open, high, low"),
        (["open", "high", "low", "close"], "timestamp", "(time, date, datetime, open_time will do"),
        (
            ["time", "date", "open", "high", "low", "close", "volume"],
            "timestamp",
            "two columns may hold it; there are 'time, date, open",
        ),
    ],
)
def test_a_column_that_cannot_be_told_is_named(headings: list[str], column: str, told: str) -> None:
    with pytest.raises(HeadingError, match=re.escape(told)) as caught:
        places_of(headings)

    assert caught.value.column == column
