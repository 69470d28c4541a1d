"""Records that are kept one by one as they come, so that whatever ends the work loses none.

A line each, with its key. What a crash tore, or somebody changed, is passed over: it is made again.
"""

import json
import os
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


class RecordFile(Generic[T]):
    """Records of one kind by their keys. `told` says a record as plain JSON values."""

    def __init__(self, file: Path, kind: type[T], told: Callable[[T], object]) -> None:
        self.file = file
        self._adapter = TypeAdapter(kind)
        self._told = told

    def read(self) -> dict[str, T]:
        """Return what was kept, and is still the same to the last digit. Raises OSError."""
        if not self.file.exists():
            return {}
        kept: dict[str, T] = {}
        for line in self.file.read_bytes().split(b"\n"):
            key, body = _parted(line)
            if body is None:
                continue
            try:
                record = self._adapter.validate_json(body)
            except ValidationError:
                continue
            if _written(self._told(record)) == body:
                kept[key] = record
        return kept

    def add(self, key: str, record: T) -> None:
        """Keep `record` for good before this returns. Raises OSError."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        body = _written(self._told(record))
        with self.file.open("ab") as file:
            # Behind a line that was torn a new one begins.
            file.write(b"\n%s %s %s\n" % (key.encode("ascii"), _checksum(body), body))
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        """Forget all of them. Raises OSError."""
        self.file.unlink(missing_ok=True)


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=8).hexdigest().encode("ascii")


def _parted(line: bytes) -> tuple[str, bytes | None]:
    """Return the key and the body of a line; no body where the line is not whole."""
    key, _, rest = line.partition(b" ")
    checksum, _, body = rest.partition(b" ")
    if not body or _checksum(body) != checksum:
        return "", None
    return key.decode("ascii", "replace"), body
