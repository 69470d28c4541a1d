"""What becomes of a copy of the daemon that a strategy makes by `os.fork`.

The copy has the daemon's lock, its state files and its sockets. It may do what it was made for, as
a process of `multiprocessing` does, but it can hold no lock, write no state and answer nobody.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from daemon.live.forked import FORKED

_OPEN_FILES = Path("/proc/self/fd")

_folders: list[str] = []
_is_registered: list[bool] = []


@contextmanager
def no_copies_of(state_dir: Path) -> Iterator[None]:
    """Make copies of this process harmless for as long as it works on `state_dir`."""
    if not _is_registered:
        # It cannot be unregistered; without a folder it does nothing.
        os.register_at_fork(after_in_child=_disarm)
        _is_registered.append(True)
    folder = str(state_dir.resolve())
    _folders.append(folder)
    try:
        yield
    finally:
        _folders.remove(folder)


def _disarm() -> None:
    if not _folders:
        return
    FORKED.is_child = True
    FORKED.leave = _leave
    # What the copy is told must not reach the daemon, with which it shares this socket.
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    for descriptor in _descriptors():
        if _is_of_state(descriptor) or _is_listening(descriptor):
            with suppress(OSError):
                os.close(descriptor)


def _leave() -> None:
    os._exit(0)


def _descriptors() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_OPEN_FILES)]  # noqa: PTH208 - after a fork
    except OSError:
        return []


def _is_of_state(descriptor: int) -> bool:
    try:
        path = str((_OPEN_FILES / str(descriptor)).readlink())
    except OSError:
        return False
    return any(path == folder or path.startswith(f"{folder}/") for folder in _folders)


def _is_listening(descriptor: int) -> bool:
    try:
        found = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
    finally:
        found.detach()
