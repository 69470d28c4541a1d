"""A disk that loses what was not synced: the file layer's own code runs on it.

On a power cut a random prefix of the unsynced changes of names survives; a file whose content was
not synced keeps the old content, the new, a part of it, or zeros in its place. After a failed sync
the pages count as clean: a second sync succeeds and makes nothing durable.
"""

import errno
import random  # noqa: TID251 (seeded)
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from daemon.adapters.storage.folder import FileStatus


class PowerCut(BaseException):
    """The machine is off. No `except` of the program may see it."""


@dataclass(slots=True, eq=False)
class Inode:
    """A file's content as the program reads it, and as the platter has it."""

    volatile: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    lost_until: int = 0
    """Bytes below this were in a failed sync: no later one brings them to the platter."""


@dataclass(slots=True, kw_only=True)
class Weather:
    """What goes wrong, for all folders of a disk: counted by calls."""

    rng: random.Random
    calls: int = 0
    cut_at: int = 0
    error_rate: float = 0.0
    skipped: Collection[str] = ()
    """Calls that pretend to work: planted bugs, to see that they are found."""

    def pass_by(self, call: str) -> None:
        """Count a call; cut the power or fail it if that is due."""
        self.calls += 1
        if self.cut_at and self.calls >= self.cut_at:
            raise PowerCut
        if self.rng.random() < self.error_rate:
            code = self.rng.choice([errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
            raise OSError(code, f"injected into {call}")


class LossyFolder:
    """One folder on such a disk."""

    def __init__(self, weather: Weather, names: dict[str, Inode] | None = None) -> None:
        self.path = Path("/lossy")
        self._weather = weather
        self._durable_names = dict(names or {})
        self._names = dict(names or {})
        self._pending: list[Callable[[dict[str, Inode]], None]] = []
        self._handles: dict[int, Inode] = {}
        self._next_handle = 3

    def after_power_cut(self, weather: Weather) -> "LossyFolder":
        """Return the folder as the next boot finds it."""
        rng = weather.rng
        names = dict(self._durable_names)
        for change in self._pending[: rng.randint(0, len(self._pending))]:
            change(names)
        kept = {id(inode): Inode() for inode in names.values()}
        for inode in names.values():
            content = kept[id(inode)]
            if not content.durable:
                content.durable = _survivor(inode, rng)
                content.volatile = bytearray(content.durable)
        return LossyFolder(weather, {name: kept[id(inode)] for name, inode in names.items()})

    def check_present(self) -> None:
        self._weather.pass_by("stat")

    def names(self) -> Iterator[str]:
        self._weather.pass_by("scandir")
        yield from list(self._names)

    def exists(self, name: str) -> bool:
        return name in self._names

    def create(self, name: str) -> int:
        self._weather.pass_by("create")
        if name in self._names:
            raise FileExistsError(errno.EEXIST, "exists", name)
        inode = Inode()
        self._change(lambda names: names.update({name: inode}))
        return self._opened(inode)

    def open_to_append(self, name: str) -> int:
        return self.open_to_read(name)

    def open_to_read(self, name: str) -> int:
        self._weather.pass_by("open")
        if name not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return self._opened(self._names[name])

    def status(self, handle: int) -> FileStatus:
        inode = self._handles[handle]
        links = sum(one is inode for one in self._names.values())
        return FileStatus(size=len(inode.volatile), is_regular=True, links=links, owner=0)

    def write(self, handle: int, data: memoryview) -> int:
        count = self._weather.rng.randint(1, len(data))
        try:
            self._weather.pass_by("write")
        except OSError:
            # A full disk takes what still fits before it says no.
            self._handles[handle].volatile += data[: count - 1]
            raise
        self._handles[handle].volatile += data[:count]
        return count

    def read(self, handle: int, count: int, offset: int) -> bytes:
        self._weather.pass_by("read")
        return bytes(self._handles[handle].volatile[offset : offset + count])

    def truncate(self, handle: int, size: int) -> None:
        self._weather.pass_by("truncate")
        del self._handles[handle].volatile[size:]

    def sync(self, handle: int) -> None:
        inode = self._handles[handle]
        try:
            self._weather.pass_by("sync")
        except OSError:
            inode.lost_until = len(inode.volatile)
            raise
        if "sync" not in self._weather.skipped and inode.lost_until < len(inode.volatile):
            gap = inode.volatile[len(inode.durable) : inode.lost_until]
            kept = inode.durable + bytes(len(gap)) if gap else inode.durable
            inode.durable = kept + bytes(inode.volatile[len(kept) :])
        if len(inode.volatile) < len(inode.durable):
            inode.durable = inode.durable[: len(inode.volatile)]

    def sync_data(self, handle: int) -> None:
        self.sync(handle)

    def close(self, handle: int) -> None:
        self._handles.pop(handle)

    def link(self, name: str, other: str) -> None:
        self._weather.pass_by("link")
        if name not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        inode = self._names[name]
        self._change(lambda names: names.update({other: inode}))

    def rename(self, name: str, target: str) -> None:
        self._weather.pass_by("rename")
        inode = self._names[name]
        if self._names.get(target) is inode:
            return

        def move(names: dict[str, Inode]) -> None:
            names.pop(name, None)
            names[target] = inode

        self._change(move)

    def unlink(self, name: str) -> None:
        self._weather.pass_by("unlink")
        if name not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        self._change(lambda names: names.pop(name, None))

    def sync_folder(self) -> None:
        self._weather.pass_by("sync_folder")
        if "sync_folder" not in self._weather.skipped:
            self._durable_names = dict(self._names)
            self._pending.clear()

    def _opened(self, inode: Inode) -> int:
        self._next_handle += 1
        self._handles[self._next_handle] = inode
        return self._next_handle

    def _change(self, change: Callable[[dict[str, Inode]], object]) -> None:
        def apply(names: dict[str, Inode]) -> None:
            change(names)

        apply(self._names)
        self._pending.append(apply)


def _survivor(inode: Inode, rng: random.Random) -> bytes:
    """Return what the platter has of a file after a power cut."""
    old, new = inode.durable, bytes(inode.volatile)
    if old == new:
        return old
    if rng.random() < 0.5:
        # What was in a failed sync may have been lost, and stands as zeros below what followed.
        lost = max(0, inode.lost_until - len(old))
        new = new[: len(old)] + bytes(lost) + new[len(old) + lost :]
    kept = rng.randint(min(len(old), len(new)), len(new))
    return rng.choice([old, new, new[:kept], new[:kept] + bytes(len(new) - kept)])
