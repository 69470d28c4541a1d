"""Parameters of a strategy as they are written on the command line: fast=10, fast=5,10,20."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite

from daemon.app.cli.backtest_data import DataError
from daemon.app.config.problems import did_you_mean

Value = str | int | float | bool

FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Form:
    """An option that takes parameters, and how it is written."""

    option: str
    example: str


ONE = Form("--param", "fast=10")
MANY = Form("--vary", "fast=5,10,20")


def parse_param(
    text: str, form: Form, owner: str, params: Mapping[str, object]
) -> tuple[str, list[Value]]:
    """Return the name and the values, each as what the parameter is: a flag, a number or a text.

    The name is one of `params`, which are `owner`'s. Raises DataError in one line.
    """
    name, is_given, rest = (part.strip() for part in text.partition("="))
    words = [word.strip() for word in rest.split(",")] if form is MANY else [rest]
    words = [word for word in words if word]
    if not is_given or not words:
        raise DataError(f"{form.option} {text!r} makes no sense: write {form.example}")
    if name not in params:
        known = list(params)
        remedy = did_you_mean(name, known) or f"Parameters: {', '.join(known) or 'none'}."
        raise DataError(f"{owner} has no parameter {name!r}. {remedy}")
    return name, [_value(params[name], name, word) for word in words]


def _value(usual: object, name: str, word: str) -> Value:
    match usual:
        case bool():
            if word.lower() in FLAGS:
                return FLAGS[word.lower()]
            raise DataError(f"{name} is true or false, not {word!r}")
        case int() | float():
            number = _number(word)
            if number is not None:
                return number
            raise DataError(f"{name} is a number, not {word!r}")
        case _:
            return word


def _number(word: str) -> int | float | None:
    """Return the number that a word is, whole where it is written so; None if it is none."""
    with suppress(ValueError):
        return int(word)
    with suppress(ValueError):
        number = float(word)
        return number if isfinite(number) else None
    return None
