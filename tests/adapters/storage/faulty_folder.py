"""A real folder whose calls can be made to fail, to be slow or to do only half."""

import os
from collections.abc import Callable
from pathlib import Path

from daemon.adapters.storage.folder import FOLDER_MODE, PosixFolder

Before = Callable[[str], None]
"""Called with the name of each call that changes something; may raise OSError or wait."""

CALLS = ("create", "write", "sync", "link", "rename", "sync_folder")


class FaultyFolder(PosixFolder):
    """A folder that asks `before` ahead of each call, and counts them."""

    def __init__(self, path: Path, before: Before = lambda call: None) -> None:
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
        super().__init__(path, os.open(path, os.O_RDONLY))
        self.before = before
        self.calls: list[str] = []
        self.bytes_per_call = 1 << 30

    def create(self, name: str) -> int:
        self._pass("create")
        return super().create(name)

    def write(self, handle: int, data: memoryview) -> int:
        self._pass("write")
        return super().write(handle, data[: self.bytes_per_call])

    def read(self, handle: int, count: int, offset: int) -> bytes:
        return super().read(handle, min(count, self.bytes_per_call), offset)

    def sync(self, handle: int) -> None:
        self._pass("sync")
        super().sync(handle)

    def sync_data(self, handle: int) -> None:
        self._pass("sync")
        super().sync_data(handle)

    def link(self, name: str, other: str) -> None:
        self._pass("link")
        super().link(name, other)

    def rename(self, name: str, target: str) -> None:
        self._pass("rename")
        super().rename(name, target)

    def sync_folder(self) -> None:
        self._pass("sync_folder")
        super().sync_folder()

    def _pass(self, call: str) -> None:
        self.calls.append(call)
        self.before(call)


def failing(call: str, code: int) -> Before:
    """Return a `before` that fails every `call` with `code`."""

    def before(name: str) -> None:
        if name == call:
            raise OSError(code, os.strerror(code))

    return before
