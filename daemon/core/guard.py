"""The door to foreign code: an author's callback or risk rule may do anything but harm us."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

T = TypeVar("T")


class OverrunError(BaseException):
    """Foreign code held the event loop longer than its budget and was interrupted.

    A BaseException, so that the `except Exception` of a strategy does not swallow it.
    """


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


def call_foreign(function: Callable[..., T], *args: object) -> Returned[T] | Raised:
    """Call `function` and return what came of it; nothing that it raises passes through.

    Even SystemExit and KeyboardInterrupt raised by foreign code only end that call: the
    supervisor alone may stop the process.
    """
    try:
        return Returned(function(*args))
    except BaseException as error:
        return describe(error)


def describe(error: BaseException) -> Raised:
    """Return what is worth telling of `error`. Never raises."""
    return Raised(
        error=type(error).__name__,
        message=_text(error),
        place=_place(error),
        cause=error,
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)[:500]
    except BaseException:
        # A foreign __str__ may raise too; the class name has been told already.
        return "(the error has no readable text)"


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    # Only names and numbers: local variables may hold secrets.
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}"
