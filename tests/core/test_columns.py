"""What is wrong with columns of candles, each kind of it, and what is missing between them."""

import numpy as np
import pytest

from daemon.core.columns import RawColumns, Span, find_faults, find_gaps, joined, told_of_gaps
from tests.core.samples import MINUTE, T0


def some_columns(count: int = 6) -> RawColumns:
    minutes = np.arange(count)
    steps = minutes.astype(np.float64)
    columns = [np.add(steps, start, dtype=np.float64) for start in (100.0, 103.0, 99.0, 101.0, 0.0)]
    return RawColumns(T0 + minutes * MINUTE, *columns)


def test_sound_candles_have_no_fault_and_no_gap() -> None:
    raw = some_columns()

    assert list(find_faults(raw)) == []
    assert find_gaps(raw.timestamp) == []


def test_every_fault_is_told_with_its_first_row_and_how_many_there_are() -> None:
    raw = some_columns()
    raw.timestamp[3] = raw.timestamp[2]
    raw.timestamp[5] = raw.timestamp[0]
    raw.close[1:3] = np.nan
    raw.volume[4] = -1.0
    raw.high[4] = 1.0

    faults = list(find_faults(raw))

    assert [(fault.kind, fault.rows_count) for fault in faults] == [
        ("doubled", 1),
        ("order", 1),
        ("number", 2),
        ("number", 1),
        ("prices", 1),
    ]
    assert faults[0].text == "row 4 (2023-11-14 22:22 UTC) is the same minute as the row before it"
    assert "row 2 (2023-11-14 22:21 UTC): close is nan" in faults[2].text


def test_the_fault_of_order_that_comes_first_is_told_first() -> None:
    raw = some_columns()
    raw.timestamp[1] = raw.timestamp[0] - MINUTE
    raw.timestamp[4] = raw.timestamp[3]

    assert [fault.kind for fault in find_faults(raw)] == ["order", "doubled"]


@pytest.mark.parametrize(
    ("step_ms", "kind"), [(MINUTE + 1, "moment"), (5 * MINUTE, "spacing"), (MINUTE, "")]
)
def test_other_candles_than_minutes_are_told(step_ms: int, kind: str) -> None:
    raw = some_columns()._replace(timestamp=T0 + np.arange(6) * step_ms)

    assert [fault.kind for fault in find_faults(raw)] == ([kind] if kind else [])


def test_unequal_and_empty_columns_are_one_fault() -> None:
    unequal = some_columns()._replace(volume=np.zeros(2))

    assert [fault.kind for fault in find_faults(unequal)] == ["columns"]
    assert [fault.kind for fault in find_faults(joined([]))] == ["empty"]


def test_gaps_are_spans_of_minutes() -> None:
    raw = some_columns().taken(np.array([True, False, True, False, False, True]))

    gaps = find_gaps(raw.timestamp)

    assert gaps == [Span(T0 + MINUTE, T0 + 2 * MINUTE), Span(T0 + 3 * MINUTE, T0 + 5 * MINUTE)]
    assert told_of_gaps(gaps).startswith(
        "3 minutes are missing in 2 gaps, the first after 2023-11-14 22:20 UTC"
    )


def test_joined_parts_are_rows_one_after_the_other() -> None:
    whole = some_columns()
    parts = [whole.taken(np.arange(6) < 2), whole.taken(np.arange(6) >= 2)]

    assert [column.tolist() for column in joined(parts)] == [column.tolist() for column in whole]
