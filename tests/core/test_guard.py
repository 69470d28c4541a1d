"""Foreign code may do anything but harm us."""

import asyncio
import json
import linecache
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import FunctionType

import pytest

from daemon.core.errors import TransientError
from daemon.core.guard import (
    OverrunError,
    Raised,
    Returned,
    call_foreign,
    class_name,
    close_unawaited,
    describe,
    is_async,
)
from daemon.core.params import Params


class UnreadableError(Exception):
    def __str__(self) -> str:
        raise SystemExit("even its text harms")


def raising(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_a_value_comes_back() -> None:
    assert call_foreign(divmod, 7, 3) == Returned((2, 1))
    assert call_foreign(int, "ff", base=16) == Returned(255)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        OverrunError("too long"),
        RecursionError("deep"),
        StopIteration(),
    ],
)
def test_nothing_that_foreign_code_raises_passes_through(error: BaseException) -> None:
    outcome = call_foreign(raising(error))

    assert isinstance(outcome, Raised)
    assert outcome.error == type(error).__name__
    assert outcome.message == str(error)
    assert outcome.cause is error


def test_the_innermost_foreign_line_is_named_without_reading_its_file() -> None:
    linecache.clearcache()

    outcome = call_foreign(raising(ValueError("a")))

    line = raising.__code__.co_firstlineno + 2
    assert isinstance(outcome, Raised)
    assert outcome.place == f"test_guard.py:{line}"
    assert linecache.cache == {}


class Aloof(type):
    def __getattribute__(cls, name: str) -> object:
        raise ValueError(name)


class AloofError(Exception, metaclass=Aloof):
    """Nobody may ask for its name."""


class ExitingError(BaseException):
    def __getattribute__(self, name: str) -> object:
        raise KeyboardInterrupt(name)


class Namesake(str):
    __slots__ = ()

    def __format__(self, _spec: str) -> str:
        raise SystemExit("even to write it harms")


def test_p9_a_class_has_a_name_whatever_it_says_of_it() -> None:
    named = type("Named", (), {})
    named.__name__ = Namesake("Odd")

    # Made here: a test runner asks what it finds in a module.
    aloof = Aloof("Aloofness", (), {})()
    assert class_name(aloof) == "Aloofness"
    assert class_name(named()) == "Odd"
    assert type(class_name(named())) is str


@pytest.mark.parametrize(
    ("message", "place", "told"),
    [
        ("a", "s.py:3", "E: a (at s.py:3)"),
        ("", "s.py:3", "E: (at s.py:3)"),
        ("a", "", "E: a"),
        ("", "", "E"),
    ],
)
def test_what_an_error_does_not_have_leaves_no_trace(message: str, place: str, told: str) -> None:
    raised = Raised(error="E", message=message, place=place, cause=ValueError())

    assert raised.told == told


def raise_aloof() -> None:
    raise AloofError("a")


def raise_exiting() -> None:
    raise ExitingError("b")


@pytest.mark.parametrize("function", [raise_aloof, raise_exiting])
def test_p9_an_error_that_lets_nobody_look_at_it_is_told_with_its_line(
    function: Callable[[], None],
) -> None:
    outcome = call_foreign(function)

    line = function.__code__.co_firstlineno + 1
    assert isinstance(outcome, Raised)
    assert (outcome.error, outcome.place) == ("UnreadableError", f"test_guard.py:{line}")
    assert not isinstance(outcome.cause, TimeoutError), "its cause can be asked what it is"


def test_a_wrong_call_has_no_foreign_line() -> None:
    outcome = call_foreign(len, 3)  # type: ignore[arg-type]  # wrong on purpose

    assert isinstance(outcome, Raised)
    assert (outcome.error, outcome.place) == ("TypeError", "")
    assert describe(ValueError("never raised")).place == ""


def _line_of(function: Callable[..., object], offset: int = 1) -> str:
    return f"test_guard.py:{function.__code__.co_firstlineno + offset}"


def test_what_we_raise_inside_a_library_names_no_line_of_that() -> None:
    def ask(error: BaseException) -> None:
        def refuse(_: str) -> None:
            raise error

        json.loads("1", parse_int=refuse)

    in_our_package = FunctionType(ask.__code__, {**globals(), "__name__": "daemon.adapters.x"})
    told = call_foreign(in_our_package, TransientError("no"))
    odd = call_foreign(in_our_package, OSError("no"))

    assert isinstance(told, Raised)
    assert isinstance(odd, Raised)
    assert (told.place, odd.place[:10]) == ("", "decoder.py")


def test_the_author_s_line_is_named_though_a_library_raised() -> None:
    def parse() -> None:
        json.loads("{")

    outcome = call_foreign(parse)

    assert isinstance(outcome, Raised)
    assert outcome.place == _line_of(parse)


def test_the_author_s_line_is_named_though_our_code_raised() -> None:
    def ask_for_too_much() -> None:
        Params({}).integer("lookback")

    outcome = call_foreign(ask_for_too_much)

    assert isinstance(outcome, Raised)
    assert outcome.place == _line_of(ask_for_too_much)


def test_what_we_raise_on_purpose_names_no_file_of_ours_but_a_bug_does() -> None:
    told = call_foreign(Params().integer, "lookback")
    bug = call_foreign(Params, 3)  # type: ignore[arg-type]  # wrong on purpose

    assert isinstance(told, Raised)
    assert told.place == ""
    assert isinstance(bug, Raised)
    assert bug.place.startswith("params.py:")


def test_an_error_without_readable_text_is_described_all_the_same() -> None:
    assert describe(UnreadableError()).message == "(the error has no readable text)"


def test_an_error_is_told_alike_wherever_its_objects_were_in_memory() -> None:
    class Position:
        def size(self) -> None: ...

    for each in (Position(), Position().size, Position.size, object()):
        error = describe(ValueError(f"no price for {each!r} at 0x10"))

        assert "object>" in error.message or "size>" in error.message
        assert f"{id(each):x}" not in error.message
        assert error.message.endswith("at 0x10"), "a number that is not an address stays"


def test_a_long_text_is_cut_and_half_a_surrogate_pair_replaced() -> None:
    assert describe(ValueError("x" * 10_000)).message == "x" * 500
    assert describe(OSError("caf\udce9")).message == "caf?"


def test_an_overrun_is_no_exception_that_a_strategy_would_catch() -> None:
    assert not issubclass(OverrunError, Exception)


async def _coroutine(_value: object = None) -> None: ...


async def _generator() -> AsyncIterator[None]:
    yield


class _AsyncCall:
    async def __call__(self) -> None: ...

    async def method(self) -> None: ...

    def plain(self) -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_coroutine, True),
        (_generator, True),
        (partial(_coroutine, 1), True),
        (partial(partial(_coroutine), 1), True),
        (_AsyncCall(), True),
        (_AsyncCall().method, True),
        (_AsyncCall().plain, False),
        (raising, False),
        (partial(raising), False),
        (len, False),
        (dict, False),
        (3, False),
        (None, False),
    ],
)
def test_async_functions_are_found(function: object, expected: bool) -> None:
    assert is_async(function) is expected


def test_a_coroutine_that_nobody_awaits_is_closed() -> None:
    """Warnings are errors in these tests: an unclosed one would fail this."""
    close_unawaited(_coroutine())
    close_unawaited(None)


def test_closing_survives_a_coroutine_that_refuses() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(0)
        except GeneratorExit:
            raise ValueError("I stay") from None

    coroutine = stubborn()
    coroutine.send(None)

    close_unawaited(coroutine)
