"""What is believed: never less than was announced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.storage.codec import Damaged, Newer, Reading, Version
from daemon.adapters.storage.trust import (
    Absent,
    Refused,
    Replaced,
    Trusted,
    judge,
    judge_follower,
)
from tests.adapters.storage.samples import an_idle

DAMAGED = Damaged(reason="torn")
READINGS = st.one_of(
    st.none(),
    st.just(DAMAGED),
    st.just(Newer(schema=2)),
    st.integers(1, 5).map(lambda seq: Version(seq=seq, record=an_idle())),
)


def a_version(seq: int) -> Version:
    return Version(seq=seq, record=an_idle())


@given(READINGS, READINGS, st.integers(0, 6))
def test_nothing_older_than_what_was_announced_is_ever_used(
    current: Reading | None, previous: Reading | None, announced_seq: int
) -> None:
    verdict = judge(current, lambda: previous, announced_seq)

    if isinstance(verdict, Trusted | Replaced):
        assert verdict.version.seq >= announced_seq
        assert verdict.version in (current, previous)
    if isinstance(verdict, Absent):
        assert (current, previous, announced_seq) == (None, None, 0)


@pytest.mark.parametrize(
    ("current", "previous", "announced_seq", "expected"),
    [
        (a_version(3), None, 3, Trusted),
        (a_version(3), None, 2, Trusted),
        (a_version(3), None, 4, Refused),
        (DAMAGED, a_version(2), 2, Replaced),
        (DAMAGED, a_version(2), 3, Refused),
        (DAMAGED, None, 0, Refused),
        (None, None, 0, Absent),
        (None, None, 1, Refused),
        (None, a_version(1), 0, Replaced),
        (Newer(schema=2), a_version(9), 0, Refused),
    ],
)
def test_verdicts(
    current: Reading | None, previous: Reading | None, announced_seq: int, expected: type
) -> None:
    assert isinstance(judge(current, lambda: previous, announced_seq), expected)


@given(READINGS)
def test_a_follower_has_no_version_before(current: Reading | None) -> None:
    verdict = judge_follower(current)

    assert isinstance(verdict, Absent) == (current is None)
    assert isinstance(verdict, Trusted) == isinstance(current, Version)
