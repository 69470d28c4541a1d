"""The journal on files: appends of many tasks share one sync, and none of them blocks the loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.lanes import Lanes
from daemon.adapters.storage.lines import decode_entry, encode_entry
from daemon.adapters.storage.segments import Segment, read_entries
from daemon.core.errors import TickdError, TransientError
from daemon.core.records import Journaled, JournalEntry

RECENT_COUNT = 256
"""So many entries are kept in memory: a sink that keeps up never reads the disk."""

_PLACES_COUNT_MAX = 16


@dataclass(slots=True, kw_only=True)
class _Request:
    """One call of `append`, and how it ended."""

    entries: Sequence[JournalEntry]
    error: TickdError | None = None


class FileJournal:
    """The durable log. The number of an entry never changes, and no segment is ever deleted."""

    def __init__(self, log: JournalLog) -> None:
        self._log = log
        self._lanes = Lanes(2, "tickd-journal")
        self._lock = Lock()
        self._pending: list[_Request] = []
        self._recent: tuple[Journaled, ...] = ()
        # Where a reader that goes on after a number finds the next one.
        self._places: dict[int, tuple[Segment, int]] = {}

    @property
    def last_number(self) -> int:
        """Return the number of the newest durable entry, 0 for none."""
        return self._log.index.number

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what had to be mended when the journal was opened, for the log."""
        return self._log.notes

    @property
    def busy_s(self) -> float:
        """Return for how long (loop time) the slowest append or read has been under way."""
        return self._lanes.busy_s

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        """Append and make durable; leave out what is there already.

        Raises TransientError: nothing was appended then. Raises FatalError for an entry that no
        line can hold. A cancelled caller's entries are appended all the same.
        """
        if not entries:
            return
        request = _Request(entries=tuple(entries))
        with self._lock:
            self._pending.append(request)
        await self._lanes.run_latest("append", self._drain)
        if request.error is not None:
            raise request.error

    async def read(self, after: int, limit: int) -> Sequence[Journaled]:
        """Return up to `limit` entries with numbers above `after`, in order.

        What cannot be read any more is left out. Raises TransientError.
        """
        recent = self._recent
        if after >= self.last_number or limit < 1:
            return ()
        if recent and recent[0].number <= after + 1:
            return [item for item in recent if item.number > after][:limit]
        return await self._lanes.run("read", lambda: self._read(after, limit))

    def close(self) -> None:
        """Wait for what was begun, end the threads and close the segment. Blocks."""
        self._lanes.close()
        self._log.close()

    def _drain(self) -> None:
        with self._lock:
            requests, self._pending = self._pending, []
        payloads: dict[int, bytes] = {}
        accepted: list[_Request] = []
        for request in requests:
            try:
                payloads |= {id(entry): encode_entry(entry) for entry in request.entries}
                accepted.append(request)
            except TickdError as error:
                request.error = error
        news = self._log.index.news(entry for request in accepted for entry in request.entries)
        if not news:
            return
        try:
            numbers = self._log.append([(entry, payloads[id(entry)]) for entry in news])
        except TransientError as error:
            for request in accepted:
                request.error = error
            return
        told = (Journaled(number=n, entry=e) for n, e in zip(numbers, news, strict=True))
        self._recent = (*self._recent, *told)[-RECENT_COUNT:]

    def _read(self, after: int, limit: int) -> list[Journaled]:
        found: list[Journaled] = []
        try:
            for item, segment, end in self._after(after):
                found.append(item)
                if len(found) == limit:
                    self._places[item.number] = (segment, end)
                    break
        except OSError as error:
            raise TransientError(f"the journal cannot be read: {error.strerror}") from error
        while len(self._places) > _PLACES_COUNT_MAX:
            del self._places[next(iter(self._places))]
        return found

    def _after(self, after: int) -> Iterator[tuple[Journaled, Segment, int]]:
        segments, last_number = self._log.segments, self.last_number
        place = self._places.pop(after, None)
        if place is None:
            begun = [one for one in segments if one.first <= after + 1]
            place = (begun[-1] if begun else segments[0], 0)
        segment, offset = place
        for one in segments[segments.index(segment) :]:
            for numbered, end in read_entries(self._log.folder, segments, one, offset):
                if numbered.number > last_number:
                    return
                entry = decode_entry(numbered.payload) if numbered.number > after else None
                if entry is not None:
                    yield Journaled(number=numbered.number, entry=entry), one, end
            offset = 0
