"""The first reading of a state folder: what is believed is kept, what is not is set aside."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from daemon.adapters.storage.files import free_name
from daemon.adapters.storage.markers import write_mark
from daemon.adapters.storage.shelf import Shelf
from daemon.adapters.storage.survey import Announced, Finding, survey
from daemon.adapters.storage.trust import Absent, Refused, Replaced, Trusted
from daemon.core.errors import TransientError
from daemon.core.records import (
    ScheduleRecord,
    SignalRecord,
    StateFault,
    StoredState,
    TruthKind,
)
from daemon.core.signal import Key


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What a folder held, and what the store must know to write to it.

    `sequences` holds the highest known number of each file; `refused` the files that must not be
    written to, with the reason.
    """

    signals: list[SignalRecord] = field(default_factory=list)
    schedules: list[ScheduleRecord] = field(default_factory=list)
    faults: list[StateFault] = field(default_factory=list)
    record_sequences: dict[tuple[TruthKind, Key], int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def stored(self) -> StoredState:
        """Return what the drivers are told."""
        return StoredState(
            signals=tuple(self.signals),
            schedules=tuple(self.schedules),
            faults=tuple(self.faults),
            sequences=self.record_sequences,
        )


def load_folder(
    shelf: Shelf, announced: Announced, configured: Iterable[Key], at_ms: int
) -> Loaded:
    """Read every record once and move aside what cannot be trusted. Raises TransientError."""
    loaded = Loaded()
    try:
        findings = survey(shelf, announced, configured)
    except OSError as error:
        raise TransientError(f"{shelf.folder.path} cannot be read: {error.strerror}") from error
    for finding in findings:
        loaded.sequences[finding.file] = finding.seq
        _settle(finding, shelf, loaded, at_ms)
    return loaded


def _settle(finding: Finding, shelf: Shelf, loaded: Loaded, at_ms: int) -> None:
    verdict = finding.verdict
    if isinstance(verdict, Refused):
        fault = _refuse(finding, verdict, shelf, at_ms)
        loaded.faults.append(fault)
        if finding.is_blocking or verdict.cause == "newer":
            loaded.refused[finding.file] = fault.message
    elif finding.mark is not None and finding.is_truth:
        loaded.faults.append(finding.mark)
        loaded.refused[finding.file] = finding.mark.message
    elif isinstance(verdict, Replaced):
        loaded.faults.append(_fall_back(finding, verdict, shelf, at_ms))
        _keep(verdict, loaded)
    elif isinstance(verdict, Trusted):
        _keep(verdict, loaded)
    else:
        assert isinstance(verdict, Absent)


def _keep(verdict: Trusted | Replaced, loaded: Loaded) -> None:
    record, seq = verdict.version.record, verdict.version.seq
    if isinstance(record, SignalRecord):
        loaded.signals.append(record)
        loaded.record_sequences["signal", record.key] = seq
    elif isinstance(record, ScheduleRecord):
        loaded.schedules.append(record)
        loaded.record_sequences["schedule", record.key] = seq


def _refuse(finding: Finding, verdict: Refused, shelf: Shelf, at_ms: int) -> StateFault:
    """Mark the key if it is to stay blocked, set the file aside, and tell what was done."""
    if finding.mark is not None and finding.is_truth:
        # Told at every start until a person decides; a file that came back is set aside too.
        if verdict.cause == "damaged":
            _set_aside(finding, shelf, at_ms)
        return finding.mark
    message = f"{finding.file}: {verdict.reason}"
    if finding.is_blocking and finding.key is not None:
        message += f"; {finding.key} takes no entries until: tickd state repair"
    fault = StateFault(
        kind=finding.kind,
        file=finding.file,
        key=finding.key,
        message=message,
        moved_to="",
        is_blocking=finding.is_blocking,
    )
    if verdict.cause == "newer":
        # The mark would outlive the newer program that is the remedy.
        return fault
    # If the disk refuses, the file is as damaged at the next start, and blocks in memory till then.
    with suppress(OSError, TransientError):
        return _mark_and_move(fault, verdict, shelf, at_ms)
    return fault


def _mark_and_move(fault: StateFault, verdict: Refused, shelf: Shelf, at_ms: int) -> StateFault:
    if verdict.cause == "damaged":
        fault = replace(fault, moved_to=free_name(shelf.folder, fault.file, "corrupt", at_ms))
    if fault.is_blocking:
        write_mark(shelf.folder, fault)
    if verdict.cause == "damaged":
        shelf.set_aside(fault.file, fault.moved_to)
    return fault


def _fall_back(finding: Finding, verdict: Replaced, shelf: Shelf, at_ms: int) -> StateFault:
    """Put the version before in the place of one that was never announced."""
    target = _set_aside(finding, shelf, at_ms)
    if finding.place is not None:
        # If the disk refuses, the next start finds the file missing and judges the same.
        with suppress(TransientError):
            shelf.write(finding.place, verdict.version.record, verdict.version.seq)
    return StateFault(
        kind=finding.kind,
        file=finding.file,
        key=finding.key,
        message=(
            f"{finding.file}: {verdict.reason}; nobody was told of it, "
            f"so the version before (number {verdict.version.seq}) is used"
        ),
        moved_to=target,
        is_blocking=False,
    )


def _set_aside(finding: Finding, shelf: Shelf, at_ms: int) -> str:
    with suppress(OSError, TransientError):
        target = free_name(shelf.folder, finding.file, "corrupt", at_ms)
        shelf.set_aside(finding.file, target)
        return target if shelf.folder.exists(target) else ""
    return ""
