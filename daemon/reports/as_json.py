"""Records as plain values that any JSON writer takes, always in one order."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from types import NoneType
from typing import Any, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def as_json(record: object) -> Json:
    """Return `record` (dataclasses, sequences, mappings and plain values) as JSON values.

    Fields keep the order of their class. What JSON cannot say (NaN, an infinity) is null; half a
    surrogate pair is replaced. Raises TypeError for anything else, such as a function.
    """
    return _WRITERS[type(record)](record)


class _Writers(dict[type, Callable[[Any], Json]]):
    """What makes values of each class, looked up once: a run has a dozen of them."""

    def __missing__(self, kind: type) -> Callable[[Any], Json]:
        self[kind] = writer = _writer_of(kind)
        return writer


_WRITERS = _Writers()


def _writer_of(kind: type) -> Callable[[Any], Json]:
    """Return what makes JSON values of records of a class."""
    if issubclass(kind, int | NoneType):
        return _same
    if issubclass(kind, float):
        return _finite
    if issubclass(kind, str):
        return _text
    if issubclass(kind, Mapping):
        return _mapping
    if is_dataclass(kind):
        return partial(_fields, tuple(item.name for item in fields(kind)))
    return _sequence if issubclass(kind, Sequence) else _nothing


def _same(value: int | None) -> Json:
    return value


def _finite(number: float) -> Json:
    return number if math.isfinite(number) else None


def _mapping(record: Mapping[object, object]) -> Json:
    return {_text(str(name)): as_json(value) for name, value in record.items()}


def _fields(names: tuple[str, ...], record: object) -> Json:
    return {name: as_json(getattr(record, name)) for name in names}


def _sequence(record: Sequence[object]) -> Json:
    return [as_json(item) for item in record]


def _nothing(record: object) -> Json:
    raise TypeError(f"{type(record).__name__} has no JSON form")


def _text(text: str) -> str:
    if text.isascii():
        # Of a class of its own or not: plain text comes out.
        return str.__str__(text)
    return text.encode("utf-8", "replace").decode("utf-8")
