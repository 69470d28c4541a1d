"""Marks of keys that a person must decide about: `<file>.blocked` beside the file.

A mark is written before the damaged file is moved aside, so that a key stays blocked over any
number of starts and crashes until `tickd state repair` takes the mark away.
"""

from functools import cache

from pydantic import TypeAdapter, ValidationError

from daemon.adapters.storage.codec import dump
from daemon.adapters.storage.files import (
    UnreadableFileError,
    move_aside,
    read_whole,
    write_atomically,
)
from daemon.adapters.storage.folder import Folder
from daemon.core.records import FileKind, StateFault
from daemon.core.signal import Key

MARK = ".blocked"


def write_mark(folder: Folder, fault: StateFault) -> None:
    """Note that `fault` waits for a person. Raises OSError."""
    write_atomically(folder, fault.file + MARK, dump(fault) + b"\n")


def read_mark(folder: Folder, file: str, kind: FileKind, key: Key | None) -> StateFault | None:
    """Return the fault of `file` that waits for a person, or None. Raises OSError.

    A mark that cannot be read blocks all the same.
    """
    try:
        held = read_whole(folder, file + MARK)
        if held is None:
            return None
        return _adapter().validate_json(held)
    except (UnreadableFileError, ValidationError):
        return StateFault(
            kind=kind,
            file=file,
            key=key,
            message="it was blocked before; the mark that says why cannot be read",
            moved_to="",
            is_blocking=True,
        )


def resolve_mark(folder: Folder, file: str, at_ms: int) -> None:
    """Take the mark away, keeping it as `*.resolved-<time>`. Raises OSError."""
    if folder.exists(file + MARK):
        move_aside(folder, file + MARK, "resolved", at_ms)


@cache
def _adapter() -> "TypeAdapter[StateFault]":
    return TypeAdapter(StateFault)
