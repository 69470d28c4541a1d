"""Records as plain values that any JSON writer takes, always in one order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def as_json(record: object) -> Json:
    """Return `record` (dataclasses, sequences, mappings and plain values) as JSON values.

    Fields keep the order of their class. What JSON cannot say (NaN, an infinity) is null; half a
    surrogate pair is replaced. Raises TypeError for anything else, such as a function.
    """
    match record:
        case None | bool() | int():
            return record
        case float():
            return record if math.isfinite(record) else None
        case str():
            return _text(record)
        case Mapping():
            return {_text(str(name)): as_json(value) for name, value in record.items()}
        case _ if is_dataclass(record) and not isinstance(record, type):
            return {item.name: as_json(getattr(record, item.name)) for item in fields(record)}
        case Sequence():
            return [as_json(item) for item in record]
        case _:
            raise TypeError(f"{type(record).__name__} has no JSON form")


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
