"""Spans are sets of minutes: their laws are those of sets."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.candles.spans import common, runs_of, united, without
from daemon.core.columns import Span
from tests.core.samples import MINUTE

NUMBERS = st.integers(0, 30)
SPANS = st.lists(
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: Span(ends[0] * MINUTE, ends[1] * MINUTE)),
    max_size=6,
)
WHOLE = SPANS.map(lambda spans: spans[0] if spans else Span(0, 10 * MINUTE))


def minutes_of(spans: list[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start_ms, span.stop_ms, MINUTE)}


@given(SPANS)
def test_united_spans_hold_the_same_minutes_and_do_not_touch(spans: list[Span]) -> None:
    together = united(spans)

    assert minutes_of(together) == minutes_of(spans)
    assert all(before.stop_ms < after.start_ms for before, after in pairwise(together))


@given(WHOLE, SPANS)
def test_a_span_is_what_it_has_in_common_and_what_is_left(whole: Span, spans: list[Span]) -> None:
    inside, outside = minutes_of(common(whole, spans)), minutes_of(without(whole, spans))

    assert inside == minutes_of([whole]) & minutes_of(spans)
    assert outside == minutes_of([whole]) - minutes_of(spans)


@given(st.sets(NUMBERS))
def test_runs_are_the_minutes_that_follow_one_another(numbers: set[int]) -> None:
    stamps = np.array(sorted(numbers), dtype=np.int64) * MINUTE

    runs = runs_of(stamps)

    assert minutes_of(runs) == set(stamps.tolist())
    assert runs == united(runs)
