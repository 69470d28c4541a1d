"""The store keeps what it was given, says what is missing, and survives its writer."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.adapters.candles.arrow import read_month, write_month
from daemon.adapters.candles.names import Series
from daemon.adapters.candles.store import CandleStore
from daemon.core.columns import RawColumns, Span, joined
from daemon.core.errors import CandleError, StateLockedError, TransientError
from tests.adapters.candles.samples import FEBRUARY, JANUARY, as_lists, some_rows
from tests.core.samples import MINUTE

BTC = Series("binance", "BTC/USDT")
HOUR = 60 * MINUTE


def add(store: CandleStore, rows: RawColumns, *asked: Span) -> tuple[int, int]:
    with store.writing(BTC):
        added = store.add(BTC, rows, asked)
    return added.new, added.changed


def test_rows_come_back_bit_by_bit_from_a_file_per_month(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    rows = some_rows(FEBRUARY - 2 * MINUTE, 5)

    assert add(store, rows) == (5, 0)

    held = CandleStore(tmp_path).read(BTC)
    assert as_lists(held.rows) == as_lists(rows)
    assert not held.is_filled.any()
    names = [path.relative_to(tmp_path).as_posix() for path in store.months(BTC)]
    assert names == ["binance/BTC_USDT/2025-01.parquet", "binance/BTC_USDT/2025-02.parquet"]
    assert store.all_series() == [BTC]


def test_a_stretch_is_read_alone(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows(FEBRUARY - HOUR, 120))

    held = store.read(BTC, Span(FEBRUARY - MINUTE, FEBRUARY + MINUTE))

    assert held.rows.timestamp.tolist() == [FEBRUARY - MINUTE, FEBRUARY]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12), st.sampled_from([101.0, 102.0]))))
def test_whatever_comes_in_whatever_order_the_newest_row_of_a_minute_stays(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int, float]]
) -> None:
    store = CandleStore(tmp_path_factory.mktemp("store"))
    expected: dict[int, float] = {}
    for minute, count, close in parts:
        rows = some_rows(FEBRUARY + (minute - 20) * MINUTE, count, close)
        new, changed = add(store, rows)
        pairs = dict(zip(rows.timestamp.tolist(), rows.close.tolist(), strict=True))
        assert new == len(pairs.keys() - expected.keys())
        assert changed == sum(expected.get(at, value) != value for at, value in pairs.items())
        expected.update(pairs)

    held = store.read(BTC).rows

    assert held.timestamp.tolist() == sorted(expected)
    assert held.close.tolist() == [expected[at] for at in sorted(expected)]


def test_what_is_there_or_was_asked_for_is_not_asked_for_again(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    wanted = Span(JANUARY, JANUARY + HOUR)
    add(store, some_rows(JANUARY, 10), Span(JANUARY, JANUARY + 20 * MINUTE))
    add(store, some_rows(JANUARY + 30 * MINUTE, 10))

    left = CandleStore(tmp_path).left_to_ask(BTC, wanted)
    again = CandleStore(tmp_path).left_to_ask(BTC, wanted, again=True)

    assert left == [
        Span(JANUARY + 20 * MINUTE, JANUARY + 30 * MINUTE),
        Span(JANUARY + 40 * MINUTE, JANUARY + HOUR),
    ]
    assert again[0] == Span(JANUARY + 10 * MINUTE, JANUARY + 30 * MINUTE)


def test_filled_minutes_are_flat_counted_and_give_way_to_real_ones(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    whole = some_rows(FEBRUARY - 5 * MINUTE, 10)
    holes = whole.taken(np.array([True] * 3 + [False] * 4 + [True] * 3))
    add(store, holes)

    with store.writing(BTC):
        filled = store.fill(BTC, Span(JANUARY, FEBRUARY + HOUR))
        assert store.fill(BTC, Span(JANUARY, FEBRUARY + HOUR)) == 0

    held = store.read(BTC)
    assert filled == 4
    assert held.is_filled.tolist() == [False] * 3 + [True] * 4 + [False] * 3
    close = holes.close[2]
    assert {tuple(column[3:7].tolist()) for column in held.rows[1:5]} == {(close,) * 4}
    assert held.rows.volume[3:7].tolist() == [0.0] * 4
    assert store.left_to_ask(BTC, Span(FEBRUARY, FEBRUARY + MINUTE)) != []
    assert store.differing(BTC, whole) == 0
    assert add(store, whole) == (4, 0)
    assert not store.read(BTC).is_filled.any()


def test_differing_rows_are_counted(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows())

    assert store.differing(BTC, some_rows(JANUARY + 3 * MINUTE, 5, close=102.0)) == 2
    assert store.differing(BTC, joined([])) == 0


def test_a_market_has_one_writer_and_any_number_of_readers(tmp_path: Path) -> None:
    mine, other = CandleStore(tmp_path), CandleStore(tmp_path)

    with mine.writing(BTC):
        with (
            pytest.raises(StateLockedError, match="is being written by another"),
            other.writing(BTC),
        ):
            pass
        with other.writing(Series("binance", "ETH/USDT")):
            assert other.read(BTC).rows.timestamp.tolist() == []


def test_what_a_killed_writer_left_half_done_is_swept_away(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows())
    leftover = store.path_of(BTC) / ".tmp-abc-2025-01.parquet"
    leftover.write_bytes(b"half")

    add(store, some_rows(JANUARY + HOUR))

    assert not leftover.exists()
    assert len(store.read(BTC).rows.timestamp) == 10


def test_a_failing_disk_leaves_the_old_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows())

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("daemon.adapters.candles.arrow.os.fsync", fail)
        with pytest.raises(OSError, match="No space"):
            add(store, some_rows(JANUARY + HOUR))

    assert as_lists(store.read(BTC).rows) == as_lists(some_rows())
    assert [path.name for path in store.path_of(BTC).glob(".tmp*")] == []
    assert add(store, some_rows(JANUARY + HOUR)) == (5, 0)


def test_a_month_that_is_out_of_order_is_not_built_on(tmp_path: Path) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows())
    path = store.months(BTC)[0]
    month = read_month(path)
    turned = type(month)(rows=month.rows.taken(np.arange(5)[::-1]), is_filled=month.is_filled)
    write_month(path, turned, BTC)

    with pytest.raises(CandleError, match="is out of order: tickd data verify names the file"):
        add(CandleStore(tmp_path), some_rows(JANUARY + HOUR))


def test_a_month_that_grows_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows())
    counts = iter([3, 5])
    monkeypatch.setattr("daemon.adapters.candles.store.count_rows", lambda path: next(counts))

    held = store.read(BTC)

    assert as_lists(held.rows) == as_lists(some_rows())


def test_a_month_that_never_stands_still_is_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CandleStore(tmp_path)
    add(store, some_rows())
    monkeypatch.setattr("daemon.adapters.candles.store.count_rows", lambda path: 3)

    with pytest.raises(TransientError, match="change while they are read"):
        store.read(BTC)
