"""A finished answer, the content types that answers have, and their JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass

import orjson

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """A finished answer."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_text(value: object) -> str:
    """Return `value` as JSON, whatever text stands in it."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Half a character of a foreign text, a whole number beyond 64 bits: json escapes them.
        return json.dumps(value, default=_plain)


def _plain(value: object) -> object:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
