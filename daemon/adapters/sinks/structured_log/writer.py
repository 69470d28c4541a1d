"""Writes lines to a file descriptor from a thread of its own, so that no pipe holds up the loop.

A reader that is slow, gone, or on a full disk costs lines, never the process: they are counted,
and the count is written as a line once writing works again.
"""

import fcntl
import os
import select
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread

BATCH_MAX = 256
WRITABLE_WAIT_S = 1.0

OWN_FD_MIN = 64
"""Past the numbers that careless code closes."""


class LineWriter:
    """Takes lines from any thread and never blocks. `describe_gap` makes the line for a gap."""

    def __init__(
        self, fd: int, describe_gap: Callable[[int], str], *, queue_max: int = 10_000
    ) -> None:
        self._given_fd = fd
        # A number of its own: whoever closes the standard output does not close the log.
        self._fd = _own_copy(fd)
        self._describe_gap = describe_gap
        self._queue_max = queue_max
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._refused = 0
        self._failed = 0
        self._told = 0
        self._is_torn = False
        self._thread = Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def drops(self) -> int:
        """Return how many lines were lost since the start."""
        return self._refused + self._failed

    def write(self, line: str) -> None:
        """Queue `line`, without its line end. Drops it when the queue is full."""
        if self._queue.qsize() >= self._queue_max:
            self._refused += 1
            return
        self._queue.put(line)

    def close(self, timeout_s: float) -> None:
        """Write what is queued, for at most `timeout_s`. Lines after this may be lost."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            os.close(self._fd)

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            batch = [line]
            is_last = False
            while len(batch) < BATCH_MAX and not is_last:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    is_last = True
                else:
                    batch.append(more)
            self._write_batch(batch)
            if is_last:
                return

    def _write_batch(self, lines: list[str]) -> None:
        self._restore_given()
        drops = self.drops
        gap = [self._describe_gap(drops - self._told)] if drops > self._told else []
        start = "\n" if self._is_torn else ""
        text = start + "\n".join((*gap, *lines)) + "\n"
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        length = len(rest)
        try:
            while rest:
                rest = rest[self._write_some(rest) :]
        except OSError:
            # The reader is gone or the disk is full: trading goes on, and somebody counts.
            self._failed += len(lines)
            self._is_torn = self._is_torn or len(rest) < length
            return
        self._is_torn = False
        self._told = drops

    def _restore_given(self) -> None:
        """Open the standard output again if it was closed: the next file would get its number."""
        try:
            os.fstat(self._given_fd)
        except OSError:
            # Where it was closed from the start this is a file that nobody can write to.
            os.dup2(self._fd, self._given_fd)

    def _write_some(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            # Somebody who shares the terminal has made it non-blocking.
            select.select((), (self._fd,), (), WRITABLE_WAIT_S)
            return 0


def _own_copy(fd: int) -> int:
    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, OWN_FD_MIN)
    except OSError:
        # It was closed before we came (`tickd run >&-`): this takes nothing, and lines count as
        # lost; the number itself may become that of a file.
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
