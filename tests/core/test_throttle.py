"""When a strategy may be asked: as a backtest is, and never more often for a crash."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.candles import SIGNAL_INTERVALS
from daemon.core.throttle import next_ask_ms, signal_interval_ms
from tests.core.samples import MINUTE, T0

FIVE = 5 * MINUTE


@dataclass
class Asker:
    """A task as every driver runs it: it remembers when it came up and when it last asked."""

    align: bool
    since_ms: int
    last_ms: int | None = None

    def tick(self, now_ms: int, interval_ms: int = FIVE) -> bool:
        """Ask if it is allowed; return whether it was."""
        due_ms = next_ask_ms(
            self.last_ms, interval_ms, now_ms, align=self.align, since_ms=self.since_ms
        )
        if now_ms < due_ms:
            return False
        self.last_ms = now_ms
        return True


@pytest.mark.parametrize(
    ("interval", "minutes"), [("1m", 1), ("3m", 3), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60)]
)
def test_the_intervals_of_the_documents(interval: str, minutes: int) -> None:
    assert signal_interval_ms(interval) == minutes * MINUTE


def test_there_are_no_other_intervals() -> None:
    with pytest.raises(ValueError, match=r"unknown signal interval '2h': use one of 1m, 3m"):
        signal_interval_ms("2h")
    assert len(SIGNAL_INTERVALS) == 6


def test_plain_the_first_call_is_at_once_and_the_next_after_the_interval() -> None:
    first = next_ask_ms(None, FIVE, T0 + 7, align=False)

    assert first == T0 + 7
    assert next_ask_ms(T0 + 7, FIVE, T0 + 8, align=False) == T0 + 7 + FIVE
    assert next_ask_ms(T0 + 7, FIVE, T0 + 7 + FIVE, align=False) == T0 + 7 + FIVE
    assert next_ask_ms(T0 + 7, FIVE, T0 + 9 + FIVE, align=False) == T0 + 9 + FIVE


def test_aligned_calls_come_at_the_first_tick_of_each_multiple() -> None:
    asker = Asker(align=True, since_ms=T0 + 1)
    ticks = [T0 + 1, T0 + FIVE - 1, T0 + FIVE + 400, T0 + FIVE + 900, T0 + 2 * FIVE]

    assert [asker.tick(now_ms) for now_ms in ticks] == [False, False, True, False, True]


def test_aligned_a_task_that_comes_up_at_a_multiple_asks_at_once() -> None:
    assert Asker(align=True, since_ms=T0).tick(T0)
    assert next_ask_ms(None, FIVE, T0, align=True) == T0
    assert next_ask_ms(None, FIVE, T0 + 1, align=True) == T0 + FIVE


@given(
    st.lists(st.integers(min_value=1, max_value=40_000), min_size=1, max_size=200),
    st.integers(min_value=0, max_value=FIVE),
)
def test_aligned_a_crash_loop_does_not_ask_more_often_than_the_interval_has_turns(
    lives: list[int], offset_ms: int
) -> None:
    """Each life ticks once as it comes up and once as it dies, and forgets everything."""
    now_ms = T0 + offset_ms
    asked: list[int] = []
    for life_ms in lives:
        asker = Asker(align=True, since_ms=now_ms)
        asked += [at_ms for at_ms in (now_ms, now_ms + life_ms) if asker.tick(at_ms)]
        now_ms += life_ms + 1

    turns = [at_ms // FIVE for at_ms in asked]
    assert len(turns) == len(set(turns))


@given(
    st.lists(st.integers(min_value=1, max_value=90_000), min_size=2, max_size=80),
    st.booleans(),
    st.sampled_from([MINUTE, FIVE, 60 * MINUTE]),
)
def test_calls_are_an_interval_or_a_turn_apart(
    gaps_ms: list[int], align: bool, interval_ms: int
) -> None:
    asker = Asker(align=align, since_ms=T0 + 1)
    now_ms, asked = T0 + 1, []
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        if asker.tick(now_ms, interval_ms):
            asked.append(now_ms)

    for earlier, later in pairwise(asked):
        assert later // interval_ms > earlier // interval_ms if align else True
        assert later - earlier >= interval_ms or align
    if align:
        missed = (now_ms // interval_ms) - (T0 // interval_ms)
        assert bool(asked) is (missed > 0)


@pytest.mark.parametrize("align", [True, False])
def test_a_clock_set_back_does_not_block_a_strategy(align: bool) -> None:
    """A market time that has not come yet cannot have been the last call's."""
    asker = Asker(align=align, since_ms=T0, last_ms=T0 + 24 * 60 * MINUTE)

    assert asker.tick(T0 + 90_000)
    assert not asker.tick(T0 + 91_000)


def test_a_clock_set_back_before_the_first_call_does_not_block_either() -> None:
    asker = Asker(align=True, since_ms=T0 + 24 * 60 * MINUTE)

    assert not asker.tick(T0 + 1)
    assert asker.tick(T0)
