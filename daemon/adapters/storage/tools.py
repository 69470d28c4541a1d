"""What a person may ask of a state folder, also while a daemon works on it: nothing is changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from daemon.adapters.storage.codec import Damaged, Newer, open_envelope
from daemon.adapters.storage.files import UnreadableFileError, read_whole
from daemon.adapters.storage.folder import PosixFolder
from daemon.adapters.storage.journal_tools import announced_in, opened_to_read
from daemon.adapters.storage.names import Place, kind_of
from daemon.adapters.storage.persist import AdapterCalls, PersistClasses, chosen_persist_classes
from daemon.adapters.storage.schema import Identity
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.survey import Finding, survey
from daemon.adapters.storage.trust import Absent, Replaced, Trusted
from daemon.core.errors import TickdError
from daemon.core.records import FileKind, ScheduleRecord, SignalRecord
from daemon.core.signal import Key, SignalRow
from daemon.core.states import row_of

KeyCondition = Literal["idle", "scheduled", "opening", "active", "closing", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """How one key stands on disk. `seq` is the number of its signal file, 0 if it has none."""

    key: Key
    condition: KeyCondition
    signal: SignalRow | None
    seq: int
    is_stopped: bool
    is_paused: bool
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """What one file came to. `is_sound` says that it would be used as it is."""

    file: str
    kind: FileKind
    key: Key | None
    seq: int
    is_sound: bool
    is_blocking: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFolder:
    """A state folder beside ours, with the keys whose signals are open or cannot be trusted."""

    path: Path
    keys: tuple[KeyState, ...]
    problem: str = ""


def show(path: Path, identity: Identity | None = None) -> tuple[KeyState, ...]:
    """Return how every key stands, ordered. Without `identity` the folder's own is taken.

    Raises FatalError if the folder cannot be read.
    """
    findings = _survey(path, identity)
    keys = {finding.key for finding in findings if finding.key is not None and finding.is_truth}
    by_key = {key: [finding for finding in findings if finding.key == key] for key in keys}
    ordered = sorted(keys, key=lambda key: (key.symbol, key.strategy_name))
    return tuple(state for key in ordered if (state := _key_state(key, by_key[key])) is not None)


def verify(path: Path, identity: Identity | None = None) -> tuple[FileCheck, ...]:
    """Return what every file came to, ordered by name. Raises FatalError."""
    checks = (_check(finding) for finding in _survey(path, identity))
    return tuple(check for check in checks if check is not None)


def kept_aside(path: Path) -> tuple[str, ...]:
    """Return the names of all files that were ever moved aside. Raises FatalError."""
    marks = (".corrupt-", ".torn-", ".replaced-", ".resolved-")
    with opened_to_read(path) as folder:
        return tuple(sorted(n for n in folder.names() if any(mark in n for mark in marks)))


def other_folders(path: Path) -> tuple[OtherFolder, ...]:
    """Return the state folders beside `path` that hold open signals, or cannot be read."""
    found: list[OtherFolder] = []
    if not path.parent.is_dir():
        return ()
    for sibling in sorted(path.parent.iterdir()):
        if sibling.name == path.name or not any(sibling.glob("s*_*.json")):
            continue
        try:
            open_keys = tuple(state for state in show(sibling) if state.condition != "idle")
        except TickdError as error:
            found.append(OtherFolder(path=sibling, keys=(), problem=str(error)))
            continue
        if open_keys:
            found.append(OtherFolder(path=sibling, keys=open_keys))
    return tuple(found)


def find_identity(folder: PosixFolder) -> Identity | None:
    """Return whose folder it is, by its first whole state file, or None. Raises OSError."""
    for name in sorted(folder.names()):
        kind = kind_of(name)
        if kind is None:
            continue
        try:
            held = read_whole(folder, name)
        except UnreadableFileError:
            continue
        found = None if held is None else open_envelope(held, Place(kind=kind, symbol=""))
        if found is not None and not isinstance(found, Damaged | Newer):
            return found.folder
    return None


def _survey(path: Path, identity: Identity | None) -> list[Finding]:
    with opened_to_read(path) as folder:
        owner = identity or find_identity(folder) or Identity(exchange=path.name, mode="")
        # Without a configuration nobody knows a user's own adapters: the files must do.
        classes = PersistClasses() if identity is None else chosen_persist_classes()
        return survey(Shelf(folder, owner, classes, AdapterCalls()), announced_in(path), ())


def _key_state(key: Key, findings: list[Finding]) -> KeyState | None:
    problems = [check.message for finding in findings if (check := _check(finding)) is not None]
    signal: SignalRecord | None = None
    waiting: SignalRow | None = None
    for finding in findings:
        if isinstance(finding.verdict, Trusted | Replaced) and not finding.is_blocking:
            record = finding.verdict.version.record
            signal = record if isinstance(record, SignalRecord) else signal
            waiting = record.signal if isinstance(record, ScheduleRecord) else waiting
    seq = max((finding.seq for finding in findings if finding.kind == "signal"), default=0)
    condition: KeyCondition = "idle" if signal is None else signal.state.kind
    row = None if signal is None else row_of(signal.state)
    last_id = "" if signal is None else signal.last_signal_id
    if condition == "idle" and waiting is not None and waiting.id != last_id:
        condition, row = "scheduled", waiting
    return KeyState(
        key=key,
        condition="blocked" if any(finding.is_blocking for finding in findings) else condition,
        signal=row,
        seq=seq,
        is_stopped=signal is not None and signal.is_stopped,
        is_paused=signal is not None and signal.is_paused,
        problem="; ".join(filter(None, problems)),
    )


def _check(finding: Finding) -> FileCheck | None:
    match finding.verdict:
        case Absent() if finding.mark is None:
            return None
        case Absent() | Trusted():
            message = "" if finding.mark is None else finding.mark.message
        case Replaced():
            message = f"{finding.verdict.reason}; the version before would be used"
        case _:
            message = finding.verdict.reason if finding.mark is None else finding.mark.message
    return FileCheck(
        file=finding.file,
        kind=finding.kind,
        key=finding.key,
        seq=finding.seq,
        is_sound=isinstance(finding.verdict, Trusted) and not finding.is_blocking,
        is_blocking=finding.is_blocking,
        # A mark begins with the file, which stands beside the message here.
        message=message.removeprefix(f"{finding.file}: "),
    )
