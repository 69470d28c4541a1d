"""Records as the text of JSON: for people to read, and for programs to compare byte for byte."""

import json
from collections.abc import Mapping, Sequence

import orjson

from daemon.reports.as_json import as_json


def json_text(record: object) -> str:
    """Return `record` as `as_json` makes it, indented, with the same bytes each time.

    Raises TypeError where it has no JSON form.
    """
    try:
        return orjson.dumps(record, default=_plain, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        # Half a surrogate pair, a name that is no text, a number beyond 64 bits: rare, and slower.
        return json.dumps(as_json(record), ensure_ascii=False, indent=2)


def _plain(value: object) -> object:
    """Return a sequence or mapping of a class that orjson does not know as one that it does."""
    match value:
        case Mapping():
            return dict(value)
        case Sequence():
            return list(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")
