"""Reading a TOML file: its values, where each key stands, and what is wrong with it."""

import os
import re
import select
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.app.config.problems import ConfigError, KeyPath, Problem

BYTES_MAX = 1 << 20
LOOK_MS = 10
LOOKS_MAX = 1_000
"""So often a pipe is looked at for its text, all in all ten seconds: it may have no writer."""

_POSITION = r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$"
_HEADER = re.compile(r"^\s*(?P<open>\[\[?)\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
_KEY = re.compile(rf"^(?P<indent>\s*)(?P<name>{_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HINTS = (
    (r"=\s*[-+]?\d+,\d+", "Write decimals with a point: 0.1"),
    (r"=\s*(yes|no|on|off|True|False|TRUE|FALSE)\b", "Write true or false"),
    (r"=\s*(None|null|nil)\b", "Leave the key out to have its default"),
    (r"=\s*[-+]?0\d", "Write numbers without leading zeros"),
    (r"^\s*[A-Za-z0-9_-]+\s*:", "Write key = value"),
    (r"=\s*(#.*)?$", "Give the key a value"),
    ("[\u201c\u201d\u201e\u2018\u2019]", 'Use straight quotes: "'),
    (r"=\s*\d+\s*(ms|s|m|h|d|%)", "Write the number alone: the unit is in the key"),
    (r"=\s*[A-Za-z./~]", 'Put text in quotes: "..."'),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TomlFile:
    """The values of one file and the (line, column) of each key, both counted from 1."""

    name: str
    data: Mapping[str, Any]
    positions: Mapping[KeyPath, tuple[int, int]]

    def where(self, path: KeyPath) -> str:
        """Return `name:line:column` of a key, or of the nearest table that holds it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.positions:
                line, column = self.positions[path[:length]]
                return f"{self.name}:{line}:{column}"
        return self.name


def read_toml(path: Path) -> TomlFile:
    """Read a file. Raises ConfigError with one problem that says how to get past it."""
    name = str(path)
    try:
        raw = _read(path)
    except TimeoutError:
        remedy = "Write the configuration into a plain file"
        raise _error(
            name, "is no plain file, and did not come to its end in time", remedy
        ) from None
    except FileNotFoundError:
        raise _error(
            name, "there is no such file", "Check the path (--config, or TICKD_CONFIG)"
        ) from None
    except IsADirectoryError:
        remedy = f"Name the file: {path / 'config.toml'}"
        raise _error(name, "is a folder, not a file", remedy) from None
    except PermissionError:
        remedy = "Let the user that runs tickd read it"
        raise _error(name, "may not be read (permission denied)", remedy) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _error(name, f"cannot be read ({reason})", "Check the path") from None
    return parse_toml(name, raw)


def _read(path: Path) -> bytes:
    """Return what a file holds, in bounds: a device has no end, a pipe perhaps no writer.

    Raises OSError, TimeoutError where a pipe says too little for too long.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        raw = b""
        for _ in range(LOOKS_MAX):
            if not waiting.poll(LOOK_MS):
                continue
            part = os.read(descriptor, BYTES_MAX + 1 - len(raw))
            raw += part
            if not part or len(raw) > BYTES_MAX:
                return raw
        raise TimeoutError
    finally:
        os.close(descriptor)


def parse_toml(name: str, raw: bytes) -> TomlFile:
    """Parse a file's bytes. Raises ConfigError with the line and column of what is wrong."""
    if len(raw) > BYTES_MAX:
        raise _error(name, f"is larger than {BYTES_MAX} bytes", "That is no configuration")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        remedy = "Save the file as UTF-8 without a byte order mark"
        raise _error(f"{name}:1:1", "begins with a byte order mark", remedy)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise _error(f"{name}:{line}:{column}", "is not UTF-8 text", "Save it as UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_problem(name, text, str(error))]) from None
    except RecursionError:
        raise _error(name, "is nested too deeply", "Write plain tables") from None
    return TomlFile(name=name, data=data, positions=find_positions(text))


def find_positions(text: str) -> dict[KeyPath, tuple[int, int]]:
    """Return where each key and table of a valid TOML text stands, as (line, column)."""
    found: dict[KeyPath, tuple[int, int]] = {}
    lengths: dict[KeyPath, int] = {}
    table: KeyPath = ()
    quotes = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if quotes:
            quotes = "" if line.count(quotes) % 2 else quotes
            continue
        if header := _HEADER.match(line):
            table = _table_path(header, lengths)
            is_entry = header["open"] == "[["
            for path in (table[:-1], table) if is_entry else (table,):
                found.setdefault(path, (number, header.start("open") + 1))
        elif key := _KEY.match(line):
            path = table + _parts(key["name"])
            found.setdefault(path, (number, key.start("name") + 1))
            quotes = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
    return found


def _table_path(header: re.Match[str], lengths: dict[KeyPath, int]) -> KeyPath:
    """Return the path of a [table] or [[table]], in the newest entry of each list on the way."""
    parts = _parts(header["name"])
    path: KeyPath = ()
    for depth, part in enumerate(parts):
        path = (*path, part)
        if header["open"] == "[[" and depth == len(parts) - 1:
            lengths[path] = lengths.get(path, 0) + 1
        if path in lengths:
            path = (*path, lengths[path] - 1)
    return path


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, name))


def _syntax_problem(name: str, text: str, message: str) -> Problem:
    match = re.match(_POSITION, message)
    lines = text.splitlines() or [""]
    what = match["what"] if match else message
    if match is None or match["line"] is None:
        where = f"{name}:{len(lines)}:{len(lines[-1]) + 1}"
        remedy = "The file ends in the middle: was it written to the end?"
        return Problem(where=where, message=f"is not valid TOML: {what}", remedy=remedy)
    number, column = int(match["line"]), int(match["column"])
    line = lines[number - 1] if number <= len(lines) else ""
    if "verwrite" in what or "twice" in what:
        what, hint = f"{what}: the key or table stands there twice", "Keep one of the two"
    else:
        hint = next((hint for pattern, hint in _HINTS if re.search(pattern, line)), "")
    remedy = hint or "See https://toml.io for the format"
    where = f"{name}:{number}:{column}"
    return Problem(where=where, message=f"is not valid TOML: {what}", remedy=remedy)


def _error(where: str, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(where=where, message=message, remedy=remedy)])
