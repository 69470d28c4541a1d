"""Text from outside cannot steer a terminal or fake a line: what is invisible becomes visible."""

import re
from collections.abc import Mapping

_STEERING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters: line ends, ESC, and the one-byte CSI
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # what reorders or hides text
    "\ud800-\udfff"  # halves of characters, which no output takes
    "]"
)


def visible(text: str) -> str:
    """Return `text` on one line, with everything that steers a terminal spelled out."""
    return _STEERING.sub(_spelled, text)


def visible_lines(text: str) -> list[str]:
    """Return the lines of `text`, each harmless."""
    return [visible(line) for line in text.splitlines()]


def visible_deep(value: object) -> object:
    """Return plain `value` with every text in it made visible; line ends stay."""
    match value:
        case str():
            return "\n".join(visible_lines(value)) if "\n" in value else visible(value)
        case Mapping():
            return {visible(str(key)): visible_deep(item) for key, item in value.items()}
        case list() | tuple():
            return [visible_deep(item) for item in value]
        case _:
            return value


def _spelled(found: re.Match[str]) -> str:
    number = ord(found.group())
    match found.group():
        case "\n":
            return "\\n"
        case "\r":
            return "\\r"
        case "\t":
            return "\\t"
        case _:
            return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}"
