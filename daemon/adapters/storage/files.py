"""Whole files on a folder: written so that a crash leaves the old or the new one, read in bounds.

A file that cannot be trusted is moved aside under a name of its own, never deleted.
"""

import errno
import secrets
import time
from contextlib import suppress
from itertools import islice

from daemon.adapters.storage.folder import Folder
from daemon.core.errors import TickdError

FILE_BYTES_MAX = 4 * 1024 * 1024
"""A state file is some kilobytes; what is larger is not one."""

PREVIOUS = ".prev"
TEMP_PREFIX = ".tmp-"
SWEEP_COUNT_MAX = 50_000
"""So many old temp files are removed at one start: a million of them must not delay it."""

_TEMP_HEX_DIGITS = 12
_CHUNK_BYTES = 1024 * 1024
# The file system has no hard links, or grants none.
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
# What these say is about the file; anything else (no descriptors, no memory) is about the host.
_ABOUT_THE_FILE = frozenset(
    {errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES, errno.EPERM, errno.EIO, errno.ENODEV}
)


class UnreadableFileError(TickdError):
    """What stands under this name can never be read as a record."""


def write_atomically(folder: Folder, name: str, data: bytes) -> None:
    """Write `name` durably, keeping the version before as `name.prev`.

    Raises OSError. The name is never missing and never half written; after a failure it holds
    the old version, or the new one if only the very last step failed. A file whose sync has
    failed is thrown away: its pages may read back well and still be lost.
    """
    folder.check_present()
    temp = _write_temp(folder, name, data)
    try:
        _keep_previous(folder, name)
        folder.rename(temp, name)
    except OSError:
        _discard(folder, temp)
        raise
    folder.sync_folder()


def read_whole(folder: Folder, name: str, bytes_max: int = FILE_BYTES_MAX) -> bytes | None:
    """Return what `name` holds, or None if there is no such file.

    Never hangs on a pipe or a device and never reads without bound. Raises UnreadableFileError
    for what can never be read, OSError where the host is short of something.
    """
    try:
        handle = folder.open_to_read(name)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _judged(name, error) from error
    try:
        status = folder.status(handle)
        if not status.is_regular:
            raise UnreadableFileError(f"{name} is not a regular file")
        if status.size > bytes_max:
            raise UnreadableFileError(f"{name} has {status.size} bytes, more than {bytes_max}")
        # One byte more than may be: the file can grow between the two calls.
        held = read_range(folder, handle, 0, bytes_max + 1)
    except OSError as error:
        raise _judged(name, error) from error
    finally:
        folder.close(handle)
    if len(held) > bytes_max:
        raise UnreadableFileError(f"{name} has more than {bytes_max} bytes")
    return held


def write_fully(folder: Folder, handle: int, data: bytes) -> None:
    """Write all of `data`, in as many pieces as the file system wants. Raises OSError."""
    left = memoryview(data)
    while left:
        count = folder.write(handle, left)
        if count <= 0:
            raise OSError(errno.EIO, "the file system takes no bytes")
        left = left[count:]


def read_range(folder: Folder, handle: int, start: int, count: int) -> bytes:
    """Return up to `count` bytes from `start` on: fewer only at the file's end. Raises OSError."""
    pieces: list[bytes] = []
    while count > 0 and (piece := folder.read(handle, min(count, _CHUNK_BYTES), start)):
        pieces.append(piece)
        start += len(piece)
        count -= len(piece)
    return b"".join(pieces)


def move_aside(folder: Folder, name: str, why: str, at_ms: int) -> str:
    """Rename `name` to a free `name.<why>-<time>` durably; return that. Raises OSError."""
    target = free_name(folder, name, why, at_ms)
    folder.rename(name, target)
    folder.sync_folder()
    return target


def free_name(folder: Folder, name: str, why: str, at_ms: int) -> str:
    """Return `name.<why>-<time>`, numbered if that is taken. Raises OSError."""
    plain = f"{name}.{why}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime(at_ms // 1000))}"
    stamped = f"{plain}{at_ms % 1000:03d}Z"
    candidate, count = stamped, 1
    while folder.exists(candidate):
        count += 1
        candidate = f"{stamped}-{count}"
    return candidate


def sweep(folder: Folder) -> int:
    """Remove temp files that a crash has left; return how many. Raises OSError.

    Only to be called by whoever holds the folder's lock: nobody writes then.
    """
    count = 0
    for name in tuple(islice(filter(_is_temp, folder.names()), SWEEP_COUNT_MAX)):
        # A folder of that name is not ours, and stays.
        with suppress(IsADirectoryError, PermissionError):
            folder.unlink(name)
            count += 1
    return count


def _write_temp(folder: Folder, name: str, data: bytes) -> str:
    temp = _temp_name(name)
    handle = folder.create(temp)
    try:
        try:
            write_fully(folder, handle, data)
            folder.sync(handle)
        finally:
            folder.close(handle)
    except OSError:
        _discard(folder, temp)
        raise
    return temp


def _keep_previous(folder: Folder, name: str) -> None:
    temp = _temp_name(name + PREVIOUS)
    try:
        folder.link(name, temp)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        held = read_whole(folder, name)
        if held is None:
            return
        temp = _write_temp(folder, name + PREVIOUS, held)
    try:
        folder.rename(temp, name + PREVIOUS)
    finally:
        # Renaming onto another name of the same file leaves both.
        _discard(folder, temp)


def _temp_name(name: str) -> str:
    return f"{TEMP_PREFIX}{secrets.token_hex(_TEMP_HEX_DIGITS // 2)}-{name}"


def _is_temp(name: str) -> bool:
    digits, dash, rest = name.removeprefix(TEMP_PREFIX).partition("-")
    is_ours = name.startswith(TEMP_PREFIX) and bool(dash and rest)
    return is_ours and len(digits) == _TEMP_HEX_DIGITS and set(digits) <= set("0123456789abcdef")


def _discard(folder: Folder, name: str) -> None:
    # What cannot be removed now is swept at the next start.
    with suppress(OSError):
        folder.unlink(name)


def _judged(name: str, error: OSError) -> OSError | UnreadableFileError:
    if error.errno == errno.ELOOP:
        return UnreadableFileError(f"{name} is a symbolic link")
    if error.errno in _ABOUT_THE_FILE:
        return UnreadableFileError(f"{name} cannot be read: {error.strerror}")
    return error
