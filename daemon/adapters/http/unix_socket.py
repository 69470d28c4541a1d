"""A Unix socket to take commands by: who may come in is a matter of the file's owner."""

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from daemon.adapters.http.errors import BindError

SOCKET_MODE = 0o600
BACKLOG = 64


def bind_unix(path: Path) -> socket.socket:
    """Return a socket that listens at `path`, for its owner alone. Raises BindError.

    One that a daemon has left behind is replaced; where somebody listens, or anything else lies,
    nothing is touched.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _clear(path)
        bound.bind(str(path))
        # Before anybody is listened to.
        os.chmod(path, SOCKET_MODE)  # noqa: PTH101 - a socket has no other name
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        # A path that is too long for a socket comes without a number.
        reason = error.strerror or str(error)
        raise BindError(
            f"cannot listen on {path}: {reason}; see `control_socket` under [http]"
        ) from error
    bound.setblocking(False)  # noqa: FBT003 - the standard library's own call
    return bound


def remove_unix(path: Path) -> None:
    """Take the file of a socket away, if it is still one."""
    with suppress(OSError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "something else lies there, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(1.0)
        try:
            asked.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, "another program listens there, perhaps another tickd")
