"""The state folder as a whole: locked, swept, and opened for the daemon."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from daemon.adapters.storage.cursors import FileCursorStore
from daemon.adapters.storage.files import sweep
from daemon.adapters.storage.folder import PosixFolder, open_folder
from daemon.adapters.storage.hangs import FileHangMemory
from daemon.adapters.storage.journal import FileJournal
from daemon.adapters.storage.journal_log import SEGMENT_BYTES_MAX, JournalLog
from daemon.adapters.storage.lock import lock_folder
from daemon.adapters.storage.persist import AdapterCalls, PersistClasses, chosen_persist_classes
from daemon.adapters.storage.schema import Identity
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.store import FileStateStore, StoreOptions
from daemon.core.errors import FatalError
from daemon.core.signal import Key

JOURNAL_FOLDER = "journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOptions:
    """Whose state it is, which keys are configured, and how it is kept."""

    identity: Identity
    keys: Sequence[Key] = ()
    classes: PersistClasses = field(default_factory=chosen_persist_classes)
    segment_bytes_max: int = SEGMENT_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """An open state folder. `notes` is worth logging; `swept_count` temp files were left over."""

    state: FileStateStore
    journal: FileJournal
    cursors: FileCursorStore
    hangs: FileHangMemory
    notes: tuple[str, ...]
    swept_count: int
    held: ExitStack

    @property
    def busy_s(self) -> float:
        """Return for how long (loop time) the slowest write under way has kept its thread."""
        return max(self.state.busy_s, self.journal.busy_s)

    def close(self) -> None:
        """Wait for every write that was begun, then let go of the folder. Blocks."""
        self.held.close()


def folder_of(dump: Path, identity: Identity) -> Path:
    """Return where the state of `identity` lives: `dump/<exchange>-<mode>`."""
    return dump / f"{identity.exchange}-{identity.mode}"


def open_storage(path: Path, options: StorageOptions, now_ms: Callable[[], int]) -> Storage:
    """Open and lock the state folder `path`, making it if need be. Blocks: call it off the loop.

    `now_ms` (UTC epoch ms) names what is moved aside. Raises StateLockedError if another daemon
    has it, FatalError if it cannot be used, naming the remedy.
    """
    with ExitStack() as held:
        folder = _opened(path, held)
        held.callback(lock_folder(folder).release)
        journal_folder = _opened(path / JOURNAL_FOLDER, held)
        try:
            swept_count = sweep(folder) + sweep(journal_folder)
            shelf = Shelf(folder, options.identity, PersistClasses(), AdapterCalls())
            cursors = FileCursorStore(shelf, now_ms)
        except OSError as error:
            raise FatalError(f"{path} cannot be used: {error.strerror}") from error
        held.callback(cursors.close)
        log = JournalLog(journal_folder, options.segment_bytes_max)
        log.open(cursors.highest_number, now_ms())
        journal = FileJournal(log)
        held.callback(journal.close)
        store_options = StoreOptions(
            identity=options.identity, classes=options.classes, keys=options.keys
        )
        state = FileStateStore(folder, store_options, log.index.sequences, now_ms)
        held.callback(state.close)
        hangs = FileHangMemory(folder, options.keys, now_ms)
        held.callback(hangs.close)
        return Storage(
            state=state,
            journal=journal,
            cursors=cursors,
            hangs=hangs,
            notes=(*log.notes, *cursors.notes, *hangs.notes),
            swept_count=swept_count,
            held=held.pop_all(),
        )


def _opened(path: Path, held: ExitStack) -> PosixFolder:
    folder = open_folder(path)
    held.callback(folder.release)
    return folder
