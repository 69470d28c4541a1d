"""Planted bugs, one at a time, in the process that is killed: each must be found.

Every one breaks one promise: saved before told, retold after a crash, the cursor behind the
delivery, a state file that is old or new and nothing between.
"""

from collections.abc import Sequence
from typing import Any

from daemon.adapters.storage.files import write_fully
from daemon.adapters.storage.persist import PersistBase
from daemon.core.records import Journaled, TransitionEntry
from daemon.core.states import Observation
from daemon.core.trader import Advance
from daemon.live.alerts import AlertPump, Delivered
from daemon.live.keeper import Keeper
from daemon.live.recovery import Recovery

Mutant = tuple[type, str, Any]
"""A class, the name of one of its functions, and what takes the place of that."""

_commit = Keeper._commit
_delivered = AlertPump._delivered


async def _tell_before_save(self: Keeper, after: Advance, seen: Observation) -> Advance:
    entry = TransitionEntry(key=self.held.key, events=after.events, at_ms=seen.known_at_ms)
    await self.journal(entry)
    return await _commit(self, after._replace(events=()), seen)


async def _never_retell(self: Recovery, *outboxes: object) -> None:
    """Leave to its fate what a crash kept from the journal."""


async def _save_cursor_first(
    self: AlertPump, alerts: Sequence[Journaled], behind: int = 0
) -> Delivered:
    if alerts:
        await self._cursors.save_cursor(self.name, alerts[-1].number)
    return await _delivered(self, alerts, behind)


def _write_in_place(self: PersistBase, record: bytes) -> None:
    if self.folder.exists(self.name):
        self.folder.unlink(self.name)
    handle = self.folder.create(self.name)
    try:
        write_fully(self.folder, handle, record)
        self.folder.sync(handle)
    finally:
        self.folder.close(handle)


MUTANTS: dict[str, Mutant] = {
    "tell_before_save": (Keeper, "_commit", _tell_before_save),
    "never_retell": (Recovery, "_journal_outboxes", _never_retell),
    "save_cursor_first": (AlertPump, "_delivered", _save_cursor_first),
    "write_in_place": (PersistBase, "write", _write_in_place),
}


def plant(name: str) -> None:
    """Put a bug into this process, for good."""
    target, function, replacement = MUTANTS[name]
    setattr(target, function, replacement)
