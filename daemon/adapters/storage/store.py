"""The state store on a folder: durable writes off the event loop, in order for each file."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.adapters.storage.codec import place_of
from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.lanes import Lanes
from daemon.adapters.storage.loading import Loaded, load_folder
from daemon.adapters.storage.names import file_name
from daemon.adapters.storage.persist import AdapterCalls, PersistClasses
from daemon.adapters.storage.schema import Identity
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.survey import Announced
from daemon.core.errors import FatalError
from daemon.core.records import Follower, StoredState, Truth
from daemon.core.signal import Key

_TRUTH_THREADS = 4
"""Syncs that run side by side share the disk's commits; more than a few gain nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Whose folder it is, which classes keep the records, and which keys are configured.

    `keys` matter where records are kept elsewhere than in the folder: only then can a record
    exist of which neither folder nor journal knows.
    """

    identity: Identity
    classes: PersistClasses
    keys: Sequence[Key] = ()


class FileStateStore:
    """The state folder as the drivers know it. `announced` is what the journal knows of it."""

    def __init__(
        self,
        folder: Folder,
        options: StoreOptions,
        announced: Announced,
        now_ms: Callable[[], int],
    ) -> None:
        self._folder = folder
        self._options = options
        self._announced = announced
        self._now_ms = now_ms
        self._shelf: Shelf | None = None
        self._loaded = Loaded()
        self._truths = Lanes(_TRUTH_THREADS, "tickd-state")
        # Followers wait for one another, never a signal file for them.
        self._followers = Lanes(1, "tickd-followers")

    @property
    def busy_s(self) -> float:
        """Return for how long (loop time) the slowest write of a truth has been under way."""
        return self._truths.busy_s

    async def load(self) -> StoredState:
        """Read every file once; move aside what cannot be trusted. Raises TransientError."""
        calls = AdapterCalls(asyncio.get_running_loop())
        options = self._options
        shelf = Shelf(self._folder, options.identity, options.classes, calls)
        at_ms = self._now_ms()
        self._loaded = await self._truths.run(
            "load", lambda: load_folder(shelf, self._announced, options.keys, at_ms)
        )
        self._shelf = shelf
        return self._loaded.stored

    async def save(self, record: Truth) -> int:
        """Write a signal or schedule record; return its sequence number.

        Raises TransientError: nothing has changed then. Raises FatalError for a record that no
        file can hold, and for a key that waits for `tickd state repair`.
        """
        name = file_name(place_of(record))
        return await self._truths.run(name, lambda: self._write(name, record))

    async def follow(self, record: Follower) -> None:
        """Write a risk or partial record; of several that wait only the newest is written.

        Raises TransientError. A file of a newer schema is left as it is.
        """
        name = file_name(place_of(record))
        if name not in self._loaded.refused:
            await self._followers.run_latest(name, lambda: self._write(name, record))

    def close(self) -> None:
        """Wait for every write that was begun, and end the threads. Blocks."""
        self._truths.close()
        self._followers.close()

    def _write(self, name: str, record: Truth | Follower) -> int:
        if self._shelf is None:
            raise FatalError("the state folder must be loaded before anything is saved in it")
        if name in self._loaded.refused:
            raise FatalError(self._loaded.refused[name])
        # A number is used up even by a write that fails: it may be on the disk after all.
        seq = self._loaded.sequences.get(name, 0) + 1
        self._loaded.sequences[name] = seq
        self._shelf.write(place_of(record), record, seq)
        return seq
