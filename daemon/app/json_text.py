"""Records as the text of JSON: for people to read, and for programs to compare byte for byte.

What the standard library writes with an indent, several times as fast: with one it goes through
every value in Python, and asks of each what it is. A comparison of strategies has half a million.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from json.encoder import encode_basestring
from math import isfinite
from types import NoneType
from typing import Any

from daemon.reports.as_json import as_json

INDENT = "  "
Writer = Callable[[Any, str], str]


def json_text(record: object) -> str:
    """Return `json.dumps(as_json(record), ensure_ascii=False, indent=2)`. Raises TypeError."""
    return _WRITERS[type(record)](record, "\n")


class _Writers(dict[type, Writer]):
    """What writes values of each class, looked up once: a run has a dozen of them."""

    def __missing__(self, kind: type) -> Writer:
        self[kind] = writer = _writer_of(kind)
        return writer


_WRITERS = _Writers()


def _writer_of(kind: type) -> Writer:
    """Return what writes values of a class, on lines that begin with a given text."""
    if kind is float:
        return _float
    if kind is int:
        return _int
    if kind is str:
        return _text
    if kind is NoneType:
        return _none
    if not issubclass(kind, int | float | str):
        if issubclass(kind, Mapping):
            return _mapping
        if is_dataclass(kind):
            return partial(_fields, [(f'"{item.name}": ', item.name) for item in fields(kind)])
        if issubclass(kind, Sequence):
            return _sequence
    return _other


def _float(number: float, _line: str) -> str:
    return repr(number) if isfinite(number) else "null"


def _int(number: int, _line: str) -> str:
    return repr(number)


def _text(text: str, _line: str) -> str:
    return encode_basestring(text) if text.isascii() else _other(text, _line)


def _none(_nothing: None, _line: str) -> str:
    return "null"


def _other(value: object, _line: str) -> str:
    match as_json(value):
        case None:
            return "null"
        case bool(truth):
            return "true" if truth else "false"
        case int(number):
            return int.__repr__(number)
        case float(number):
            return float.__repr__(number)
        case str(text):
            return encode_basestring(text)
        case _:
            raise TypeError(f"{type(value).__name__} is no plain value")


def _fields(names: Sequence[tuple[str, str]], record: object, line: str) -> str:
    deeper = line + INDENT
    written = []
    for head, name in names:
        value = getattr(record, name)
        written.append(head + _WRITERS[type(value)](value, deeper))
    return f"{{{deeper}{f',{deeper}'.join(written)}{line}}}" if written else "{}"


def _mapping(record: Mapping[object, object], line: str) -> str:
    if not record:
        return "{}"
    deeper = line + INDENT
    # Two names that become one text are one key, as in a dictionary.
    written = {
        _other(str(name), ""): _WRITERS[type(value)](value, deeper)
        for name, value in record.items()
    }
    body = f",{deeper}".join(f"{name}: {text}" for name, text in written.items())
    return f"{{{deeper}{body}{line}}}"


def _sequence(record: Sequence[object], line: str) -> str:
    if not record:
        return "[]"
    deeper = line + INDENT
    body = f",{deeper}".join([_WRITERS[type(value)](value, deeper) for value in record])
    return f"[{deeper}{body}{line}]"
