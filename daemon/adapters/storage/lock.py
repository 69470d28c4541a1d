"""One daemon per state folder: an advisory lock that dies with its process."""

import errno
import fcntl
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass

import orjson

from daemon.adapters.storage.folder import FILE_MODE, PosixFolder
from daemon.core.errors import FatalError, StateLockedError

LOCK_NAME = ".lock"

_HOLDER_BYTES_MAX = 4096
# A file system that cannot lock folders (NFS): the lock on the file inside must do.
_NO_FOLDER_LOCKS = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP})


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLock:
    """A held lock. The file stays when it is released: its content is for people, not for us."""

    descriptor: int
    folder: PosixFolder

    def release(self) -> None:
        """Let the next one have the folder."""
        os.close(self.descriptor)
        with suppress(OSError):
            fcntl.flock(self.folder.descriptor, fcntl.LOCK_UN)


def lock_folder(folder: PosixFolder) -> FolderLock:
    """Lock `folder` for this process.

    The folder itself is locked too: deleting the file lets nobody in. Raises StateLockedError,
    naming who holds it; FatalError where it cannot be locked.
    """
    descriptor = _open(folder)
    try:
        _take(folder.descriptor, is_folder=True)
        _take(descriptor, is_folder=False)
        _sign(descriptor)
    except BlockingIOError as error:
        holder = _read_holder(descriptor)
        os.close(descriptor)
        raise StateLockedError(
            f"{folder.path} is in use by {holder}: stop it, or configure another state folder"
        ) from error
    except OSError as error:
        os.close(descriptor)
        raise FatalError(f"{folder.path} cannot be locked: {error.strerror}") from error
    return FolderLock(descriptor=descriptor, folder=folder)


def _open(folder: PosixFolder) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    place = folder.path / LOCK_NAME
    try:
        descriptor = os.open(LOCK_NAME, flags, FILE_MODE, dir_fd=folder.descriptor)
    except OSError as error:
        why = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror
        raise FatalError(f"{place} cannot be opened to write: {why}") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        # Under another name it may be somebody's document: we are about to write to it.
        os.close(descriptor)
        raise FatalError(f"{place} is not a plain file of its own: rm {place}")
    return descriptor


def _take(descriptor: int, *, is_folder: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if not is_folder or error.errno not in _NO_FOLDER_LOCKS:
            raise


def _sign(descriptor: int) -> None:
    # For people only, hence a full disk must not matter here.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, orjson.dumps({"pid": os.getpid(), "host": socket.gethostname()}), 0)


def _read_holder(descriptor: int) -> str:
    try:
        told = orjson.loads(os.pread(descriptor, _HOLDER_BYTES_MAX, 0))
        return f"the tickd with pid {int(told['pid'])} on host {told['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another tickd (it has not said which)"
