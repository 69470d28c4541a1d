"""Whose code had the process when it ended, found by the next start.

While foreign code runs, its task is noted in `calls.map`, a file that is mapped into memory: a note
costs no system call, and outlives the process whatever ends it. What a start finds there it counts
in `hangs.json`. Nothing here may keep a daemon from starting: what cannot be kept is not known.
"""

import mmap
import os
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b

from pydantic import TypeAdapter, ValidationError

from daemon.adapters.storage.codec import dump
from daemon.adapters.storage.files import (
    UnreadableFileError,
    move_aside,
    read_whole,
    write_atomically,
)
from daemon.adapters.storage.folder import FILE_MODE, PosixFolder
from daemon.adapters.storage.lanes import Lanes
from daemon.core.errors import TransientError
from daemon.core.hangs import HangCount, HangCounts, counts_after_hang
from daemon.core.signal import Key

CALLS = "calls.map"
COUNTS = "hangs.json"

SILENCE_MS = 15_000
"""A thread may think for minutes: it is to blame only where the event loop had stood still, too."""

_BEAT_BYTES = 8
_MARK_BYTES = 16
_THREADS = 300
_SIZE = _BEAT_BYTES + _MARK_BYTES * (1 + _THREADS)
_NOBODY = bytes(_MARK_BYTES)


class FileHangMemory:
    """`counts` is what is on disk; `notes` is worth logging. `keys` are those that are known."""

    def __init__(self, folder: PosixFolder, keys: Sequence[Key], now_ms: Callable[[], int]) -> None:
        self.counts: HangCounts = {}
        self.notes: tuple[str, ...] = ()
        self._folder = folder
        self._now_ms = now_ms
        self._lanes = Lanes(1, "tickd-hangs")
        self._marks: dict[str, bytes] = {}
        self._free = list(range(_THREADS, 0, -1))
        self._map: mmap.mmap | None = None
        try:
            self._open(keys)
        except (OSError, UnreadableFileError, TransientError, ValueError) as error:
            self.notes += (f"strategies that hang will not be remembered: {error}",)

    def enter(self, holder: str) -> None:
        """Note that the code of `holder` has the event loop."""
        self._put(0, self._mark(holder))

    def leave(self) -> None:
        """Note that nobody's code has it any more."""
        self._put(0, _NOBODY)

    def think(self, holder: str) -> int:
        """Note that the code of `holder` runs in a thread; return what `thought` wants back."""
        place = self._free.pop() if self._free else 0
        if place:
            self._put(place, self._mark(holder))
        return place

    def thought(self, mark: int) -> None:
        """Note that it has come back, or is waited for no more."""
        if mark:
            self._put(mark, _NOBODY)
            self._free.append(mark)

    def beat(self) -> None:
        """Note that the event loop moves."""
        if self._map is not None:
            struct.pack_into("<q", self._map, 0, self._now_ms())

    async def save(self, counts: HangCounts) -> None:
        """Keep `counts`. Raises TransientError."""
        await self._lanes.run("", lambda: self._write(counts))
        self.counts = counts

    def close(self) -> None:
        """End it all in order: nobody is to blame for that. Blocks."""
        self._lanes.close()
        if self._map is not None:
            self._map.close()
            self._map = None
            with suppress(OSError):
                self._folder.unlink(CALLS)

    def _open(self, keys: Sequence[Key]) -> None:
        self.counts = self._read_counts()
        guilty = self._read_guilty(keys)
        counts = self.counts
        for key in guilty:
            counts = counts_after_hang(counts, key)
            self.notes += (f"the daemon hung or ended in the code of {key}",)
        if guilty:
            self._write(counts)
            self.counts = counts
        with suppress(FileNotFoundError):
            self._folder.unlink(CALLS)
        self._map = self._make_map()

    def _make_map(self) -> mmap.mmap:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(CALLS, flags, FILE_MODE, dir_fd=self._folder.descriptor)
        try:
            # Written and not only made so long: a hole that no disk has room for ends the process.
            os.write(handle, bytes(_SIZE))
            return mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)

    def _read_guilty(self, keys: Sequence[Key]) -> list[Key]:
        """Return whose code the process was in when it ended: who had the loop, else who thought.

        Empty after an end in order.
        """
        held = read_whole(self._folder, CALLS) or b""
        if len(held) != _SIZE:
            return []
        (beat_ms,) = struct.unpack_from("<q", held)
        marks = [held[start : start + _MARK_BYTES] for start in range(8, _SIZE, _MARK_BYTES)]
        was_still = self._now_ms() - beat_ms >= SILENCE_MS
        found = marks[:1] if marks[0] != _NOBODY else marks[1:] if was_still else []
        return [key for key in keys if self._mark(str(key)) in found]

    def _read_counts(self) -> HangCounts:
        try:
            held = read_whole(self._folder, COUNTS)
            found = [] if held is None else _ADAPTER.validate_json(held)
        except (UnreadableFileError, ValidationError):
            target = move_aside(self._folder, COUNTS, "corrupt", self._now_ms())
            self.notes += (f"{COUNTS} is damaged; kept as {target}",)
            return {}
        return {(item.symbol, item.strategy_name): item.count for item in found}

    def _write(self, counts: HangCounts) -> None:
        rows = [
            HangCount(symbol=symbol, strategy_name=name, count=count)
            for (symbol, name), count in sorted(counts.items())
        ]
        try:
            write_atomically(self._folder, COUNTS, dump(rows) + b"\n")
        except OSError as error:
            raise TransientError(f"{COUNTS} cannot be written: {error.strerror}") from error

    def _put(self, place: int, mark: bytes) -> None:
        if self._map is not None:
            start = _BEAT_BYTES + place * _MARK_BYTES
            self._map[start : start + _MARK_BYTES] = mark

    def _mark(self, holder: str) -> bytes:
        mark = self._marks.get(holder)
        if mark is None:
            text = holder.encode("utf-8", "surrogatepass")
            mark = self._marks[holder] = blake2b(text, digest_size=_MARK_BYTES).digest()
        return mark


_ADAPTER = TypeAdapter(list[HangCount])
