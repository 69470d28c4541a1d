"""How much memory hangs on what a strategy keeps, by estimate and in bounds."""

import sys
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pytest

from daemon.live.weighing import OBJECTS_MAX, weigh

MEBIBYTE = 1024 * 1024


@dataclass
class Node:
    """Something of an author's."""

    held: list[object] = field(default_factory=list)
    next: "Node | None" = None


@pytest.mark.parametrize(
    ("held", "bytes_each"),
    [
        ([bytearray(1000) for _ in range(20_000)], 1000),
        ({number: "x" * 1000 + str(number) for number in range(20_000)}, 1000),
        (deque(bytes(1000 + number % 7) for number in range(20_000)), 1000),
        ([Node([bytes(1000)]) for _ in range(3_000)], 1000),
    ],
)
def test_p14_what_piles_up_is_estimated_within_a_third(held: object, bytes_each: int) -> None:
    count = len(held)  # type: ignore[arg-type]  # each of them has a length

    weight = weigh([("self.held", held)])

    assert weight.largest == "self.held"
    assert weight.total_bytes == pytest.approx(count * bytes_each, rel=0.35)


def test_an_array_counts_with_its_numbers() -> None:
    assert weigh([("a", np.zeros(MEBIBYTE))]).total_bytes == pytest.approx(8 * MEBIBYTE, rel=0.01)


def test_the_name_that_holds_most_is_told_and_nothing_counts_twice() -> None:
    shared = bytes(MEBIBYTE)

    weight = weigh([("self.small", [1]), ("self.large", [shared]), ("self.same", shared)])

    assert weight.largest == "self.large"
    assert weight.total_bytes < 1.1 * MEBIBYTE


def test_a_ring_ends_and_a_long_chain_is_followed_in_bounds() -> None:
    ring = Node()
    ring.next = ring
    chain = Node()
    for _ in range(OBJECTS_MAX):
        chain = Node(next=chain)

    assert weigh([("ring", ring)]).total_bytes < 2000
    assert weigh([("chain", chain)]).total_bytes > OBJECTS_MAX


class Lies:
    """Says what it likes of itself."""

    def __sizeof__(self) -> int:
        raise AssertionError("code of the author's has run")

    @property  # type: ignore[misc]  # a class may do as it likes
    def __class__(self) -> type:
        raise AssertionError("code of the author's has run")


def test_no_code_of_the_author_runs_and_the_process_is_not_his() -> None:
    assert weigh([("lies", Lies())]).total_bytes > 0
    others = [("sys", sys), ("test", test_an_array_counts_with_its_numbers)]
    assert weigh(others).total_bytes == 0
