"""The seam to the file system: one folder, held open, and the few calls that storage needs.

All names are relative to the open folder, so that a changed working directory or a planted
symbolic link leads nowhere else. The same code runs on a simulated disk that loses what was not
synced: that is why this is a protocol.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from daemon.core.errors import FatalError

FOLDER_MODE = 0o700
FILE_MODE = 0o600

_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStatus:
    """What an open file is. `links` is 0 once it was deleted."""

    size: int
    is_regular: bool
    links: int
    owner: int


class Folder(Protocol):
    """One open folder. Every call may raise OSError, and nothing else."""

    @property
    def path(self) -> Path:
        """Where it is: for messages, and for adapters that keep records elsewhere."""
        ...

    def check_present(self) -> None:
        """Raise FileNotFoundError if the folder was deleted, moved or unmounted."""
        ...

    def names(self) -> Iterator[str]:
        """Yield the names in the folder, in no order."""
        ...

    def exists(self, name: str) -> bool: ...

    def create(self, name: str) -> int:
        """Create a file that nobody else may read, and return a handle to write to."""
        ...

    def open_to_append(self, name: str) -> int: ...

    def open_to_read(self, name: str) -> int:
        """Open without following a link and without waiting (a pipe has no writer yet)."""
        ...

    def status(self, handle: int) -> FileStatus: ...

    def write(self, handle: int, data: memoryview) -> int:
        """Write some of `data`; return how many bytes."""
        ...

    def read(self, handle: int, count: int, offset: int) -> bytes: ...

    def truncate(self, handle: int, size: int) -> None: ...

    def sync(self, handle: int) -> None:
        """Make the file durable."""
        ...

    def sync_data(self, handle: int) -> None:
        """Make what was appended durable: the same, without the times and the mode."""
        ...

    def close(self, handle: int) -> None: ...

    def link(self, name: str, other: str) -> None:
        """Give the file a second name, which must be free."""
        ...

    def rename(self, name: str, target: str) -> None: ...

    def unlink(self, name: str) -> None: ...

    def sync_folder(self) -> None:
        """Make created, renamed and deleted names durable."""
        ...


class PosixFolder:
    """A real folder."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        held = os.fstat(descriptor)
        self._identity = (held.st_dev, held.st_ino)

    def check_present(self) -> None:
        try:
            there = self.path.lstat()
            is_here = (there.st_dev, there.st_ino) == self._identity
        except FileNotFoundError:
            is_here = False
        if not is_here:
            gone = "the folder was deleted, moved or unmounted while in use"
            raise FileNotFoundError(errno.ENOENT, gone, str(self.path))

    def names(self) -> Iterator[str]:
        with os.scandir(self.descriptor) as entries:
            for entry in entries:
                yield entry.name

    def exists(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def create(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
        handle = os.open(name, flags, FILE_MODE, dir_fd=self.descriptor)
        if os.fstat(handle).st_mode & FILE_MODE != FILE_MODE:
            # A strategy may have set a mask that would lock us out of our own file.
            os.fchmod(handle, FILE_MODE)
        return handle

    def open_to_append(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | _FLAGS
        return os.open(name, flags, dir_fd=self.descriptor)

    def open_to_read(self, name: str) -> int:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | _FLAGS
        return os.open(name, flags, dir_fd=self.descriptor)

    def status(self, handle: int) -> FileStatus:
        found = os.fstat(handle)
        return FileStatus(
            size=found.st_size,
            is_regular=stat.S_ISREG(found.st_mode),
            links=found.st_nlink,
            owner=found.st_uid,
        )

    def write(self, handle: int, data: memoryview) -> int:
        return os.write(handle, data)

    def read(self, handle: int, count: int, offset: int) -> bytes:
        return os.pread(handle, count, offset)

    def truncate(self, handle: int, size: int) -> None:
        os.ftruncate(handle, size)

    def sync(self, handle: int) -> None:
        os.fsync(handle)

    def sync_data(self, handle: int) -> None:
        os.fdatasync(handle)

    def close(self, handle: int) -> None:
        os.close(handle)

    def link(self, name: str, other: str) -> None:
        here = self.descriptor
        os.link(name, other, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)

    def rename(self, name: str, target: str) -> None:
        os.rename(name, target, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def unlink(self, name: str) -> None:
        os.unlink(name, dir_fd=self.descriptor)

    def sync_folder(self) -> None:
        os.fsync(self.descriptor)

    def release(self) -> None:
        """Let go of the folder: no call may follow."""
        os.close(self.descriptor)


def open_folder(path: Path, *, create: bool = True) -> PosixFolder:
    """Return `path` as an open folder that nobody else may write to.

    Raises FatalError, naming the command that mends it.
    """
    absolute = path.absolute()
    try:
        if create:
            _create(absolute)
        descriptor = os.open(absolute, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    except OSError as error:
        raise FatalError(_describe(absolute, error)) from error
    problem = _find_exposure(absolute, os.fstat(descriptor))
    if problem:
        os.close(descriptor)
        raise FatalError(problem)
    return PosixFolder(absolute, descriptor)


def _create(path: Path) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _describe(path: Path, error: OSError) -> str:
    with contextlib.suppress(PermissionError):  # a folder above may be closed to this user
        if path.is_symlink():
            return f"{path} is a symbolic link: configure the folder that it points to instead"
        if path.exists() and not path.is_dir():
            return f"{path} is not a folder: move it away, or configure another state folder"
        if path.exists() and (exposure := _find_exposure(path, path.stat())):
            return exposure
    return f"{path} cannot be used as a state folder ({error.strerror}): set daemon.state_dir"


def _find_exposure(path: Path, found: os.stat_result) -> str:
    if found.st_uid != os.geteuid():
        if os.geteuid() == 0:
            # Files of root's in there would be closed to the daemon.
            return (
                f"{path} belongs to user {found.st_uid}, tickd runs as root: run it as that user; "
                "for a service by the command that `tickd install-service` has made"
            )
        return (
            f"{path} belongs to user {found.st_uid}, tickd runs as user {os.geteuid()}: "
            f"run it as that user, or: chown -R {os.geteuid()} {path}"
        )
    if found.st_mode & _OTHERS_MAY_WRITE:
        mode = stat.S_IMODE(found.st_mode)
        return f"{path} may be written to by other users (mode {mode:04o}): chmod 700 {path}"
    return ""
