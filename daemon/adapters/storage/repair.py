"""A person's decision about a key that waits for one: `tickd state repair`.

Needs the folder's lock, so the daemon must not run. Everything that was there stays, under other
names; the decision is journaled, and the files get numbers above all that were ever told.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from daemon.adapters.storage.codec import Version, decode
from daemon.adapters.storage.files import (
    PREVIOUS,
    UnreadableFileError,
    free_name,
    move_aside,
    read_whole,
)
from daemon.adapters.storage.folder import Folder, open_folder
from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.lines import encode_entry
from daemon.adapters.storage.lock import lock_folder
from daemon.adapters.storage.markers import MARK, resolve_mark
from daemon.adapters.storage.names import Place
from daemon.adapters.storage.opening import JOURNAL_FOLDER
from daemon.adapters.storage.persist import AdapterCalls, chosen_persist_classes
from daemon.adapters.storage.schema import Identity
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.survey import Finding, survey
from daemon.core.errors import FatalError, RejectedError
from daemon.core.records import (
    CommandEntry,
    JournalEntry,
    ScheduleRecord,
    SignalRecord,
    TransitionEntry,
    Truth,
)
from daemon.core.signal import Key
from daemon.core.states import Idle

RepairAction = Literal["previous", "flat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairOrder:
    """What to do about which key.

    "previous" believes the newest whole version that is left; "flat" declares that the key has no
    signal at all. `origin` says who asked, for the journal.
    """

    key: Key
    action: RepairAction
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """One file as it stands after the repair, and what was kept of it under other names."""

    file: str
    seq: int
    record: Truth
    kept: tuple[str, ...]


def repair(
    path: Path, identity: Identity, order: RepairOrder, now_ms: Callable[[], int]
) -> tuple[Repaired, ...]:
    """Carry out a person's decision. `now_ms` is UTC epoch ms.

    Raises StateLockedError while a daemon has the folder, RejectedError if the key waits for no
    decision or there is no whole version of it, FatalError if the folder cannot be written.
    """
    with ExitStack() as held:
        folder = open_folder(path, create=False)
        held.callback(folder.release)
        held.callback(lock_folder(folder).release)
        journal_folder = open_folder(path / JOURNAL_FOLDER)
        held.callback(journal_folder.release)
        log = JournalLog(journal_folder)
        log.open(0, now_ms())
        held.callback(log.close)
        shelf = Shelf(folder, identity, chosen_persist_classes(), AdapterCalls())
        try:
            return _repair(shelf, log, order, now_ms())
        except OSError as error:
            raise FatalError(f"{path} cannot be repaired: {error.strerror}") from error


def _repair(shelf: Shelf, log: JournalLog, order: RepairOrder, at_ms: int) -> tuple[Repaired, ...]:
    findings = [
        finding
        for finding in survey(shelf, log.index.sequences, [order.key])
        if finding.key == order.key and finding.is_truth
    ]
    if not any(finding.is_blocking for finding in findings):
        raise RejectedError(f"{order.key} waits for no decision: there is nothing to repair")
    chosen = [_choose(shelf, finding, order) for finding in findings if _is_due(finding, order)]
    # The schedule file comes first: after a crash in between, the signal file still blocks.
    done = tuple(_write(shelf, *one, at_ms) for one in chosen)
    entries = _entries(order, done, at_ms)
    log.append([(entry, encode_entry(entry)) for entry in entries])
    for finding in findings:
        resolve_mark(shelf.folder, finding.file, at_ms)
    return done


def _is_due(finding: Finding, order: RepairOrder) -> bool:
    # A flat key has no waiting signal either, whoever is to blame.
    return finding.is_blocking or order.action == "flat"


def _choose(shelf: Shelf, finding: Finding, order: RepairOrder) -> tuple[Finding, Version, Truth]:
    """Return the finding, the newest whole version, and the record that is to stand."""
    assert finding.place is not None
    newest = _newest(shelf, finding, finding.place)
    record = newest.record if newest is not None else None
    seq = max(finding.seq, newest.seq if newest is not None else 0)
    if order.action == "previous":
        if newest is None or not isinstance(record, SignalRecord | ScheduleRecord):
            raise RejectedError(
                f"{finding.file}: no whole version is left; only 'flat' can be declared"
            )
        # What was told already must not be told again as news.
        outbox = record.outbox if newest.seq > finding.announced_seq else ()
        return finding, Version(seq=seq, record=record), replace(record, outbox=outbox)
    flat: Truth
    if finding.kind == "schedule":
        flat = ScheduleRecord(key=order.key)
    elif isinstance(record, SignalRecord):
        flat = replace(record, state=Idle(), outbox=())
    else:
        flat = SignalRecord(key=order.key)
    return finding, Version(seq=seq, record=flat), flat


def _newest(shelf: Shelf, finding: Finding, place: Place) -> Version | None:
    """Return the whole version with the highest number, wherever it was put."""
    readings = [shelf.read(place), shelf.read_previous(place)]
    for name in shelf.folder.names():
        if name.startswith(finding.file + ".") and MARK not in name:
            try:
                held = read_whole(shelf.folder, name)
            except UnreadableFileError:
                continue
            readings.append(None if held is None else decode(held, place, shelf.identity))
    versions = [reading for reading in readings if isinstance(reading, Version)]
    return max(versions, key=lambda version: version.seq, default=None)


def _write(shelf: Shelf, finding: Finding, version: Version, record: Truth, at_ms: int) -> Repaired:
    assert finding.place is not None
    kept = [
        _keep(shelf.folder, name, at_ms)
        for name in (finding.file, finding.file + PREVIOUS)
        if shelf.folder.exists(name)
    ]
    seq = version.seq + 1
    shelf.write(finding.place, record, seq)
    return Repaired(file=finding.file, seq=seq, record=record, kept=tuple(kept))


def _keep(folder: Folder, name: str, at_ms: int) -> str:
    target = free_name(folder, name, "replaced", at_ms)
    if not name.endswith(PREVIOUS):
        return move_aside(folder, name, "replaced", at_ms)
    folder.link(name, target)
    folder.sync_folder()
    return target


def _entries(order: RepairOrder, done: tuple[Repaired, ...], at_ms: int) -> list[JournalEntry]:
    entries: list[JournalEntry] = [
        TransitionEntry(
            key=order.key,
            events=(),
            at_ms=at_ms,
            file="signal" if isinstance(one.record, SignalRecord) else "schedule",
            seq=one.seq,
        )
        for one in done
    ]
    command = CommandEntry(
        command=f"repair {order.action}",
        target=str(order.key),
        origin=order.origin,
        at_ms=at_ms,
    )
    return [command, *entries]
