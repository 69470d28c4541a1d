"""Journal lines: one JSON object each, under a checksum of its own.

A write's events stand in one line, so that after a crash they are all there or none is. A segment
begins with an index line that sums up all segments before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import orjson
from pydantic import ValidationError

from daemon.adapters.storage.codec import dump
from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.schema import read_entry
from daemon.core.errors import FatalError
from daemon.core.journal_index import JournalIndex
from daemon.core.records import JournalEntry
from daemon.core.signal import Key

SCHEMA = 1

_MARK = b'{"sum":"'
_DIGEST_LENGTH = 32
_BODY_START = len(_MARK) + _DIGEST_LENGTH
_ENTRY = b',"entry":'
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line where it stands. `body` is None if the line cannot be believed."""

    start: int
    end: int
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """An entry's line, not yet read: `payload` is the entry as JSON."""

    number: int
    payload: bytes


def encode_entry(entry: JournalEntry) -> bytes:
    """Return the payload of `entry`. Raises FatalError for what cannot be read back the same."""
    payload = dump(entry)
    try:
        same = read_entry(payload)
    except ValidationError as error:
        raise FatalError(f"cannot be journaled: {error.errors()[0]['msg']}") from error
    if same != entry:
        raise FatalError(f"cannot be journaled: a {entry.kind} would be read back differently")
    return payload


def decode_entry(payload: bytes) -> JournalEntry | None:
    """Return the entry, or None if this program does not know such a one."""
    try:
        return read_entry(payload)
    except ValidationError:
        return None


def entry_line(number: int, payload: bytes) -> bytes:
    """Return the line of an entry."""
    return _sealed(b',"number":%d,"entry":%b}\n' % (number, payload))


def index_line(index: JournalIndex) -> bytes:
    """Return the first line of a segment: everything that `index` knows."""
    sequences = [
        [key.exchange_name, key.symbol, key.strategy_name, file, seq]
        for (file, key), seq in index.sequences.items()
    ]
    candles = [[symbol, stamp] for symbol, stamp in index.candles.items()]
    told = {"number": index.number, "sequences": sequences, "candles": candles}
    return _sealed(b',"schema":%d,"index":%b}\n' % (SCHEMA, dump(told)))


def read_index(body: bytes) -> JournalIndex | None:
    """Return the index of an index line, or None if it is another line.

    Raises FatalError for a journal of a newer schema.
    """
    line = orjson.loads(b"{" + body[1:])
    if "index" not in line:
        return None
    if line["schema"] > SCHEMA:
        raise FatalError(
            f"the journal has schema {line['schema']}, this tickd reads up to {SCHEMA}: "
            f"install the tickd that wrote it, or a later one"
        )
    told = line["index"]
    return JournalIndex(
        number=told["number"],
        sequences={
            (file, Key(exchange_name=exchange, symbol=symbol, strategy_name=strategy)): seq
            for exchange, symbol, strategy, file, seq in told["sequences"]
        },
        candles=dict(told["candles"]),
    )


def read_numbered(body: bytes) -> Numbered | None:
    """Return the entry of an entry line, or None if it is another line."""
    start = body.find(_ENTRY)
    if not body.startswith(b',"number":') or start < 0:
        return None
    return Numbered(number=int(body[10:start]), payload=body[start + len(_ENTRY) : -2])


def note_payload(index: JournalIndex, numbered: Numbered) -> None:
    """Note in `index` an entry that was read, without making the whole of it."""
    index.number = max(index.number, numbered.number)
    entry = orjson.loads(numbered.payload)
    match entry:
        case {"kind": "transition", "file": "signal" | "schedule" as file, "key": key, "seq": seq}:
            index.sequences[file, Key(**key)] = seq
        case {"kind": "candle", "symbol": symbol, "candle": [timestamp, *_]}:
            index.candles[symbol] = timestamp
        case _:
            pass


def read_lines(folder: Folder, name: str, start: int = 0) -> Iterator[Line]:
    """Yield the lines of a segment from the offset `start` on. Raises OSError.

    An unfinished last line comes as one that cannot be believed.
    """
    handle = folder.open_to_read(name)
    try:
        rest = b""
        offset = start
        while chunk := folder.read(handle, _CHUNK_BYTES, offset + len(rest)):
            *whole, rest = (rest + chunk).split(b"\n")
            for text in whole:
                yield from _split(text + b"\n", offset)
                offset += len(text) + 1
        if rest:
            yield from _split(rest, offset)
    finally:
        folder.close(handle)


def _split(text: bytes, start: int) -> Iterator[Line]:
    """Yield the line; or if it is broken, the whole ones that a lost line end has glued to it."""
    while True:
        body = _opened(text)
        # Inside a JSON string the quotes of the mark would be escaped: it begins a line, always.
        other = -1 if body is not None else text.find(_MARK, 1)
        if other < 0:
            yield Line(start=start, end=start + len(text), body=body)
            return
        yield Line(start=start, end=start + other, body=_opened(text[: other - 1] + b"\n"))
        start, text = start + other, text[other:]


def _sealed(body: bytes) -> bytes:
    body = b'"' + body
    return _MARK + _digest(body) + body


def _opened(text: bytes) -> bytes | None:
    body = text[_BODY_START:]
    if text[:_BODY_START] != _MARK + _digest(body):
        return None
    return body[1:]


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST_LENGTH // 2).hexdigest().encode()
