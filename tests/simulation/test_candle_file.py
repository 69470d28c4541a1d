"""Recorded candles: what is read, and how clearly everything else is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import MINUTE_MS, Candle
from daemon.simulation.candle_file import (
    CandleFileError,
    count_missing_minutes,
    fill_gaps,
    parse_candles,
)

HEADER = "timestamp,open,high,low,close,volume"
FIRST_MS = 1_640_995_200_000  # 2022-01-01 00:00 UTC
ROW = "10,12,9,11,3.5"


def a_file(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows])


def a_candle(minute: int, close: float = 11.0) -> Candle:
    return Candle(FIRST_MS + minute * MINUTE_MS, 10.0, 12.0, 9.0, close, 3.5)


@pytest.mark.parametrize(
    "stamp",
    [
        "2022-01-01 00:00:00.000000",
        "2022-01-01T00:00:00Z",
        "2022-01-01T01:00:00+01:00",
        "2022-01-01",
        "1640995200",
        "1640995200.0",
        "1640995200000",
        " 1640995200000 ",
    ],
)
def test_times_are_iso_or_epoch_and_naive_means_utc(stamp: str) -> None:
    assert parse_candles(a_file(f"{stamp},{ROW}")) == [a_candle(0)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_come_in_any_order_and_case_and_others_are_ignored(separator: str) -> None:
    lines = ["Volume,CLOSE,Open,note,High, low ,Date", "3.5,11,10,hello,12,9,2022-01-01", ""]

    rows = parse_candles([line.replace(",", separator) for line in lines])

    assert rows == [a_candle(0)]


def test_a_byte_order_mark_and_windows_lines_do_no_harm() -> None:
    text = "\ufeff" + a_file(f"{FIRST_MS},{ROW}", f"{FIRST_MS + MINUTE_MS},{ROW}")

    assert parse_candles(text.replace("\n", "\r\n")) == [a_candle(0), a_candle(1)]


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        ("yesterday,10,12,9,11,3", "timestamp", "'yesterday' is neither an ISO time nor an epoch"),
        ("2022-01-01 00:01:30,10,12,9,11,3", "timestamp", "not at the start of a minute"),
        ("1640995261,10,12,9,11,3", "timestamp", "not at the start of a minute"),
        ("1640995260000000,10,12,9,11,3", "timestamp", "neither epoch seconds nor milli"),
        ("-60,10,12,9,11,3", "timestamp", "neither epoch seconds nor milliseconds"),
        ("nan,10,12,9,11,3", "timestamp", "neither epoch seconds nor milliseconds"),
        ("2022-01-01 00:00,10,12,9,11,3", "timestamp", "the same minute as the row before"),
        ("2021-12-31 23:59,10,12,9,11,3", "timestamp", "earlier than the row before"),
        ("2022-01-01 00:01,1O,12,9,11,3", "open", "'1O' is not a number"),
        ("2022-01-01 00:01,10,,9,11,3", "high", "'' is not a number"),
        ("2022-01-01 00:01,10,12,9,nan,3", "close", "nan is not finite"),
        ("2022-01-01 00:01,10,inf,9,11,3", "high", "inf is not finite"),
        ("2022-01-01 00:01,10,12,0,11,3", "low", "0.0 is not positive"),
        ("2022-01-01 00:01,10,12,9,11,-3", "volume", "-3.0 is negative"),
        ("2022-01-01 00:01,10,10.5,9,11,3", "high", "10.5 is below another price"),
        ("2022-01-01 00:01,10,12,10.5,11,3", "low", "10.5 is above another price"),
        ("2022-01-01 00:01,10,8,9,11,3", "high", "8.0 is below another price"),
        ("2022-01-01 00:01,10,12,9,11", None, "5 cells where the header names 6"),
        ("2022-01-01 00:02,10,12,9,11,3", "timestamp", "2 minutes apart"),
    ],
)
def test_a_mistake_is_named_with_line_and_column(row: str, column: str | None, text: str) -> None:
    with pytest.raises(CandleFileError) as caught:
        parse_candles(a_file(f"2022-01-01,{ROW}", row))

    assert (caught.value.line, caught.value.column) == (3, column)
    assert text in str(caught.value)
    assert "line 3" in str(caught.value)


def test_a_quotation_mark_that_is_never_closed_is_one_short_line() -> None:
    rest = [f"2022-01-01,{ROW}"] * 10_000

    for file in (['"', *rest], ["9" * 200_000], [f"{'9' * 100_000},{ROW}"]):
        with pytest.raises(CandleFileError) as caught:
            parse_candles([HEADER, *file])
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", None, "the file is empty"),
        (HEADER, None, "holds no candles"),
        ("2022-01-01,10,12,9,11,3", "timestamp", "the columns must be named"),
        ("timestamp,open,high,low,close", "volume", "no column has this name"),
        ("timestamp,date,open,high,low,close,volume", "timestamp", "two columns may hold it"),
    ],
)
def test_a_file_without_the_right_header_is_refused(
    text: str, column: str | None, message: str
) -> None:
    with pytest.raises(CandleFileError, match=message) as caught:
        parse_candles(text)

    assert caught.value.column == column


def test_gaps_are_counted_and_filled_only_when_asked() -> None:
    rows = parse_candles(
        a_file(*(f"{FIRST_MS + minute * MINUTE_MS},{ROW}" for minute in (0, 1, 4)))
    )

    assert [row.timestamp for row in rows] == [FIRST_MS + m * MINUTE_MS for m in (0, 1, 4)]
    assert count_missing_minutes(rows) == 2
    flat = [Candle(FIRST_MS + m * MINUTE_MS, 11.0, 11.0, 11.0, 11.0, 0.0) for m in (2, 3)]
    assert fill_gaps(rows) == [a_candle(0), a_candle(1), *flat, a_candle(4)]
    assert count_missing_minutes([]) == 0
    assert fill_gaps([]) == []


@given(st.sets(st.integers(0, 60), min_size=1))
def test_a_filled_series_has_every_minute_once_and_keeps_what_was_there(minutes: set[int]) -> None:
    rows = [a_candle(minute, close=10.0 + minute / 60) for minute in sorted(minutes)]

    filled = fill_gaps(rows)

    assert count_missing_minutes(filled) == 0
    assert len(filled) == len(rows) + count_missing_minutes(rows)
    assert [row for row in filled if row.volume > 0] == rows
    assert fill_gaps(filled) == filled


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_in_any_other_way(text: str) -> None:
    for source in (text, f"{HEADER}\n{text}"):
        try:
            rows = parse_candles(source)
        except CandleFileError:
            continue
        assert rows


def test_a_month_of_real_candles_is_read_whole(recorded_candles: Path) -> None:
    text = (recorded_candles / "btc-perp-2022-01-1m.csv").read_text()

    rows = parse_candles(text)

    assert len(rows) == 45_031
    assert count_missing_minutes(rows) == 0
    assert rows[0] == Candle(1_640_991_660_000, 46319.0, 46385.0, 46319.0, 46377.0, 2300413.7295)
    assert rows[-1][1:] == (38525.0, 38546.0, 38525.0, 38544.0, 685906.9735)
