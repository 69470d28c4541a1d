"""Secrets are taken out by value: whatever text they hide in, and however it was encoded.

A redactor holds the secrets that the configuration read. Logs, messages and HTTP answers pass
their text through it as the last step before it leaves the process.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "[redacted]"

SECRET_LENGTH_MIN = 6
"""A shorter value stands in too many innocent words to be blotted out everywhere."""

PREFIX_LENGTH_MIN = 6
CUT_TEXT_LENGTH_MIN = 100


class Redactor:
    """Blots out each secret, also URL-encoded, in base64, in hex, escaped, or line by line."""

    __slots__ = ("_forms", "_pattern", "_values")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Look for these too from now on; what was a secret once stays one."""
        self._values |= {secret.strip() for secret in secrets} - {""}
        values = self._values
        long_enough = {value for value in values if len(value) >= SECRET_LENGTH_MIN}
        forms = {form for value in long_enough for form in _forms_of(value)}
        # The longest first: a secret that contains another one is blotted out whole.
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def redact(self, text: str) -> str:
        """Return `text` with every secret replaced. A text cut in a secret loses its stump too."""
        if self._pattern is None:
            return text
        # Looking for each form in turn is many times faster than for all at each place, and most
        # texts hold none: pages of megabytes pass here on the event loop.
        has_any = any(form in text for form in self._forms)
        clean = self._pattern.sub(HIDDEN, text) if has_any else text
        return self._without_stump(clean) if len(clean) >= CUT_TEXT_LENGTH_MIN else clean

    def scrub(self, value: object) -> object:
        """Return `value` with every text in it redacted: containers deeply, others as text."""
        match value:
            case None | bool():
                return value
            case str():
                return self.redact(value)
            case int() | float():
                text = str(value)
                clean = self.redact(text)
                return value if clean == text else clean
            case bytes():
                return self.redact(value.decode("utf-8", "replace"))
            case Mapping():
                return {self.redact(str(key)): self.scrub(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.scrub(item) for item in value]
            case _:
                # Whatever would write it out later would call this too, but behind the redactor.
                return self.redact(_text_of(value))

    def _without_stump(self, text: str) -> str:
        for form in self._forms:
            for length in range(min(len(form) - 1, len(text)), PREFIX_LENGTH_MIN - 1, -1):
                if text.endswith(form[:length]):
                    return text[:-length] + HIDDEN
        return text


def _text_of(value: object) -> str:
    try:
        return str(value)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return f"({type(value).__name__} without text)"


def _forms_of(secret: str) -> Iterator[str]:
    """Yield how `secret` may look in a URL, a header, a JSON text, a `repr` or a log."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield repr(secret)[1:-1]
    yield secret.encode("ascii", "backslashreplace").decode("ascii")
    yield _json_escaped(secret, ascii_only=True)
    yield _json_escaped(secret, ascii_only=False)
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), encoded)
    yield raw.hex()
    yield raw.hex().upper()
    yield from _base64_forms(raw)
    # A key of many lines is often printed line by line.
    for line in secret.splitlines():
        if len(line.strip()) >= SECRET_LENGTH_MIN and not line.startswith("-----"):
            yield line.strip()


_JSON_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


def _json_escaped(text: str, *, ascii_only: bool) -> str:
    return "".join(_json_character(character, ascii_only=ascii_only) for character in text)


def _json_character(character: str, *, ascii_only: bool) -> str:
    if character in _JSON_ESCAPES:
        return _JSON_ESCAPES[character]
    if " " <= character <= "~" or (character > "~" and not ascii_only):
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _base64_forms(raw: bytes) -> Iterator[str]:
    """Yield what of `raw` shows in base64, also in the middle of something longer."""
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + raw).decode("ascii")
        # The characters at the ends also carry bits of the neighbours, which may be anything.
        start = (0, 2, 3)[offset]
        bits = (offset + len(raw)) * 8
        shown = encoded[start : bits // 6]
        if len(shown) >= SECRET_LENGTH_MIN:
            yield shown
            yield shown.replace("+", "-").replace("/", "_")
