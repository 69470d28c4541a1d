"""File names of records: readable where they can be, and never the same for two records.

A symbol is mostly upper case and a strategy mostly lower case: those need no mark. A name that
deviates carries `~` and its deviating letters as a bit map, so that "btc" and "BTC" differ on a
disk that ignores case too. Only a symbol's underscore is escaped, hence the first one ends it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal
from urllib.parse import quote_from_bytes, unquote_to_bytes

PlaceKind = Literal["signal", "schedule", "risk", "partial", "cursor"]

NAME_BYTES_MAX = 200
"""Leaves room below the file systems' 255 for a temp file's prefix and a quarantine's suffix."""

_SUFFIX = ".json"
_HASH_MARK = "~~"
_READABLE_LENGTH_MAX = 120
_HASHED = re.compile(r"(?:signal|schedule|risk|partial|cursor)_[^~]*~~[0-9a-f]{32}\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which record of a folder.

    `name` is the strategy (signal, schedule), the profile (risk) or the sink (cursor), and empty
    for a partial file; `symbol` is empty for a cursor.
    """

    kind: PlaceKind
    symbol: str
    name: str = ""


def file_name(place: Place) -> str:
    """Return the name of the file that holds `place`: ASCII, at most 200 bytes."""
    plain = "_".join([place.kind, *_encoded_parts(place)]) + _SUFFIX
    if len(plain) <= NAME_BYTES_MAX:
        return plain
    # A length before each part keeps "A_B"+"C" and "A"+"B_C" apart.
    identity = "".join(f"{len(part)}:{part}" for part in (place.kind, place.symbol, place.name))
    digest = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    readable = plain[:_READABLE_LENGTH_MAX].replace("~", "-")
    return f"{readable}{_HASH_MARK}{digest}{_SUFFIX}"


def parse_file_name(text: str) -> Place | None:
    """Return the place that `text` names, or None.

    None also for a name that was cut and hashed: what it holds says whose it is.
    """
    kind = kind_of(text)
    if kind is None:
        return None
    rest = text.removesuffix(_SUFFIX).partition("_")[2]
    first, _, second = rest.partition("_")
    try:
        match kind:
            case "partial":
                place = Place(kind=kind, symbol=_decoded(rest))
            case "cursor":
                place = Place(kind=kind, symbol="", name=_decoded(rest))
            case _:
                place = Place(kind=kind, symbol=_decoded(first), name=_decoded(second))
    except UnicodeDecodeError:
        return None
    # Whatever the encoder would write otherwise is not ours.
    return place if file_name(place) == text else None


def is_hashed_name(text: str) -> bool:
    """Say whether `text` names a record whose own names were too long for a file name."""
    return _HASHED.fullmatch(text) is not None


def kind_of(text: str) -> PlaceKind | None:
    """Return the kind of record that a file called `text` would be, or None: not one of ours."""
    kind = text.partition("_")[0]
    if not text.endswith(_SUFFIX):
        return None
    match kind:
        case "signal" | "schedule" | "risk" | "partial" | "cursor":
            return kind
        case _:
            return None


def _encoded_parts(place: Place) -> list[str]:
    symbol = _encoded(place.symbol, str.isupper).replace("_", "%5F")
    name = _encoded(place.name, str.islower)
    match place.kind:
        case "partial":
            return [symbol]
        case "cursor":
            return [name]
        case _:
            return [symbol, name]


def _encoded(text: str, is_usual: Callable[[str], bool]) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    escaped = quote_from_bytes(raw, safe="").replace("~", "%7E")
    letters = [char for char in text if char.isascii() and char.isalpha()]
    deviating = sum(1 << place for place, char in enumerate(letters) if not is_usual(char))
    return f"{escaped}~{deviating:x}" if deviating else escaped


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.partition("~")[0]).decode("utf-8", "surrogatepass")
