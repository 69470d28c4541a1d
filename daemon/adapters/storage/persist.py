"""The four adapters that keep records as opaque bytes, and how a user puts in a class of their own.

What a record says, its number, its checksum and whether it is believed are decided above: an
adapter only has to give back what it was given. Its methods are plain and run off the event loop;
a class of a user's own may also make them `async`, they are then awaited on the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from inspect import iscoroutine
from typing import Protocol

from daemon.adapters.storage.files import (
    PREVIOUS,
    UnreadableFileError,
    read_whole,
    write_atomically,
)
from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.names import PlaceKind
from daemon.core.errors import TransientError
from daemon.core.guard import Raised, Returned, call_foreign, describe

ASYNC_TIMEOUT_S = 30.0
"""How long an `async` method of a user's adapter may take."""


class PersistAdapter(Protocol):
    """One named record. A write is durable when it returns; whatever it raises, it is tried again.

    Optional: `read_previous()`, which returns the version before.
    """

    def read(self) -> bytes | Awaitable[bytes | None] | None:
        """Return what was written last, None if nothing was."""
        ...

    def write(self, record: bytes) -> Awaitable[None] | None: ...

    def remove(self) -> Awaitable[None] | None: ...


class PersistBase:
    """One record in a file of the state folder."""

    def __init__(self, name: str, folder: Folder) -> None:
        self.name = name
        self.folder = folder

    def read(self) -> bytes | None:
        """Return the file's content, None if there is none."""
        return read_whole(self.folder, self.name)

    def read_previous(self) -> bytes | None:
        """Return the version before, None if there is none."""
        return read_whole(self.folder, self.name + PREVIOUS)

    def write(self, record: bytes) -> None:
        """Write durably: a crash leaves the old or the new version."""
        write_atomically(self.folder, self.name, record)

    def remove(self) -> None:
        """Delete the record and the version before. The daemon never does; a user may."""
        for name in (self.name, self.name + PREVIOUS):
            if self.folder.exists(name):
                self.folder.unlink(name)
        self.folder.sync_folder()


class PersistSignalAdapter(PersistBase):
    """The open position of one (symbol, strategy): `signal_{symbol}_{strategy}.json`."""


class PersistScheduleAdapter(PersistBase):
    """The waiting signal of one (symbol, strategy): `schedule_{symbol}_{strategy}.json`."""


class PersistRiskAdapter(PersistBase):
    """The positions of one profile on one symbol: `risk_{symbol}_{risk}.json`."""


class PersistPartialAdapter(PersistBase):
    """The reached levels on one symbol: `partial_{symbol}.json`."""


PersistClass = Callable[[str, Folder], PersistAdapter]
"""A class, called as `cls(name, folder)` when a record is first needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistClasses:
    """Which class keeps which kind of record."""

    signal: PersistClass = PersistSignalAdapter
    schedule: PersistClass = PersistScheduleAdapter
    risk: PersistClass = PersistRiskAdapter
    partial: PersistClass = PersistPartialAdapter

    def of(self, kind: PlaceKind) -> PersistClass:
        """Return the class for records of `kind`."""
        match kind:
            case "signal":
                return self.signal
            case "schedule":
                return self.schedule
            case "risk":
                return self.risk
            case "partial":
                return self.partial
            case "cursor":
                return PersistBase


_chosen: list[PersistClasses] = [PersistClasses()]


def use_persist_signal_adapter(cls: PersistClass) -> None:
    """Keep open positions in `cls` from the next start on."""
    _chosen[0] = replace(_chosen[0], signal=cls)


def use_persist_schedule_adapter(cls: PersistClass) -> None:
    """Keep waiting signals in `cls` from the next start on."""
    _chosen[0] = replace(_chosen[0], schedule=cls)


def use_persist_risk_adapter(cls: PersistClass) -> None:
    """Keep the positions of risk profiles in `cls` from the next start on."""
    _chosen[0] = replace(_chosen[0], risk=cls)


def use_persist_partial_adapter(cls: PersistClass) -> None:
    """Keep reached levels in `cls` from the next start on."""
    _chosen[0] = replace(_chosen[0], partial=cls)


def chosen_persist_classes() -> PersistClasses:
    """Return what was chosen, the file adapters where nothing was."""
    return _chosen[0]


class AdapterCalls:
    """Calls adapters from worker threads; what they raise becomes an error that can be retried."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop

    def call(self, function: Callable[..., object], *args: object) -> object:
        """Return what `function` returns, awaited on the loop if it is a coroutine.

        Raises UnreadableFileError as it came, TransientError for everything else.
        """
        outcome = call_foreign(function, *args)
        if isinstance(outcome, Returned) and iscoroutine(outcome.value):
            outcome = self._await(outcome.value)
        if isinstance(outcome, Returned):
            return outcome.value
        if isinstance(outcome.cause, UnreadableFileError | TransientError):
            raise outcome.cause
        raise TransientError(_explain(outcome)) from outcome.cause

    def _await(self, awaitable: Coroutine[object, object, object]) -> Returned[object] | Raised:
        if self._loop is None:
            awaitable.close()
            return describe(TransientError("an async adapter needs the daemon's event loop"))
        pending = asyncio.run_coroutine_threadsafe(awaitable, self._loop)
        outcome = call_foreign(pending.result, ASYNC_TIMEOUT_S)
        if isinstance(outcome, Raised) and isinstance(outcome.cause, FutureTimeoutError):
            pending.cancel()
        return outcome


def _explain(raised: Raised) -> str:
    if isinstance(raised.cause, OSError) and raised.cause.strerror:
        return raised.cause.strerror
    return f"{raised.error}: {raised.message}"
