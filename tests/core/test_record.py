"""Records with a quick constructor are frozen dataclasses as before."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields, replace

import pytest

from daemon.core.record import fast_init
from daemon.core.signal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """As `dataclass` makes it."""

    first: int
    second: str = "two"


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """The same, with the quick constructor."""

    first: int
    second: str = "two"


def test_it_is_made_compared_and_shown_as_any_dataclass() -> None:
    made = Quick(first=1)

    assert (made.first, made.second) == (1, "two")
    assert made == Quick(first=1, second="two")
    assert made != Quick(first=2)
    assert hash(made) == hash(Quick(first=1))
    assert repr(made) == "Quick(first=1, second='two')"
    assert [field.name for field in fields(made)] == ["first", "second"]


def test_it_can_be_copied_and_sent() -> None:
    made = Quick(first=1, second="x")

    assert replace(made, first=2) == Quick(first=2, second="x")
    assert copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(made)) == made


def test_nothing_changes_it() -> None:
    made = Quick(first=1)

    with pytest.raises(FrozenInstanceError):
        made.first = 2  # type: ignore[misc]  # that is the point
    assert made.first == 1


def test_what_is_given_wrongly_is_told_in_the_same_words() -> None:
    def told(cls: type[Usual | Quick], **values: object) -> str:
        with pytest.raises(TypeError) as caught:
            cls(**values)  # type: ignore[arg-type]  # that is the point
        return str(caught.value).replace("Usual", "Quick")

    assert told(Quick) == told(Usual)
    assert told(Quick, first=1, third=3) == told(Usual, first=1, third=3)
    assert str(inspect.signature(Quick)) == str(inspect.signature(Usual))


def test_a_subclass_of_an_author_works_as_before() -> None:
    class Mine(Signal):
        """A signal with more to it."""

        more = 1

    made = Mine(
        position="long", price_take_profit=2.0, price_stop_loss=1.0, minute_estimated_time=5
    )

    assert (made.position, made.note, made.more) == ("long", None, 1)
