"""Texts as Telegram takes them: whole characters, 4,096 UTF-16 units at most, marks beside them.

Nothing is escaped, because nothing is parsed: what is bold is told beside the text, by where it
begins and how long it is, and the text itself is only ever text.
"""

from dataclasses import dataclass

from daemon.core.alert_words import Words
from daemon.core.plain_text import without_controls

UNITS_MAX = 4096
CHUNKS_MAX = 4
"""A message that is still longer is cut: nobody reads five screens on a phone."""

NOTHING = "(empty)"
MORE = "\n… (cut)"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One message of Telegram's: its text, and how many UTF-16 units at its start are bold."""

    text: str
    bold_units: int = 0

    def params(self) -> dict[str, object]:
        """Return the parameters that carry it, marks included."""
        if not self.bold_units:
            return {"text": self.text}
        bold = {"type": "bold", "offset": 0, "length": self.bold_units}
        return {"text": self.text, "entities": [bold]}


def units_of(text: str) -> int:
    """Return the length of `text` as Telegram counts it."""
    return len(text) + sum(character > "\uffff" for character in text)


def chunks_of(words: Words) -> tuple[Chunk, ...]:
    """Return `words` in as few messages as possible, at least one and at most `CHUNKS_MAX`."""
    title = _clean(words.title)
    body = _clean("\n".join(words.lines))
    text = "\n".join(filter(None, (title, body))) or NOTHING
    pieces = _split(text)
    if len(pieces) > CHUNKS_MAX:
        last = _head(pieces[CHUNKS_MAX - 1], UNITS_MAX - units_of(MORE)) + MORE
        pieces = [*pieces[: CHUNKS_MAX - 1], last]
    bold_units = min(units_of(title), units_of(pieces[0]))
    return (Chunk(pieces[0], bold_units), *(Chunk(piece) for piece in pieces[1:]))


def _clean(text: str) -> str:
    """Return `text` line by line, without what Telegram strips anyway or refuses to take."""
    lines = without_controls(text).splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def _split(text: str) -> list[str]:
    """Cut between lines where one can, else between characters."""
    pieces: list[str] = []
    while units_of(text) > UNITS_MAX and len(pieces) <= CHUNKS_MAX:
        piece = _head(text, UNITS_MAX)
        at = piece.rfind("\n")
        if at > 0:
            piece = piece[:at]
        pieces.append(piece)
        text = text[len(piece) :].strip()
    return [*pieces, text] if text else pieces


def _head(text: str, units_max: int) -> str:
    """Return as much of the start as fits, never half a character."""
    head = text[:units_max]
    while (over := units_of(head) - units_max) > 0:
        head = head[: -max(over // 2, 1)]
    return head
