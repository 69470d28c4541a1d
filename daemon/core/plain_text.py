"""Notes as plain text: what a strategy or a language model wrote, without its markup."""

import re
from functools import cache

# Control characters, also the second set (terminals obey it), and text direction marks.
_CONTROLS = r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
_HALVES = r"[\ud800-\udfff]"
_CONTROL, _HALF = re.compile(_CONTROLS), re.compile(_HALVES)

# No pattern may try the same characters over and over: a note comes from foreign code, and it is
# flattened on the event loop. So each repetition excludes the sign that ends it.
_RULES = (
    (r"```.*?```", ""),
    (r"`([^`]*)`", r"\1"),
    (r"!\[([^\[\]\n]*)\]\([^()\n]*\)", r"\1"),
    (r"\[([^\[\]\n]*)\]\([^()\n]*\)", r"\1"),
    (r"^[ \t]*(?:>[ \t]?)+", ""),
    (r"^[ ]{0,3}#{1,6}[ \t]+", ""),
    (r"^[ \t]*(?:[-*_][ \t]*){3,}$", ""),
    (r"^[ \t]*(?:[-*+]|\d{1,9}\.)[ \t]+", "• "),
    (r"\*\*(.+?)\*\*", r"\1"),
    (r"__(.+?)__", r"\1"),
    (r"\*([^\s*](?:[^*]*[^\s*])?)\*", r"\1"),
    (r"(?<!\w)_(?![\s_])((?:[^_]|(?<=\w)_(?=\w))+)(?<!\s)_(?!\w)", r"\1"),
    (r"~~(.+?)~~", r"\1"),
    (r"<[A-Za-z/!][^<>]*>", ""),
    (_CONTROLS, ""),
    (_HALVES, "\ufffd"),
    (r"\s+", " "),
)
_MARKS = re.compile(r"[`*_~#<>\[\]]")

NOTE_LENGTH_MAX = 2000
PASSES_MAX = 5


def to_plain_text(text: str) -> str:
    """Return `text` on one line, without markdown, HTML or control characters.

    At most 2,000 characters: a longer note is cut and ends in an ellipsis. Plain text is
    returned as it is.
    """
    # Cut first: the patterns then see a bounded text, whatever a strategy returned.
    plain = _flattened(text[: 2 * NOTE_LENGTH_MAX])
    if len(plain) <= NOTE_LENGTH_MAX:
        return plain
    return _flattened(plain[: NOTE_LENGTH_MAX - 1] + "…")


def without_controls(text: str) -> str:
    """Return `text` with its markup, but with nothing that controls a screen or turns text."""
    return _HALF.sub("\ufffd", _CONTROL.sub("", text))


def one_line(text: str) -> str:
    """Return `text` on one line, without control characters or marks that turn it around."""
    return " ".join(without_controls(text).split())


def _flattened(text: str) -> str:
    """Strip until nothing is left to strip: markup may hide in markup."""
    for _ in range(PASSES_MAX):
        plain = _stripped_once(text)
        if plain == text:
            return plain
        text = plain
    # Nested beyond anything that a person writes: every mark goes, so that an end is in sight.
    text = _MARKS.sub("", text)
    while (plain := _stripped_once(text)) != text:
        text = plain
    return plain


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    # Not before the first note: most runs have none.
    flags = re.MULTILINE | re.DOTALL
    return tuple((re.compile(pattern, flags), replacement) for pattern, replacement in _RULES)


def _stripped_once(text: str) -> str:
    for pattern, replacement in _rules():
        text = pattern.sub(replacement, text)
    return text.strip()
