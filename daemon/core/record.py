"""Records that are made so often that their constructor is felt."""

from dataclasses import MISSING, fields
from types import FunctionType
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")


def fast_init(cls: type[R]) -> type[R]:
    """Give a frozen dataclass with slots and keywords only a constructor of half the cost.

    The one that `dataclass` writes has `object.__setattr__` look for each slot by its name; this
    one calls what sets the slot. Nothing else about the record changes.
    """
    names: dict[str, object] = {}
    parameters, lines = [], []
    for field in fields(cls):
        names[f"set_{field.name}"] = getattr(cls, field.name).__set__
        names[f"default_{field.name}"] = field.default
        is_given = field.default is MISSING
        parameters.append(field.name if is_given else f"{field.name}=default_{field.name}")
        lines.append(f"    set_{field.name}(self, {field.name})\n")
    text = f"def __init__(self, *, {', '.join(parameters)}):\n{''.join(lines)}"
    exec(text, names)  # noqa: S102 - of names of fields alone, as dataclasses do it
    made, usual = (cast(FunctionType, each["__init__"]) for each in (names, vars(cls)))
    made.__annotations__, made.__qualname__ = usual.__annotations__, usual.__qualname__
    setattr(cls, made.__name__, made)
    return cls
