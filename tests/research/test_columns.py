"""Candles come in whole, or are refused in one line that says where and why."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from daemon.core.candles import Candle
from daemon.research.columns import (
    CandleError,
    Minutes,
    RawColumns,
    checked_minutes,
    minutes_of,
    moment_text,
)
from tests.core.samples import MINUTE, T0


def some_rows(count: int = 5) -> list[Candle]:
    return [
        Candle(T0 + index * MINUTE, 100.0 + index, 103.0 + index, 99.0, 101.0 + index, 2.0)
        for index in range(count)
    ]


def with_row(index: int, **changes: float) -> list[Candle]:
    rows = some_rows()
    rows[index] = rows[index]._replace(**changes)  # type: ignore[arg-type]  # fields by name
    return rows


def test_rows_come_back_as_they_were() -> None:
    rows = some_rows()

    minutes = minutes_of(rows)

    assert minutes.rows() == rows
    assert (minutes.start_ms, minutes.end_ms, len(minutes)) == (T0, T0 + 5 * MINUTE, 5)
    assert minutes.filled_count == 0


def test_columns_cannot_be_written_to() -> None:
    minutes = minutes_of(some_rows())

    for column in (minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1.0


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "there are no candles"),
        (some_rows(1), "there is only one candle: a run needs at least two"),
        (some_rows()[::-1], "row 2 (2023-11-14 22:23 UTC) is earlier than the row before it"),
        (
            [*some_rows(2), *some_rows(2)[1:]],
            "row 3 (2023-11-14 22:21 UTC) is the same minute as the row before it",
        ),
        (with_row(2, timestamp=T0 + 2 * MINUTE + 1), "row 3: 1700000520001 ms is not the turn"),
        (some_rows()[::2], "the candles are 2 minutes apart: one-minute candles are needed"),
        (with_row(2, close=float("nan")), "row 3 (2023-11-14 22:22 UTC): close is nan"),
        (with_row(0, high=float("inf")), "row 1 (2023-11-14 22:20 UTC): high is inf"),
        (with_row(3, low=0.0), "row 4 (2023-11-14 22:23 UTC): low is 0.0: it must be positive"),
        (with_row(3, open=-1.0), "open is -1.0: it must be positive and finite"),
        (with_row(3, open=1e308), "open is 1e+308: it must be positive and at most 1e+"),
        (with_row(3, volume=-1.0), "volume is -1.0: it must be zero or positive and finite"),
        (with_row(3, high=100.0), "row 4 (2023-11-14 22:23 UTC): high is below another price"),
        (with_row(3, low=103.5), "row 4 (2023-11-14 22:23 UTC): low is above another price"),
        (with_row(3, low=0.05), "row 4 (2023-11-14 22:23 UTC): low is less than a 1,000th"),
        (
            [*some_rows(2), *some_rows()[4:]],
            "2 minutes are missing in 1 gap, the first after 2023-11-14 22:21 UTC",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(rows: Sequence[Candle], told: str) -> None:
    with pytest.raises(CandleError, match=re.escape(told)) as caught:
        minutes_of(rows)

    assert "\n" not in str(caught.value)


def test_columns_of_unequal_length_are_refused() -> None:
    ones = np.ones(3)
    raw = RawColumns(np.arange(3) * MINUTE, ones, ones, ones, ones[:2], ones)

    with pytest.raises(CandleError, match="the columns differ in length: 3, 3, 3, 3, 2, 3"):
        checked_minutes(raw)


def test_gaps_are_filled_flat_only_when_that_is_asked_for() -> None:
    rows = some_rows()

    minutes = minutes_of([rows[0], rows[1], rows[4]], "fill")

    close = rows[1].close
    flat = [Candle(T0 + n * MINUTE, close, close, close, close, 0.0) for n in (2, 3)]
    assert minutes.rows() == [rows[0], rows[1], *flat, rows[4]]
    assert minutes.filled_count == 2


def test_a_fingerprint_is_that_of_the_candles_alone() -> None:
    minutes = minutes_of(some_rows())

    assert minutes.fingerprint == minutes_of(some_rows()).fingerprint
    others: list[Minutes] = [
        replace(minutes, start_ms=T0 + MINUTE),
        minutes_of(with_row(2, volume=3.0)),
        minutes_of(some_rows(4)),
    ]
    assert len({minutes.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_a_moment_reads_as_people_write_it() -> None:
    assert moment_text(T0) == "2023-11-14 22:20 UTC"
    assert moment_text(0) == "1970-01-01 00:00 UTC"
