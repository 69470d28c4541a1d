"""Tells the service manager how the process fares: systemd's notify protocol, by datagrams.

Nothing here can fail the daemon: a manager that does not listen, or whose queue is full, misses a
message. It is told again with the next one.
"""

import os
import socket
import time
from collections.abc import MutableMapping

NOTIFY_SOCKET = "NOTIFY_SOCKET"
WATCHDOG_USEC = "WATCHDOG_USEC"
WATCHDOG_PID = "WATCHDOG_PID"


class Manager:
    """The service manager that started the process, or nobody: then every message goes nowhere.

    `watchdog_s` is the span within which it wants a sign of life, 0.0 where it wants none.
    """

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self.watchdog_s = watchdog_s
        self._address = b"\0" + address[1:].encode() if address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(0)

    @property
    def is_there(self) -> bool:
        """Say whether anybody asked to be told."""
        return self._socket is not None

    def tell(self, *assignments: str) -> bool:
        """Send `NAME=value` lines as one message; return whether it was taken."""
        if self._socket is None:
            return False
        # A line end within a value would begin an assignment of its own.
        lines = (" ".join(assignment.split()) for assignment in assignments)
        message = "\n".join(lines).encode("utf-8", "replace")
        try:
            self._socket.sendto(message, socket.MSG_NOSIGNAL, self._address)
        except OSError:
            # The queue is full or the manager is being replaced: the next message comes soon.
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def take_manager(environ: MutableMapping[str, str]) -> Manager:
    """Return the manager that `environ` names, and leave nothing of it there for children.

    A process that a strategy starts could otherwise speak for the daemon.
    """
    address = environ.pop(NOTIFY_SOCKET, "")
    usec = environ.pop(WATCHDOG_USEC, "")
    pid = environ.pop(WATCHDOG_PID, "")
    if not address.startswith(("/", "@")) or len(address) < 2:
        return Manager()
    is_for_us = not pid or pid == str(os.getpid())
    watchdog_s = int(usec) / 1e6 if is_for_us and usec.isascii() and usec.isdigit() else 0.0
    return Manager(address, watchdog_s)


def reloading_message() -> tuple[str, str]:
    """Return what tells that a reload begins; `READY=1` tells that it is over."""
    usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    return "RELOADING=1", f"MONOTONIC_USEC={usec}"
