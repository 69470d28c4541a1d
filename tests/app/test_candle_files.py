"""One way from candles on disk to columns, whatever the file; one clear line for what is wrong."""

import re
from pathlib import Path

import numpy as np
import pyarrow.feather
import pytest

from daemon.adapters.candles.names import Series
from daemon.adapters.candles.store import CandleStore
from daemon.app.candle_files import Stored, read_file, read_minutes
from daemon.app.extras import MissingLibraryError, research_libraries
from daemon.core.columns import RawColumns, Span
from daemon.core.errors import CandleError
from daemon.research.columns import checked_minutes
from tests.adapters.candles.samples import FEBRUARY, JANUARY, some_rows
from tests.core.samples import MINUTE

HEADER = "timestamp,open,high,low,close,volume"
BTC = Series("binance", "BTC/USDT")


def a_csv(folder: Path, rows: RawColumns, header: str = HEADER) -> Path:
    path = folder / "x.csv"
    lines = [",".join(map(str, row)) for row in zip(*(c.tolist() for c in rows), strict=True)]
    path.write_text("\n".join([header, *lines]))
    return path


def a_store(folder: Path, *parts: RawColumns) -> CandleStore:
    store = CandleStore(folder / "data")
    with store.writing(BTC):
        for part in parts:
            store.add(BTC, part)
    return store


def test_every_kind_of_source_gives_the_same_minutes(tmp_path: Path) -> None:
    rows = some_rows(FEBRUARY - 5 * MINUTE, 10)
    store = a_store(tmp_path, rows)
    feather = tmp_path / "x.feather"
    pyarrow.feather.write_feather(
        pyarrow.table(dict(zip(HEADER.split(","), rows, strict=True))), feather
    )

    sources: list[Stored | Path | str] = [
        a_csv(tmp_path, rows),
        feather,
        str(store.path_of(BTC)),
        Stored("binance", "BTC/USDT", root=store.root),
    ]

    expected = checked_minutes(rows).fingerprint
    assert {read_minutes(source).fingerprint for source in sources} == {expected}
    assert len(read_minutes(store.months(BTC)[0])) == 5


def test_gaps_are_refused_or_filled_and_counted_together_with_those_filled_before(
    tmp_path: Path,
) -> None:
    rows = some_rows(JANUARY, 12)
    store = a_store(tmp_path, rows.taken(np.array([True, False, True] + [True] * 9)))
    with store.writing(BTC):
        store.fill(BTC, Span(JANUARY, FEBRUARY))
        store.add(BTC, some_rows(JANUARY + 15 * MINUTE))
    source = Stored("binance", "BTC/USDT", root=store.root)

    with pytest.raises(CandleError, match=r"BTC/USDT on binance: 3 minutes are missing in 1 gap"):
        read_minutes(source)
    minutes = read_minutes(source, gaps="fill")

    assert (len(minutes), minutes.filled_count) == (20, 4)


def test_ends_that_are_missing_are_refused(tmp_path: Path) -> None:
    store = a_store(tmp_path, some_rows(JANUARY, 10))
    inside = Stored("binance", "BTC/USDT", JANUARY + MINUTE, JANUARY + 5 * MINUTE, store.root)
    early = Stored("binance", "BTC/USDT", JANUARY - MINUTE, None, store.root)
    late = Stored("binance", "BTC/USDT", JANUARY, JANUARY + 11 * MINUTE, store.root)

    assert len(read_minutes(inside)) == 4
    for source in (early, late):
        with pytest.raises(CandleError, match=r"2025-01-01 00:00 UTC to .* 00:10 UTC"):
            read_minutes(source, gaps="fill")


def test_a_market_that_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    store = a_store(tmp_path, some_rows())

    with pytest.raises(CandleError, match=r"BTC/USDT on binance\); tickd data fetch ETH/USDT"):
        read_minutes(Stored("binance", "ETH/USDT", root=store.root))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: the file is empty"),
        (HEADER, "the file holds no candles"),
        (f"{HEADER}\n{JANUARY},1,2,1,1,1", "there is only one candle"),
        (
            f"{HEADER}\n{JANUARY},1,2,1,1,1\n{JANUARY},1,2,1,1,1",
            "line 3, column timestamp: the same minute as the row before",
        ),
        (
            f"{HEADER}\n{JANUARY},1,2,1,1,1\n{JANUARY - MINUTE},1,2,1,1,1",
            "timestamp: earlier than the row before: the oldest candle must come first",
        ),
        (f"{HEADER}\n{JANUARY},nan,2,1,1,1", "line 2, column open: nan is not finite"),
        (f"{HEADER}\n{JANUARY},,2,1,1,1", "line 2, column open: '' is not a number"),
        (
            "date,open,high,low,close\n1,1,1,1,1",
            "column volume: no column has this name",
        ),
        (
            f"{HEADER}\n{JANUARY},1,2,1,1,1\n{JANUARY + 300_000},1,2,1,1,1",
            "the candles are 5 minutes apart",
        ),
    ],
)
def test_a_faulty_text_is_told_in_one_line_with_its_place(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)

    with pytest.raises(CandleError, match=re.escape(told)) as caught:
        read_minutes(path)

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_what_is_no_candle_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00\x01")

    for name, told in {
        "x": "neither text, Parquet nor Feather",
        "none.csv": "No such file",
        ".": "the folder holds no candles",
    }.items():
        with pytest.raises(CandleError, match=told):
            read_minutes(tmp_path / name)


def test_a_recorded_month_is_read_fast_and_slow_alike(
    recorded_candles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recorded_candles / "btc-perp-2022-01-1m.csv"

    fast = read_minutes(path)
    monkeypatch.setattr("daemon.adapters.candles.arrow.read_csv", lambda path: None)
    slow = read_minutes(path)
    store = a_store(tmp_path, read_file(path).rows)

    assert len(fast) == 45_031
    assert fast.fingerprint == slow.fingerprint
    stored = Stored("binance", "BTC/USDT", root=store.root)
    assert read_minutes(stored).fingerprint == fast.fingerprint


def test_a_missing_library_is_named_with_the_remedy() -> None:
    with (
        pytest.raises(
            MissingLibraryError,
            match=r"needs the research libraries .pyarrow is missing.: make research",
        ),
        research_libraries("reading x.parquet"),
    ):
        raise ModuleNotFoundError("No module named 'pyarrow.parquet'", name="pyarrow.parquet")


def test_another_missing_module_is_a_bug_and_stays_one() -> None:
    with pytest.raises(ModuleNotFoundError), research_libraries("this"):
        raise ModuleNotFoundError("No module named 'daemon.x'", name="daemon.x")
