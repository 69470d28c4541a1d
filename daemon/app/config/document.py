"""The settings written out: the shipped `config.toml` and the reference page.

Both are made from the settings themselves, so that neither can be out of date.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from daemon.app.config.environment import name_of
from daemon.app.config.problems import key_text
from daemon.app.config.shipped import SHIPPED
from daemon.app.config.tree import EACH, Setting, walk

COMMENT_WIDTH = 98
HEADER = """\
# tickd: the configuration.
#
# As it stands the daemon needs no account and no network: it trades on an embedded exchange at
# sixty times real time, so that an hour of market passes in a minute. Going real is one line:
# exchange.id = "binance".
#
# Every key is here with its default; a line that begins with "# key =" is an example. The
# environment overrides the file (TICKD__SECTION__KEY=value), a flag overrides both
# (tickd run --set section.key=value). `tickd config show --origin` tells what came from where,
# `tickd check` whether it will work.
"""

REFERENCE_HEADER = """\
# Configuration

<!-- Made by `tickd config reference`; edit the descriptions in `daemon/app/config`. -->

Settings come from, in this order of precedence: flags (`tickd run --set section.key=value`), the
environment (`TICKD__SECTION__KEY=value`), the file (`--config PATH`, else `TICKD_CONFIG`, else
`config.toml` of the working directory), the defaults below. Without a file tickd says so and uses
its packaged default, which is the `config.toml` of the repository (`tickd config default` prints
it). Relative paths start at the working directory.

In the environment a list is written as JSON or as `a,b`, a table as JSON. An unknown key, section
or `TICKD__` name is an error, and so is a value of the wrong type: all faults are told at once,
one line each, before anything connects. The exit code is then 78.

Secrets (API keys, webhook secrets) are read from a file named by a `..._file` key or from the
environment, never from `config.toml` and never from the command line. Such a file must be readable
by its owner alone (`chmod 600`), and belong to the user that runs tickd or to root. A file in
`$CREDENTIALS_DIRECTORY`, as systemd hands them over, may also be readable by its group; one that is
called `tickd.` and the key, as `tickd.exchange.api_key`, is read without being named anywhere.

`tickd config show --origin` prints every value with its origin, secrets masked; `tickd config
schema` prints the JSON schema for editors.

What a strategy or a risk validation names as `path` is code that runs with all the rights of the
daemon: a file that others may write is refused.
"""


def render_toml() -> str:
    """Return the text of the shipped configuration file."""
    lines = [HEADER]
    for setting in walk():
        if setting.section is not None and len(setting.path) == 1:
            lines += _table(setting)
    return "\n".join(lines).rstrip("\n") + "\n"


def render_markdown() -> str:
    """Return the text of the reference page."""
    lines = [REFERENCE_HEADER]
    for setting in walk():
        if setting.section is not None:
            lines += _reference(setting)
    return "\n".join(lines).rstrip("\n") + "\n"


def toml_value(value: object) -> str:
    """Return a value as TOML writes it."""
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case Mapping():
            inner = ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case Sequence():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            return repr(value)


def allowed_text(setting: Setting) -> str:
    """Return the bounds or the choices of a value in words, or an empty text."""
    choices = _choices(setting.field.annotation)
    if choices:
        return " or ".join(f'"{choice}"' for choice in choices)
    bounds: dict[str, Any] = {}
    for item in setting.field.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if hasattr(item, name):
                bounds[name] = f"{getattr(item, name):,}".replace(",", "_").removesuffix(".0")
    low, high = bounds.get("ge"), bounds.get("le")
    if low and high:
        return f"{low} to {high}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return ", ".join(f"{word} {bounds[name]}" for name, word in words.items() if name in bounds)


def _table(setting: Setting) -> Iterator[str]:
    """Yield the lines of a table, its keys first and the tables within it after them."""
    assert setting.section is not None
    value = SHIPPED.get(setting.path, setting.field.get_default(call_default_factory=True))
    name = ".".join(setting.path)
    if not setting.is_list_of_tables:
        yield from _comment(setting.section.__doc__ or "")
        yield f"[{name}]"
        yield from _keys(setting, None, with_comments=True)
        return
    for index, entry in enumerate(value):
        given = entry.model_dump() if isinstance(entry, BaseModel) else entry
        if index == 0:
            yield from _comment(setting.section.__doc__ or "")
        yield f"[[{name}]]"
        yield from _keys(setting, given, with_comments=index == 0)


def _keys(
    parent: Setting, given: Mapping[str, Any] | None, *, with_comments: bool
) -> Iterator[str]:
    inner: list[Setting] = []
    for setting in _children(parent):
        if setting.section is not None:
            inner.append(setting)
        elif not setting.is_secret:
            yield from _key(setting, given, with_comments=with_comments)
    yield ""
    for setting in inner:
        yield from _table(setting)


def _key(
    setting: Setting, given: Mapping[str, Any] | None, *, with_comments: bool
) -> Iterator[str]:
    name = setting.path[-1]
    if given is None:
        default = setting.field.get_default(call_default_factory=True)
        value = SHIPPED.get(setting.path, default)
    else:
        value = given.get(name)
    if with_comments:
        allowed = allowed_text(setting)
        yield from _comment(f"{setting.field.description} {f'[{allowed}]' if allowed else ''}")
    if value not in (None, (), {}):
        yield f"{name} = {toml_value(value)}"
    elif with_comments and setting.field.examples:
        yield f"# {name} = {toml_value(setting.field.examples[0])}"


def _children(parent: Setting) -> Iterator[Setting]:
    assert parent.section is not None
    each = (EACH,) if parent.is_list_of_tables else ()
    for setting in walk(parent.section, (*parent.path, *each)):
        if len(setting.path) == len(parent.path) + len(each) + 1:
            yield setting


def _comment(text: str) -> Iterator[str]:
    plain = " ".join(text.replace("`", "").split())
    for line in wrap(plain, COMMENT_WIDTH, break_long_words=False):
        yield f"# {line}"


def _reference(table: Setting) -> Iterator[str]:
    assert table.section is not None
    name = key_text(tuple(part for part in table.path if part != EACH))
    bracket = f"[[{name}]]" if table.is_list_of_tables else f"[{name}]"
    yield f"## `{bracket}`\n"
    yield " ".join((table.section.__doc__ or "").split()) + "\n"
    yield "| key | default | allowed | what it is |"
    yield "|---|---|---|---|"
    for setting in _children(table):
        if setting.section is None:
            cells = (
                f"`{setting.path[-1]}`",
                _default_text(setting),
                allowed_text(setting).replace('"', "`").replace("|", "\\|"),
                _description(setting),
            )
            yield "| " + " | ".join(cells) + " |"
    yield ""


def _default_text(setting: Setting) -> str:
    if setting.field.is_required():
        return "(must be given)"
    value = setting.field.get_default(call_default_factory=True)
    return "" if value is None else f"`{toml_value(value)}`"


def _description(setting: Setting) -> str:
    text = setting.field.description or ""
    if setting.is_secret:
        return f"From the environment alone, as `{name_of(setting.path)}`, or from the file below."
    shipped = SHIPPED.get(setting.path)
    return text if shipped is None else f"{text} The shipped file says {toml_value(shipped)}."


def _choices(annotation: object) -> tuple[object, ...]:
    """Return the values that a Literal allows, also within `X | None`."""
    args = get_args(annotation)
    if args and all(isinstance(item, str) for item in args):
        return args
    for item in args:
        if get_origin(item) is not None and (inner := _choices(item)):
            return inner
    return ()
