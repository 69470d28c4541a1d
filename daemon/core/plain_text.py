"""Notes as plain text: what a strategy or a language model wrote, without its markup."""

import re

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"```.*?```", ""),
        (r"`([^`]*)`", r"\1"),
        (r"!\[([^\]\n]*)\]\([^)\n]*\)", r"\1"),
        (r"\[([^\]\n]*)\]\([^)\n]*\)", r"\1"),
        (r"^\s{0,3}#{1,6}\s+", ""),
        (r"^\s*(?:[-*_]\s*){3,}$", ""),
        (r"^\s*>\s?", ""),
        (r"^\s*(?:[-*+]|\d+\.)\s+", "• "),
        (r"\*\*(.+?)\*\*", r"\1"),
        (r"__(.+?)__", r"\1"),
        (r"\*(\S(?:.*?\S)?)\*", r"\1"),
        (r"(?<!\w)_(\S(?:.*?\S)?)_(?!\w)", r"\1"),
        (r"~~(.+?)~~", r"\1"),
        (r"<[A-Za-z/!][^>]*>", ""),
        (r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", ""),
        (r"[\ud800-\udfff]", "�"),
        (r"\s+", " "),
    )
)

NOTE_LENGTH_MAX = 2000


def to_plain_text(text: str) -> str:
    """Return `text` on one line, without markdown, HTML or control characters.

    At most 2,000 characters: a longer note is cut and ends in an ellipsis.
    """
    # Cut first: the patterns then see a bounded text, whatever a strategy returned.
    plain = text[: 2 * NOTE_LENGTH_MAX]
    for pattern, replacement in _RULES:
        plain = pattern.sub(replacement, plain)
    plain = plain.strip()
    if len(plain) <= NOTE_LENGTH_MAX:
        return plain
    return plain[: NOTE_LENGTH_MAX - 1] + "…"
