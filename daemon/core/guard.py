"""The door to foreign code: an author's callback or risk rule may do anything but harm us."""

import inspect
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import CoroutineType
from typing import Generic, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

TEXT_LENGTH_MAX = 500
_LOOKED_AT_MAX = 4 * TEXT_LENGTH_MAX

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")
"""How an object without a text of its own ends: the same error would have another one each time."""

_NO_TEXT = "(the error has no readable text)"

_OUR_PACKAGE = __name__.partition(".")[0]
_EXAMPLES = f"{_OUR_PACKAGE}.strategies"
_LIBRARY_MARKS = ("/lib/python", "/site-packages/", "/dist-packages/")
_NAME_OF_CLASS = type.__dict__["__name__"]


class OverrunError(BaseException):
    """Foreign code held the event loop longer than its budget and was interrupted.

    A BaseException, so that the `except Exception` of a strategy does not swallow it.
    """


class MeddlingError(RuntimeError):
    """Foreign code tried what is not its business: it was refused, and its call has failed."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[T]):
    """The call came back with a value."""

    value: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The call raised: `error` is the class, `place` the innermost line of foreign code."""

    error: str
    message: str
    place: str
    cause: BaseException

    @property
    def told(self) -> str:
        """Return all of it in one phrase; what it does not have is left out."""
        return f"{self.error}: {self.told_after_error}".removesuffix(": ")

    @property
    def told_after_error(self) -> str:
        """Return its message and its place, as they follow the name of its class."""
        return f"{self.message} (at {self.place})".lstrip() if self.place else self.message


class UnreadableError(Exception):
    """Stands for an error whose own class raises when it is looked at."""


class ForeignCall(Protocol):
    """Calls foreign code and returns what came of it: `call_foreign`, or one that ends hangs."""

    def __call__(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> Returned[T] | Raised: ...


def call_foreign(
    function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> Returned[T] | Raised:
    """Call `function` and return what came of it; nothing that it raises passes through.

    Even SystemExit and KeyboardInterrupt raised by foreign code only end that call: the
    supervisor alone may stop the process.
    """
    try:
        return Returned(function(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
        return describe(error)


def describe(error: BaseException) -> Raised:
    """Return what is worth telling of `error`. Never raises.

    Where the error's own class lets nobody look at it, the cause is another one in its place.
    """
    try:
        # What anybody may ask of an error, asked here, where it can harm nobody.
        _ = error.__class__, error.__context__, error.__cause__, f"{type(error).__qualname__}"
        return _described(error)
    except BaseException:  # noqa: BLE001 - a foreign class may raise at any question
        return _described(_in_place_of(error))


def _described(error: BaseException) -> Raised:
    return Raised(
        error=str(type(error).__name__),
        message=_text(error),
        place=_place(error),
        cause=error,
    )


def class_name(value: object) -> str:
    """Return the name of the class of `value`, whatever that class says of itself."""
    # Past whatever a class of the class has put in front of it; and the name may be of a subclass.
    return str.__str__(_NAME_OF_CLASS.__get__(type(value)))


def is_async(function: object) -> bool:
    """Say whether calling `function` gives something to await: registration asks, and refuses.

    Sees through partials, bound methods and objects with an async `__call__`. A plain function
    that returns a coroutine is found only when it is called: see `close_unawaited`.
    """
    while isinstance(function, partial):
        function = function.func
    called = type(function).__call__ if callable(function) else None
    return any(
        inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found)
        for found in (function, called)
    )


def close_unawaited(value: object) -> None:
    """Close `value` if it is a coroutine that nobody will await, so that it does not complain."""
    # Its type and not isinstance, which would ask the value: a foreign __class__ may raise.
    if type(value) is CoroutineType:
        call_foreign(value.close)


def _in_place_of(error: BaseException) -> UnreadableError:
    # Past whatever the class has put in front of it.
    trace = BaseException.__dict__["__traceback__"].__get__(error)
    return UnreadableError(_NO_TEXT).with_traceback(trace)


def _text(error: BaseException) -> str:
    try:
        text = _ADDRESS.sub(">", str(error)[:_LOOKED_AT_MAX])
        # Whatever a journal cannot hold (half a surrogate pair from a file name) is replaced.
        return text[:TEXT_LENGTH_MAX].encode("utf-8", "replace").decode("utf-8")
    except BaseException:  # noqa: BLE001 - a foreign __str__ may raise anything, too
        return _NO_TEXT


def places_of(error: BaseException) -> list[tuple[str, int]]:
    """Return (file, line) of the frames that a person should look at, the innermost last.

    Those of the author, where there are any: neither ours nor a library's. Only names and
    numbers, and no source lines: those would have to be read from disk, and local variables may
    hold secrets.
    """
    frames = [
        (code.co_filename.replace("\\", "/"), line, _is_ours(frame.f_globals.get("__name__")))
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not (code := frame.f_code).co_filename.startswith("<frozen")
        and not code.co_filename.endswith("/importlib/__init__.py")
    ]
    foreign = [(file, line) for file, line, is_ours in frames if not is_ours]
    own = [place for place in foreign if not any(mark in place[0] for mark in _LIBRARY_MARKS)]
    if own:
        return own
    # What we raise on purpose says what to do; the place of anything else is for a bug report.
    is_told = _is_ours(type(error).__module__)
    return (
        [] if is_told else foreign or [(file, line) for file, line, _ in frames if file != __file__]
    )


def _is_ours(module: object) -> bool:
    if not isinstance(module, str):
        return False
    is_example = module == _EXAMPLES or module.startswith(f"{_EXAMPLES}.")
    return module.partition(".")[0] == _OUR_PACKAGE and not is_example


def _place(error: BaseException) -> str:
    places = places_of(error)
    return f"{places[-1][0].rpartition('/')[2]}:{places[-1][1]}" if places else ""
