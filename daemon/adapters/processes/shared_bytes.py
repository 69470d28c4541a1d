"""Bytes that several processes read without copies of their own."""

import os
import tempfile
from collections.abc import Callable, Sequence
from mmap import ACCESS_READ, mmap
from multiprocessing import reduction
from threading import Lock
from typing import Protocol


class SharedBytes:
    """Read-only bytes that processes share without copies, in a file in memory without a name.

    It vanishes with the last process that holds it, however that one ends. It is written when it
    is first needed: a copy of this process needs none.
    """

    def __init__(
        self, descriptor: int, sizes: Sequence[int], parts: Sequence[memoryview] = ()
    ) -> None:
        self._descriptor = descriptor
        self._sizes = sizes
        self._parts = parts
        self._lock = Lock()

    @classmethod
    def of(cls, parts: Sequence[memoryview]) -> "SharedBytes":
        """Return a copy of `parts` that can be shared. They must not change."""
        return cls(-1, [part.nbytes for part in parts], parts)

    def __reduce__(self) -> tuple[Callable[..., "SharedBytes"], tuple[object, object]]:
        # Only while a process is being started can a descriptor be handed to it.
        return _received, (reduction.DupFd(self._file()), self._sizes)

    def views(self) -> list[memoryview]:
        """Return the parts as they were given."""
        if not sum(self._sizes):
            return [memoryview(b"") for _ in self._sizes]
        whole = memoryview(mmap(self._file(), 0, access=ACCESS_READ))
        views, start = [], 0
        for size in self._sizes:
            views.append(whole[start : start + size])
            start += size
        return views

    def _file(self) -> int:
        with self._lock:
            if self._descriptor < 0:
                self._descriptor = _unnamed_file()
                with open(self._descriptor, "wb", closefd=False) as file:
                    file.writelines(self._parts)
            return self._descriptor

    def close(self) -> None:
        """Let go of it here."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Duplicate(Protocol):
    """A descriptor on its way to another process."""

    def detach(self) -> int: ...


def _received(duplicate: _Duplicate, sizes: Sequence[int]) -> SharedBytes:
    return SharedBytes(duplicate.detach(), sizes)


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("tickd-candles")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
