"""What a search may try, and what makes no sense."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest

from daemon.core.spaces import Choice, Float, Int, Space, SpaceError, size_of, space_faults
from daemon.core.strategy import Strategy, View, strategy_faults

ODD: tuple[Any, ...] = (5.0,)
NOTHING: tuple[Any, ...] = (None,)
"""What an author who checks no types may write."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Int(5, 4), "high 4 is below low 5"),
        (lambda: Int(1, 5, step=0), "step must be above 0"),
        (lambda: Int(0, 5, log=True), "begins above 0"),
        (lambda: Int(1, 5, step=2, log=True), "has no step"),
        (lambda: Int(1, *ODD), "whole numbers, not 5.0"),
        (lambda: Int(True, 5), "whole numbers, not True"),
        (lambda: Float(1.0, float("nan")), "finite numbers, not nan"),
        (lambda: Float(1.0, 2.0, step=-1.0), "step must be above 0"),
        (lambda: Choice("sma"), "at least two"),
        (lambda: Choice("sma", "sma"), "twice"),
        (lambda: Choice(True, 1), "twice"),
        (lambda: Choice("sma", *NOTHING), "not None"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_with_its_reason(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(SpaceError, match=message):
        make()


def test_the_size_is_how_many_sets_of_parameters_there_are() -> None:
    assert size_of({}) == 1
    assert size_of({"a": Int(1, 10, step=3), "b": Choice("x", "y")}) == 8
    assert size_of({"a": Float(0.1, 0.3, step=0.1)}) == 3
    assert size_of({"a": Float(0.1, 0.3)}) is None


def test_what_an_author_declares_wrongly_is_told_in_words() -> None:
    assert list(space_faults({"a": Int(1, 2)}, {"a": 1})) == []
    assert list(space_faults([], {})) == ['spaces must be a table as in {"fast": Int(5, 30)}']
    assert list(space_faults({"a": 3, "b": Int(1, 2)}, {"a": 1})) == [
        "spaces of a must be Int, Float or Choice, not int",
        "spaces names b, which is not in params: give it a default there",
    ]
    assert list(space_faults({3: Int(1, 2)}, {})) == ["spaces has the name 3: it must be a text"]


def test_registration_looks_at_the_spaces() -> None:
    class Searched(Strategy):
        spaces: ClassVar[Mapping[str, Space]] = {"fast": Int(5, 30)}

        def get_signal(self, view: View) -> None:
            return None

    assert any("spaces names fast" in fault for fault in strategy_faults(Searched))


def test_a_strategy_that_says_nothing_of_them_loads_nothing_of_them() -> None:
    code = (
        "import sys\nfrom daemon.core.strategy import Strategy, strategy_faults\n"
        "list(strategy_faults(type('Plain', (Strategy,), {})))\n"
        "print('daemon.core.spaces' in sys.modules)"
    )

    told = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)

    assert told.stdout == b"False\n"
