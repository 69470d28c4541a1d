"""The walk of one pair: segments that tile time, reachable alone and in any order."""

import statistics
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.simulation.generator import default_specs
from daemon.simulation.walk import (
    CHARACTERS,
    LEVEL_MAX,
    SEGMENT_MINUTES,
    SEGMENTS_BETWEEN_NOTES,
    PairWalk,
    Regime,
)

seeds = st.integers(0, 2**64)


def a_walk(seed: int = 1) -> PairWalk:
    return PairWalk(default_specs()[0], seed, start_ms=0)


def test_the_shares_of_the_regimes_are_one() -> None:
    assert abs(sum(character.share for character in CHARACTERS) - 1.0) < 1e-9
    assert {character.regime for character in CHARACTERS} == set(Regime)


@given(seed=seeds, number=st.integers(0, 10_000))
def test_segments_tile_time(seed: int, number: int) -> None:
    walk = a_walk(seed)
    plan, after = walk.plan(number), walk.plan(number + 1)

    assert plan.first_minute + plan.minutes == after.first_minute
    assert 1 <= plan.minutes < 2 * SEGMENT_MINUTES
    last_minute = after.first_minute - 1
    for minute in (plan.first_minute, last_minute):
        assert walk.number_at(minute) == number
        assert walk.segment_at(minute).plan == plan
    assert walk.number_at(after.first_minute) == number + 1


@settings(max_examples=30)
@given(seed=seeds, asked=st.lists(st.integers(0, 300), min_size=1, max_size=10))
def test_a_level_does_not_depend_on_what_was_asked_before(seed: int, asked: list[int]) -> None:
    walk = a_walk(seed)

    for number in asked:
        level = walk.level(number)
        assert level == a_walk(seed).level(number)
        assert abs(level) <= LEVEL_MAX
        assert walk.segment(number).level_end == walk.level(number + 1)


def test_a_level_is_noted_now_and_then_and_a_note_is_as_good_as_the_past() -> None:
    walk, noted = a_walk(), a_walk()
    level = walk.level(5 * SEGMENTS_BETWEEN_NOTES)
    walk.level(5 * SEGMENTS_BETWEEN_NOTES + 3)

    noted.levels[5] = level

    assert sorted(walk.levels) == [0, 1, 2, 3, 4, 5]
    number = 5 * SEGMENTS_BETWEEN_NOTES + 9
    assert noted.segment(number) == walk.segment(number)
    assert noted.segment(40) == walk.segment(40)


def test_segments_join_without_a_jump() -> None:
    walk = a_walk()
    rows = [row for number in range(50) for row in walk.segment(number).rows]

    assert all(after.open == before.close for before, after in pairwise(rows))
    assert all(after.timestamp - before.timestamp == 60_000 for before, after in pairwise(rows))


def test_in_the_long_run_levels_stay_around_zero() -> None:
    levels = [a_walk(seed).level(5_000) for seed in range(20)]

    assert statistics.mean(map(abs, levels)) < 0.4
    assert abs(statistics.mean(levels)) < 0.3
