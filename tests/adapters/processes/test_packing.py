"""Answers come out of their bytes as they went in, whatever they are made of."""

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from daemon.adapters.processes import packing
from daemon.adapters.processes.packing import SIZE_BYTES, packed
from daemon.core.pnl import ProfitLoss
from daemon.core.signal import Key

NUMBERS = some.floats(allow_nan=False)
VALUES = some.none() | some.booleans() | some.integers() | NUMBERS | some.text()
KEYS = some.builds(Key, exchange_name=some.text(), symbol=some.text(), strategy_name=some.text())
RESULTS = some.builds(
    ProfitLoss,
    pnl_percentage=NUMBERS,
    price_open=NUMBERS,
    price_close=NUMBERS,
)
ANSWERS = some.recursive(
    VALUES | KEYS | RESULTS,
    lambda each: some.lists(each).map(tuple) | some.dictionaries(some.text(), each),
)


def again(answer: object) -> object:
    body = bytes(packed(answer))
    size = int.from_bytes(body[:SIZE_BYTES])
    assert size == len(body) - SIZE_BYTES
    return pickle.loads(body[SIZE_BYTES:])


@given(ANSWERS)
def test_an_answer_comes_out_as_it_went_in(answer: object) -> None:
    came = again(answer)

    assert came == answer
    assert repr(came) == repr(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAnAuthor:
    """It pickles itself in a way of its own: less comes out than went in."""

    name: str
    secret: str

    def __reduce__(self) -> tuple[Callable[..., "OfAnAuthor"], tuple[str]]:
        return without_secret, (self.name,)


def without_secret(name: str) -> OfAnAuthor:
    return OfAnAuthor(name=name, secret="")


@dataclass(frozen=True, slots=True)
class NotOurs:
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class OfOneField:
    only: tuple[int, ...]


@dataclass(slots=True)
class Ring:
    name: str
    following: "Ring | None" = None


@dataclass(frozen=True, slots=True)
class WithStateOfItsOwn:
    name: str
    size: int

    def __getstate__(self) -> list[object]:
        return [self.name, 0]


@pytest.fixture
def all_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "OWN", __name__.partition(".")[0])
    monkeypatch.setattr(packing, "_WAYS", {})


def test_what_is_not_ours_is_pickled_as_it_says_itself() -> None:
    author = OfAnAuthor(name="mine", secret="told to nobody")

    assert again(author) == OfAnAuthor(name="mine", secret="")


@pytest.mark.usefixtures("all_are_ours")
@pytest.mark.parametrize(
    "answer",
    [
        OfAnAuthor(name="mine", secret="told to nobody"),
        WithStateOfItsOwn("mine", 3),
        OfOneField((1, 2)),
        OfOneField(()),
        Ring("mine"),
        OfAnAuthor,
    ],
)
def test_a_class_of_ours_that_knows_a_way_of_its_own_goes_that_way(answer: object) -> None:
    # Not always the way that is written here: some versions of Python put their own in its place.
    its_own = pickle.loads(pickle.dumps(answer))

    assert again(answer) == its_own


@pytest.mark.usefixtures("all_are_ours")
def test_what_holds_itself_comes_out_so() -> None:
    ring = Ring("mine")
    ring.following = ring

    came = again(ring)

    assert isinstance(came, Ring)
    assert came.following is came


def test_a_record_that_came_cannot_be_changed_and_is_shared_where_it_was() -> None:
    key = Key(exchange_name="binance", symbol="BTC/USDT", strategy_name="trend")

    came = again((key, key))

    assert isinstance(came, tuple)
    assert came[0] is came[1]
    assert replace(came[0], strategy_name="other").symbol == "BTC/USDT"
    with pytest.raises(FrozenInstanceError):
        came[0].symbol = "ETH/USDT"


def test_a_record_is_packed_by_all_its_fields_at_once() -> None:
    """Else all the above would hold without the quick way."""
    key = Key(exchange_name="binance", symbol="BTC/USDT", strategy_name="trend")

    assert packing.__name__.encode() in bytes(packed(key))
    assert packing.__name__.encode() not in bytes(packed(NotOurs("mine", 3)))
