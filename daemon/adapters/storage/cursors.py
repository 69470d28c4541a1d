"""Where each alert sink stands in the journal: one small file for each, `cursor_{sink}.json`."""

from collections.abc import Callable
from contextlib import suppress

from daemon.adapters.storage.codec import Damaged, Newer, Reading, Version
from daemon.adapters.storage.files import free_name
from daemon.adapters.storage.lanes import Lanes
from daemon.adapters.storage.names import Place, parse_file_name
from daemon.adapters.storage.schema import CursorRecord
from daemon.adapters.storage.shelf import Shelf
from daemon.core.errors import FatalError, TransientError


class FileCursorStore:
    """Reads all cursors when it is made; writes them off the event loop.

    A damaged cursor is moved aside, and the one before counts: an alert may come twice, never not
    at all. Without that one too, the sink begins at the journal's start.
    """

    def __init__(self, shelf: Shelf, now_ms: Callable[[], int]) -> None:
        self._shelf = shelf
        self._lanes = Lanes(1, "tickd-cursors")
        self._cursors: dict[str, Version] = {}
        self._untouchable: dict[str, str] = {}
        self.notes: tuple[str, ...] = ()
        for name in sorted(shelf.folder.names()):
            place = parse_file_name(name)
            if place is not None and place.kind == "cursor":
                self._load(name, place, now_ms())

    @property
    def highest_number(self) -> int:
        """Return the highest number that any sink has dealt with, 0 for none."""
        return max((_number(version) for version in self._cursors.values()), default=0)

    async def load_cursor(self, sink: str) -> int | None:
        """Return the number of the last entry that `sink` has dealt with, None if never."""
        version = self._cursors.get(sink)
        return None if version is None else _number(version)

    async def save_cursor(self, sink: str, number: int) -> None:
        """Note that `sink` has dealt with all entries up to `number`. Raises TransientError."""
        await self._lanes.run(sink, lambda: self._save(sink, number))

    def close(self) -> None:
        """Wait for what was begun, and end the thread. Blocks."""
        self._lanes.close()

    def _save(self, sink: str, number: int) -> None:
        if sink in self._untouchable:
            raise FatalError(self._untouchable[sink])
        before = self._cursors.get(sink)
        version = Version(
            seq=1 if before is None else before.seq + 1,
            record=CursorRecord(sink=sink, number=number),
        )
        self._shelf.write(Place(kind="cursor", symbol="", name=sink), version.record, version.seq)
        self._cursors[sink] = version

    def _load(self, name: str, place: Place, at_ms: int) -> None:
        found = self._shelf.read(place)
        match found:
            case Version():
                self._cursors[place.name] = found
            case Newer():
                message = f"{name} was written by a newer tickd (schema {found.schema})"
                self._untouchable[place.name] = message
                self.notes += (message,)
            case Damaged():
                previous = self._shelf.read_previous(place)
                self._cursors[place.name] = _at_least(previous, place.name)
                target = free_name(self._shelf.folder, name, "corrupt", at_ms)
                self.notes += (f"{name}: {found.reason}; kept as {target}",)
                # If the disk refuses, it is found again at the next start.
                with suppress(TransientError):
                    self._shelf.set_aside(name, target)
            case None:
                pass


def _number(version: Version) -> int:
    assert isinstance(version.record, CursorRecord)
    return version.record.number


def _at_least(previous: Reading | None, sink: str) -> Version:
    if isinstance(previous, Version):
        return previous
    return Version(seq=1, record=CursorRecord(sink=sink, number=0))
