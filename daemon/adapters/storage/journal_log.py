"""Appends to the journal's files. Plain and blocking: one thread at a time may use it.

After any failure the segment is left alone and the next append begins a new one: pages whose sync
has failed may read back well and still be lost.
"""

from collections.abc import Sequence
from contextlib import suppress

from daemon.adapters.storage.files import free_name, move_aside, read_range, write_fully
from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.lines import entry_line, index_line
from daemon.adapters.storage.segments import Segment, Tail, list_segments, read_tail
from daemon.core.errors import FatalError, TransientError
from daemon.core.journal_index import JournalIndex
from daemon.core.records import JournalEntry

SEGMENT_BYTES_MAX = 4 * 1024 * 1024
"""The newest segment is read whole at each start: this much takes a quarter of a second."""


class JournalLog:
    """The open journal. `notes` says what had to be mended at the opening."""

    def __init__(self, folder: Folder, segment_bytes_max: int = SEGMENT_BYTES_MAX) -> None:
        self.folder = folder
        self.index = JournalIndex()
        self.segments: tuple[Segment, ...] = ()
        self.notes: tuple[str, ...] = ()
        self._segment_bytes_max = segment_bytes_max
        self._handle: int | None = None
        self._size = 0

    def open(self, number_floor: int, at_ms: int) -> None:
        """Read what is there and mend a torn end.

        Numbers go on above `number_floor`: what a sink has dealt with must not come to mean
        something else. Raises FatalError.
        """
        try:
            self._open(at_ms)
        except OSError as error:
            raise FatalError(f"{self.folder.path} cannot be read: {error.strerror}") from error
        self.index.number = max(self.index.number, number_floor)

    def append(self, entries: Sequence[tuple[JournalEntry, bytes]]) -> Sequence[int]:
        """Append entries with their payloads durably; return their numbers.

        Raises TransientError: none of them counts then.
        """
        first = self.index.number + 1
        numbers = range(first, first + len(entries))
        lines = [entry_line(n, payload) for n, (_, payload) in zip(numbers, entries, strict=True)]
        try:
            self.folder.check_present()
            if self._needs_segment():
                self._begin(first, b"".join(lines))
            else:
                self._extend(b"".join(lines))
        except OSError as error:
            raise TransientError(f"the journal cannot be written: {error.strerror}") from error
        for number, (entry, _) in zip(numbers, entries, strict=True):
            self.index.note(entry, number)
        return numbers

    def close(self) -> None:
        """Let go of the open segment."""
        if self._handle is not None:
            self.folder.close(self._handle)
            self._handle = None

    def _open(self, at_ms: int) -> None:
        segments = list_segments(self.folder)
        while segments:
            tail = read_tail(self.folder, segments)
            if tail.end > 0:
                self.index = tail.index
                self._resume(segments[-1], tail, at_ms)
                break
            # Not even its first line is whole: it was torn when it was made.
            moved = move_aside(self.folder, segments.pop().name, "torn", at_ms)
            self.notes += (f"a journal segment without a whole line was kept as {moved}",)
        self.segments = tuple(segments)

    def _resume(self, segment: Segment, tail: Tail, at_ms: int) -> None:
        handle = self.folder.open_to_append(segment.name)
        status = self.folder.status(handle)
        if not status.is_regular or status.links != 1:
            # Written to under another name too: it is left alone, and a new segment begun.
            self.folder.close(handle)
            return
        self._handle, self._size = handle, tail.end
        if tail.end < tail.size:
            self._cut(segment, tail, handle, at_ms)

    def _cut(self, segment: Segment, tail: Tail, handle: int, at_ms: int) -> None:
        target = free_name(self.folder, segment.name, "torn", at_ms)
        source = self.folder.open_to_read(segment.name)
        try:
            torn = read_range(self.folder, source, tail.end, tail.size - tail.end)
        finally:
            self.folder.close(source)
        copy = self.folder.create(target)
        try:
            write_fully(self.folder, copy, torn)
            self.folder.sync(copy)
        finally:
            self.folder.close(copy)
        self.folder.sync_folder()
        self.folder.truncate(handle, tail.end)
        self.folder.sync(handle)
        self.notes += (f"{len(torn)} torn bytes at the journal's end were kept as {target}",)

    def _needs_segment(self) -> bool:
        if self._handle is None or self._size >= self._segment_bytes_max:
            return True
        # Deleted under our hands: what is appended there would be lost.
        return self.folder.status(self._handle).links == 0

    def _extend(self, data: bytes) -> None:
        assert self._handle is not None
        try:
            write_fully(self.folder, self._handle, data)
            self.folder.sync_data(self._handle)
        except OSError:
            with suppress(OSError):
                self.folder.truncate(self._handle, self._size)
            with suppress(OSError):
                self.folder.close(self._handle)
            self._handle = None
            raise
        self._size += len(data)

    def _begin(self, first: int, data: bytes) -> None:
        same = [segment.generation for segment in self.segments if segment.first == first]
        segment = Segment(first=first, generation=max(same, default=0) + 1)
        whole = index_line(self.index) + data
        handle = self.folder.create(segment.name)
        try:
            write_fully(self.folder, handle, whole)
            self.folder.sync(handle)
            self.folder.sync_folder()
        except OSError:
            with suppress(OSError):
                self.folder.close(handle)
            with suppress(OSError):
                self.folder.unlink(segment.name)
            raise
        with suppress(OSError):
            self.close()
        self._handle, self._size = handle, len(whole)
        self.segments = (*self.segments, segment)
