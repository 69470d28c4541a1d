"""What is wrong with a setting, told so that the reader can put it right at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from daemon.core.errors import FatalError

KeyPath = tuple[str | int, ...]
"""Where a setting stands: ("strategies", 0, "symbols")."""

VALUE_LENGTH_MAX = 60
SECRET_LENGTH_MIN = 20

_SECRET_NAME = re.compile(
    r"(api|private|access|signing)_?key$|secret$|passw(or)?d$|passphrase$|credential"
    r"|(access|auth|bot|bearer|api)_?token$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"[A-Za-z0-9+/=_.:-]{20,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: `where` is a file position, an environment name or a flag."""

    where: str
    message: str
    key: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        told = ": ".join(part for part in (self.where, self.key, self.message) if part)
        return one_line(f"{told}. {self.remedy}" if self.remedy else told)


class ConfigError(FatalError):
    """The settings cannot be used. `problems` holds every fault that was found, at least one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def key_text(path: KeyPath) -> str:
    """Return a path as people write it: `strategies[0].symbols`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return "Did you mean ...?" for the likeliest of `known`, or an empty text."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean {by_lower[close[0]]}?" if close else ""


def is_secret_name(name: str) -> bool:
    """Say whether a key of this name is likely to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def value_text(value: object) -> str:
    """Return a value for a message: short, on one line, and never something like a key."""
    if isinstance(value, str):
        if _looks_secret(value):
            return f"(hidden: {len(value)} characters)"
        text = '"' + one_line(value) + '"'
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, list | tuple):
        text = "a list"
    else:
        text = one_line(str(value))
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 1] + "…"


def one_line(text: str) -> str:
    """Return `text` on one line: what cannot be printed is written as an escape."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _looks_secret(text: str) -> bool:
    return any(
        any(letter.isdigit() for letter in found) and any(letter.isalpha() for letter in found)
        for found in _SECRET_VALUE.findall(text)
        if "/" not in found or len(found) >= 2 * SECRET_LENGTH_MIN
    )
