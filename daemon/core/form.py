"""The form of what a strategy gives as a signal: each value for itself, whatever its class claims.

The usual value of the usual class comes first everywhere: each position of a long run over
history passes here several times.
"""

import math
from collections.abc import Mapping
from typing import cast

from daemon.core.guard import class_name
from daemon.core.plain_text import to_plain_text
from daemon.core.pnl import Position

PRICES = ("price_open", "price_take_profit", "price_stop_loss")
WORDS = ("note", "id")
PLAIN = frozenset((bool, int, float, str, type(None)))
EXACT_MAX = 1 << 53
"""Whole numbers below it are floats too, without loss."""


def exact(value: object) -> object:
    """Return a plain number or text for one of a subclass, which may have overridden anything."""
    kind = type(value)
    if kind in PLAIN:
        return value
    # Not isinstance: a proxy may claim any class, and answers for it with whatever it likes.
    if issubclass(kind, float):
        return float.__float__(cast(float, value))
    if issubclass(kind, int):
        return int.__int__(cast(int, value))
    if issubclass(kind, str):
        return str.__str__(cast(str, value))
    return value


def number_or_none(value: object) -> float | None:
    """Return `value` as a float, or None if it is no real int or float."""
    number = value if type(value) is float else exact(value)
    if type(number) is float:
        return number
    if type(number) is not int:
        return None
    try:
        return float(number)
    except OverflowError:
        return math.inf


def price_or_nan(value: object) -> float:
    """Return a price, or NaN for what is none: that is on no wrong side of anything."""
    if type(value) is float and 0.0 < value < math.inf:
        return value
    number = number_or_none(value)
    return number if number is not None and 0 < number < math.inf else math.nan


def minutes_or_zero(value: object) -> int:
    """Return whole minutes, or 0 for what is no whole number."""
    if type(value) is int and 0 < value < EXACT_MAX:
        return value
    number = number_or_none(value)
    is_whole = number is not None and math.isfinite(number) and number.is_integer()
    return int(number) if number is not None and is_whole else 0


def position_or_long(value: object) -> Position:
    """Return the side; "long" for what is none."""
    position = value if type(value) is str else exact(value)
    return "short" if type(position) is str and position == "short" else "long"


def words_or_none(value: object) -> str:
    """Return a text as plain text; nothing for what is no text."""
    if value is None:
        return ""
    text = exact(value)
    return to_plain_text(text) if type(text) is str else ""


def faults_of_form(values: Mapping[str, object]) -> list[str]:
    """Return what is wrong with the values of a signal's fields, of those that are there."""
    faults: list[str] = []
    if "position" in values:
        faults += faults_of_position(values["position"])
    for name in PRICES:
        value = values.get(name)
        if name in values and not (value is None and name == "price_open"):
            faults += faults_of_price(name, value)
    if "minute_estimated_time" in values:
        faults += _faults_of_minutes("minute_estimated_time", values["minute_estimated_time"])
    for name in WORDS:
        value = values.get(name)
        if value is None or type(value) is str:
            continue
        value = exact(value)
        if value is not None and type(value) is not str:
            faults.append(f"{name} must be text, got {_shown(value)}")
    return faults


def faults_of_position(value: object) -> list[str]:
    """Return what is wrong with a side."""
    position = value if type(value) is str else exact(value)
    # A list or a dict as a position must be refused too, and cannot be hashed.
    if type(position) is str and position in ("long", "short"):
        return []
    return [f'position must be "long" or "short", got {_shown(position)}']


def faults_of_price(name: str, value: object) -> list[str]:
    """Return what is wrong with a price, which the text calls `name`."""
    if type(value) is float and 0.0 < value < math.inf:
        return []
    number = number_or_none(value)
    if number is None:
        return [f"{name} must be a number, got {_shown(value)}"]
    if not math.isfinite(number):
        return [f"{name} must be finite, got {number}"]
    return [] if number > 0 else [f"{name} must be positive, got {number}"]


def _faults_of_minutes(name: str, value: object) -> list[str]:
    if type(value) is int and 0 < value < EXACT_MAX:
        return []
    number = number_or_none(value)
    if number is None:
        return [f"{name} must be a whole number of minutes, got {_shown(value)}"]
    if not (math.isfinite(number) and number.is_integer()):
        return [f"{name} must be a whole number of minutes, got {number}"]
    return [] if number > 0 else [f"{name} must be positive, got {number:.0f}"]


def _shown(value: object) -> str:
    shown = exact(value)
    if shown is None or type(shown) is bool:
        return str(shown)
    # Of anything else the type alone: a foreign __repr__ may raise, hang, or hold a secret.
    return repr(shown[:40]) if type(shown) is str else class_name(shown)
