"""pydantic's errors in this project's words: where, which key, what is wrong, what to write."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from daemon.app.config.problems import (
    KeyPath,
    Problem,
    did_you_mean,
    is_secret_name,
    key_text,
    value_text,
)
from daemon.app.config.settings import Config
from daemon.app.config.tree import EACH, fields_of, find, walk

DEFAULT = "default"
Origin = Callable[[KeyPath], str]

_WORDS: Mapping[str, str] = {
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text in quotes",
    "secret_type": "must be text in quotes",
    "tuple_type": "must be a list in brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dataclass_type": "must be a table",
    "path_type": "must be a path in quotes",
    "string_pattern_mismatch": "has a form that is not allowed",
    "datetime_type": "must be a date and time",
    "datetime_parsing": "must be a date and time, as in 2026-01-01T00:00:00Z",
    "datetime_from_date_parsing": "must be a date and time, as in 2026-01-01T00:00:00Z",
    "missing": "is missing",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("must be above", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than": ("must be below", "lt"),
    "less_than_equal": ("must be at most", "le"),
}


def explain(error: ValidationError, values: Mapping[str, Any], origin: Origin) -> list[Problem]:
    """Return one problem per fault of `values`. Nothing of a secret is told."""
    return [
        problem
        for details in error.errors(include_url=False)
        for problem in _problems(details, values, origin)
    ]


def _problems(
    details: ErrorDetails, values: Mapping[str, Any], origin: Origin
) -> Iterator[Problem]:
    if details["type"] == "faults":
        for path, message in details["ctx"]["all"]:
            yield Problem(where=_where(path, origin), key=key_text(path), message=message)
        return
    path = _real_path(details["loc"], values)
    if details["type"] == "too_short" and details["input"]:
        # Its entries are wrong, not missing, and each of them has been told.
        return
    if details["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        yield _unknown(path, origin)
        return
    setting = find(path)
    message = _message(details)
    if details["type"] not in {"missing", "value_error", "too_short"} and not _is_hidden(path):
        message += f", not {value_text(details['input'])}"
    remedy = (setting.field.description or "") if setting else ""
    yield Problem(where=_where(path, origin), key=key_text(path), message=message, remedy=remedy)


def _message(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        return f"{words} {context[name]:g}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}".replace("'", '"')
    if kind in {"too_short", "string_too_short"}:
        return "must not be empty"
    return _WORDS.get(kind) or details["msg"]


def _unknown(path: KeyPath, origin: Origin) -> Problem:
    """Return the problem of a key that does not exist; its value may be a secret: not told."""
    table = find(path[:-1]) if len(path) > 1 else None
    section = Config if len(path) == 1 else table.section if table else None
    if isinstance(path[-2] if len(path) > 1 else None, int):
        parent = find(path[:-2])
        section = parent.section if parent else None
    known = list(fields_of(section)) if section else []
    name = str(path[-1])
    what = "section" if len(path) == 1 else "key"
    hint = did_you_mean(name, known)
    remedy = _tables_of(name) or hint or f"The {what}s are {', '.join(known)}"
    return Problem(
        where=_where(path, origin),
        key=key_text(path),
        message=f"there is no such {what}",
        remedy=remedy,
    )


def _tables_of(name: str) -> str:
    """Return "name belongs under [table]" where other tables have a key of exactly this name."""
    tables = [
        f"[[{key_text(setting.path[:-2])}]]"
        if setting.path[-2] == EACH
        else f"[{key_text(setting.path[:-1])}]"
        for setting in walk()
        if setting.path[-1] == name and len(setting.path) > 1 and not setting.is_secret
    ]
    return f"{name} belongs under {' or '.join(dict.fromkeys(tables))}" if tables else ""


def _where(path: KeyPath, origin: Origin) -> str:
    """Return where the key stands, or the table that it is missing from."""
    for length in range(len(path), 0, -1):
        where = origin(path[:length])
        if where != DEFAULT:
            return where
    return origin(())


def _real_path(loc: KeyPath, values: Mapping[str, Any]) -> KeyPath:
    """Return pydantic's location without the parts that are names of types."""
    path: list[str | int] = []
    found: Any = values
    for part in loc:
        if isinstance(found, Mapping) and part not in found and part != loc[-1]:
            continue
        path.append(part)
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list | tuple) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            found = None
    return tuple(path)


def _is_hidden(path: KeyPath) -> bool:
    setting = find(path)
    is_masked = setting is not None and setting.is_masked
    return is_masked or any(is_secret_name(str(part)) for part in path)
