"""All records of one state folder, each through the adapter that keeps its bytes."""

from contextlib import suppress

from daemon.adapters.storage.codec import Damaged, Newer, Reading, decode, encode, open_envelope
from daemon.adapters.storage.files import UnreadableFileError, write_atomically
from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.names import Place, PlaceKind, file_name, kind_of, parse_file_name
from daemon.adapters.storage.persist import AdapterCalls, PersistAdapter, PersistClasses
from daemon.adapters.storage.schema import Identity, Record
from daemon.core.errors import TransientError


class Shelf:
    """Reads and writes records; makes each adapter when its record is first needed."""

    def __init__(
        self, folder: Folder, identity: Identity, classes: PersistClasses, calls: AdapterCalls
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.calls = calls
        self._classes = classes
        self._adapters: dict[str, PersistAdapter] = {}

    def read(self, place: Place) -> Reading | None:
        """Return what the file of `place` says, None if there is none. Raises TransientError."""
        adapter = self._adapter(place.kind, file_name(place))
        return self._reading(place, adapter, "read")

    def read_previous(self, place: Place) -> Reading | None:
        """Return what the version before said, None if there is none. Raises TransientError."""
        adapter = self._adapter(place.kind, file_name(place))
        return self._reading(place, adapter, "read_previous")

    def write(self, place: Place, record: Record, seq: int) -> None:
        """Write durably. Raises TransientError, or FatalError for what no file can hold."""
        name = file_name(place)
        data = encode(record, seq, self.identity)
        try:
            self.calls.call(self._adapter(place.kind, name).write, data)
        except TransientError as error:
            raise TransientError(f"{name} cannot be written: {error}") from error

    def set_aside(self, name: str, target: str) -> None:
        """Take what stands under `name` away to the file `target`. Raises TransientError.

        What an adapter of the user's keeps elsewhere is copied into the folder first.
        """
        try:
            if self.folder.exists(name):
                self.folder.rename(name, target)
                self.folder.sync_folder()
                return
            kind = kind_of(name)
            adapter = None if kind is None else self._adapter(kind, name)
            held = None if adapter is None else self.calls.call(adapter.read)
            if adapter is not None and isinstance(held, bytes):
                write_atomically(self.folder, target, held)
                self.calls.call(adapter.remove)
        except (OSError, UnreadableFileError) as error:
            raise TransientError(f"{name} cannot be moved aside: {error}") from error

    def find_place(self, name: str) -> Place | None:
        """Return whose file `name` is: by the name, or where that was cut, by what it holds."""
        plain = parse_file_name(name)
        kind = kind_of(name)
        if plain is not None or kind is None:
            return plain
        adapter = self._adapter(kind, name)
        for method in ("read", "read_previous"):
            with suppress(UnreadableFileError):
                held = self._bytes(adapter, method)
                found = None if held is None else open_envelope(held, Place(kind=kind, symbol=""))
                if found is not None and not isinstance(found, Damaged | Newer):
                    return found.place if file_name(found.place) == name else None
        return None

    def _adapter(self, kind: PlaceKind, name: str) -> PersistAdapter:
        if name not in self._adapters:
            self._adapters[name] = self._classes.of(kind)(name, self.folder)
        return self._adapters[name]

    def _reading(self, place: Place, adapter: PersistAdapter, method: str) -> Reading | None:
        try:
            held = self._bytes(adapter, method)
        except UnreadableFileError as error:
            return Damaged(reason=str(error))
        return None if held is None else decode(held, place, self.identity)

    def _bytes(self, adapter: PersistAdapter, method: str) -> bytes | None:
        function = getattr(adapter, method, None)
        held = None if function is None else self.calls.call(function)
        if held is not None and not isinstance(held, bytes):
            raise UnreadableFileError(f"{type(adapter).__name__} returned {type(held).__name__}")
        return held
