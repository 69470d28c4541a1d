"""State files as bytes: JSON that a person can read, under a checksum that nothing slips past.

A file is one JSON object. Its first key is the SHA-256 of everything after that line, so that
`tail -n +3 FILE | sha256sum` says by hand whether it is whole. The checksum line and the key
"schema" keep their place in every version to come: that is how an older program knows a newer file.
"""

from dataclasses import dataclass
from hashlib import sha256

import orjson
from pydantic import ValidationError

from daemon.adapters.storage.names import Place
from daemon.adapters.storage.schema import CursorRecord, Envelope, Identity, Record, read_envelope
from daemon.core.candles import Candle
from daemon.core.errors import FatalError
from daemon.core.records import PartialRecord, RiskRecord, ScheduleRecord, SignalRecord
from daemon.core.states import row_of

SCHEMA = 1

_HEAD = b'{\n  "checksum": "sha256:'
_TAIL = b'",\n'
_DIGEST_LENGTH = 64
_BODY_START = len(_HEAD) + _DIGEST_LENGTH + len(_TAIL)
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
_PROBLEMS_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a trustworthy file says, under its sequence number."""

    seq: int
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A file that cannot be believed, and why. `place` is what it says it is, if that is known."""

    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """A whole file of a newer program."""

    schema: int


Reading = Version | Damaged | Newer


def place_of(record: Record) -> Place:
    """Return where `record` belongs."""
    match record:
        case SignalRecord():
            return Place(kind="signal", symbol=record.key.symbol, name=record.key.strategy_name)
        case ScheduleRecord():
            return Place(kind="schedule", symbol=record.key.symbol, name=record.key.strategy_name)
        case RiskRecord():
            return Place(kind="risk", symbol=record.symbol, name=record.risk_name)
        case PartialRecord():
            return Place(kind="partial", symbol=record.symbol)
        case CursorRecord():
            return Place(kind="cursor", symbol="", name=record.sink)


def encode(record: Record, seq: int, folder: Identity) -> bytes:
    """Return the file that holds `record` under number `seq`.

    What is written is read back first: a value that JSON would turn into another one (NaN becomes
    null) must not reach the disk. Raises FatalError, naming what is wrong.
    """
    place = place_of(record)
    envelope = Envelope(schema=SCHEMA, seq=seq, folder=folder, place=place, record=record)
    body = dump(envelope, _OPTIONS).removeprefix(b"{\n")
    try:
        same = read_envelope(place.kind, b"{" + body)
    except ValidationError as error:
        raise FatalError(f"cannot be saved: {_describe(error)}") from error
    if same != envelope:
        raise FatalError(f"cannot be saved: {place.kind} would be read back as another value")
    if (problem := _find_contradiction(record, folder)) is not None:
        raise FatalError(f"cannot be saved: {problem}")
    return _HEAD + _digest(body) + _TAIL + body


def decode(data: bytes, place: Place, folder: Identity) -> Reading:
    """Return what the bytes of the file of `place` in the folder of `folder` say."""
    found = open_envelope(data, place)
    if not isinstance(found, Envelope):
        return found
    if found.folder != folder:
        return Damaged(reason=f"it belongs to {found.folder}, not {folder}", place=found.place)
    if found.place != place or place_of(found.record) != place:
        return Damaged(reason=f"it is the file of {_named(found.place)}", place=found.place)
    if (problem := _find_contradiction(found.record, folder)) is not None:
        return Damaged(reason=problem)
    return Version(seq=found.seq, record=found.record)


def open_envelope(data: bytes, place: Place) -> Envelope[Record] | Damaged | Newer:
    """Return the whole of a file of the kind of `place`, whoever it belongs to."""
    if not data:
        return Damaged(reason="the file is empty")
    body = data[_BODY_START:]
    if data[:_BODY_START] != _HEAD + _digest(body) + _TAIL:
        return Damaged(reason="the checksum does not match: the file was cut or changed")
    try:
        schema = orjson.loads(b"{" + body).get("schema")
        if isinstance(schema, int) and schema > SCHEMA:
            return Newer(schema=schema)
        if schema != SCHEMA:
            return Damaged(reason=f"there never was a schema {schema!r}")
        envelope = read_envelope(place.kind, b"{" + body)
    except orjson.JSONDecodeError as error:
        return Damaged(reason=f"it is not JSON: {error}")
    except ValidationError as error:
        return Damaged(reason=f"it has the wrong shape: {_describe(error)}")
    if envelope.seq < 1:
        return Damaged(reason=f"there is no sequence number {envelope.seq}")
    return envelope


def dump(value: object, options: int = 0) -> bytes:
    """Return `value` as JSON. Raises FatalError for what JSON cannot hold."""
    try:
        return orjson.dumps(value, default=_plain, option=options)
    except TypeError as error:
        raise FatalError(f"cannot be saved: {error}") from error


def _digest(body: bytes) -> bytes:
    return sha256(body).hexdigest().encode()


def _plain(value: object) -> object:
    if isinstance(value, Candle):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")


def _find_contradiction(record: Record, folder: Identity) -> str | None:
    """Return what a record says against itself or its folder, or None."""
    match record:
        case SignalRecord():
            row = row_of(record.state)
        case ScheduleRecord():
            row = record.signal
        case _:
            return None
    if record.key.exchange_name != folder.exchange:
        return f"its key is of {record.key.exchange_name}, the folder of {folder.exchange}"
    if row is not None and row.key != record.key:
        return f"it holds a signal of {row.key}, not of {record.key}"
    return None


def _named(place: Place) -> str:
    return f"{place.kind} {place.symbol} {place.name}".rstrip()


def _describe(error: ValidationError) -> str:
    shown = [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)[:_PROBLEMS_SHOWN_MAX]
    ]
    more = error.error_count() - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
