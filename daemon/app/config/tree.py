"""The settings as a tree that can be walked: every key with its path and its description."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from daemon.app.config.problems import KeyPath
from daemon.app.config.settings import Config

EACH = "*"
"""Stands in a path for the entries of a list of tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One key or table. `section` is the class of a table's keys, None for a plain value."""

    path: tuple[str, ...]
    field: FieldInfo
    section: type | None

    @property
    def is_list_of_tables(self) -> bool:
        """Say whether it is written as [[name]]."""
        return self.section is not None and get_origin(self.field.annotation) is tuple

    @property
    def is_open_table(self) -> bool:
        """Say whether it is a table whose keys are the user's own."""
        return get_origin(self.field.annotation) is dict

    @property
    def is_secret(self) -> bool:
        """Say whether it may stand in a file of its own or the environment only."""
        return bool(self._extra.get("secret"))

    @property
    def is_masked(self) -> bool:
        """Say whether its value is never shown."""
        return SecretStr in _leaves(self.field.annotation)

    @property
    def holds(self) -> str:
        """Return the name of the secret that the file named here holds, or an empty text."""
        return str(self._extra.get("holds", ""))

    @property
    def _extra(self) -> Mapping[str, Any]:
        extra = self.field.json_schema_extra
        return extra if isinstance(extra, dict) else {}


def fields_of(section: type) -> Mapping[str, FieldInfo]:
    """Return the keys of a table's class."""
    found = section.model_fields if issubclass(section, BaseModel) else _dataclass_fields(section)
    return dict(found)


def walk(section: type = Config, prefix: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Yield every table and key, a table before its keys; entries of lists have a `*`."""
    yield from _walked(section, prefix)


@cache
def _walked(section: type, prefix: tuple[str, ...]) -> tuple[Setting, ...]:
    # Reading a configuration walks a dozen times.
    return tuple(_walk(section, prefix))


def _walk(section: type, prefix: tuple[str, ...]) -> Iterator[Setting]:
    for name, field in fields_of(section).items():
        inner = next(filter(_is_section, _leaves(field.annotation)), None)
        setting = Setting(path=(*prefix, name), field=field, section=inner)
        yield setting
        if inner is not None:
            each = (EACH,) if setting.is_list_of_tables else ()
            yield from _walked(inner, (*prefix, name, *each))


def find(path: KeyPath) -> Setting | None:
    """Return the setting at a path (whose list entries are numbers), or None."""
    plain = tuple(EACH if isinstance(part, int) else part for part in path)
    return _BY_PATH.get(plain)


def _is_section(leaf: object) -> TypeGuard[type]:
    return isinstance(leaf, type) and (issubclass(leaf, BaseModel) or is_dataclass(leaf))


def _leaves(annotation: object) -> list[object]:
    """Return the plain types that an annotation is made of."""
    if get_origin(annotation) in {types.UnionType, Union, tuple}:
        return [leaf for item in get_args(annotation) for leaf in _leaves(item)]
    if hasattr(annotation, "__metadata__"):
        return _leaves(get_args(annotation)[0])
    return [annotation]


def _dataclass_fields(section: type) -> Mapping[str, FieldInfo]:
    # By its name: the attribute of a class that is no model has no type.
    found: Mapping[str, FieldInfo] = getattr(section, "__pydantic_fields__")  # noqa: B009
    return found


_BY_PATH = {setting.path: setting for setting in walk()}
