"""Files that people bring: Parquet and Feather of any make, read as they stand or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from daemon.adapters.candles.arrow import read_columns, read_csv, read_month
from daemon.adapters.candles.formats import kind_of
from daemon.core.errors import CandleError
from tests.adapters.candles.samples import JANUARY, as_lists, some_rows
from tests.core.samples import MINUTE

NAMES = ["date", "open", "high", "low", "close", "volume"]


def a_table(names: list[str] = NAMES, **changes: Any) -> Any:
    columns = dict(zip(NAMES, some_rows(), strict=True))
    return pa.table({name: changes.get(name, columns.get(name, columns["open"])) for name in names})


def in_parquet(folder: Path, table: Any) -> Path:
    path = folder / "x.parquet"
    pyarrow.parquet.write_table(table, path)
    return path


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_the_file_of_freqtrade_is_read(tmp_path: Path, unit: str, zone: str | None) -> None:
    path = tmp_path / "BTC_USDT-1m.feather"
    stamps = pa.array(some_rows().timestamp).cast(pa.timestamp("ms"))
    kind = pa.timestamp(unit, tz=zone)
    pyarrow.feather.write_feather(a_table(date=stamps.cast(kind)), path, compression="lz4")

    assert kind_of(path) == "feather"
    assert as_lists(read_columns(path)) == as_lists(some_rows())


@pytest.mark.parametrize("scale", [1, 1000])
def test_epochs_are_seconds_or_milliseconds(tmp_path: Path, scale: int) -> None:
    stamps = some_rows().timestamp // 1000 * scale
    for column in (stamps, stamps.astype(np.float64)):
        path = in_parquet(tmp_path, a_table(date=column))

        assert read_columns(path).timestamp.tolist() == some_rows().timestamp.tolist()


def test_numbers_of_other_kinds_are_taken_and_missing_ones_are_nan(tmp_path: Path) -> None:
    table = a_table(volume=pa.array([1, 2, 3, 4, 5]), open=pa.array([1.0, None, 3.0, 4.0, 5.0]))

    rows = read_columns(in_parquet(tmp_path, table))

    assert rows.volume.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert np.isnan(rows.open).tolist() == [False, True, False, False, False]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (a_table(names=NAMES[:5]), "column volume: no column has this name"),
        (a_table(names=[*NAMES, "timestamp"]), "column timestamp: two columns may hold it"),
        (a_table(close=["a"] * 5), "column close: it holds text, not numbers"),
        (a_table(date=["2025-01-01"] * 5), "column timestamp: it holds text, not times"),
        (a_table(date=[1, 2, 3, 4, None]), "column timestamp: 1 times are missing"),
        (a_table(date=[-1] * 5), "column timestamp: the numbers are neither epoch seconds"),
        (a_table(date=[1.0005] * 5), "column timestamp: the times are finer than a millisecond"),
    ],
)
def test_columns_that_are_no_candles_are_refused(tmp_path: Path, table: Any, told: str) -> None:
    path = in_parquet(tmp_path, table)

    with pytest.raises(CandleError) as caught:
        read_columns(path)

    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_the_mark_of_filled_minutes_is_read_or_refused(tmp_path: Path) -> None:
    marks = [False, True, True, False, True]
    marked = a_table().append_column("filled", pa.array(marks))
    wrong = a_table().append_column("filled", pa.array([1] * 5))

    assert read_month(in_parquet(tmp_path, marked.slice(0, 5))).is_filled.tolist() == marks
    assert not read_month(in_parquet(tmp_path, a_table())).is_filled.any()
    with pytest.raises(CandleError, match="column filled: it holds int64"):
        read_month(in_parquet(tmp_path, wrong))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = in_parquet(tmp_path, a_table())
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(CandleError, match=r"x\.parquet: "):
        read_columns(path)


def test_csv_is_read_as_it_stands_or_left_to_the_reader_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = "".join(f"{JANUARY + at * MINUTE};1;2;0.5;{at};3\n" for at in (1, 0))
    path.write_text("\ufeffTime;open;high;low;close;volume\n" + rows)

    read = read_csv(path)
    path.write_text(path.read_text() + "broken\n")

    assert read is not None
    assert read.timestamp.tolist() == [JANUARY + MINUTE, JANUARY]
    assert read_csv(path) is None
