"""Which version of a state file is believed. Pure: readings in, a verdict out.

The journal knows the number under which each file was last announced. Nobody may be told less
than they were told before, so nothing older than that number is ever believed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

from daemon.adapters.storage.codec import SCHEMA, Damaged, Newer, Reading, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """There is no such record, and nobody was ever told of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Use this version."""

    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Move the file aside and use the version before: what came after was never announced."""

    version: Version
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Believe nothing and let a person decide. A newer file stays where it is."""

    reason: str
    cause: Literal["damaged", "missing", "newer"]


Verdict = Absent | Trusted | Replaced | Refused


def judge(
    current: Reading | None, read_previous: Callable[[], Reading | None], announced_seq: int
) -> Verdict:
    """Return what to believe of a signal or schedule file.

    `current` is None where the file is missing; `read_previous` is asked only if it matters;
    `announced_seq` is 0 where the journal never heard of the file.
    """
    match current:
        case Version() if current.seq >= announced_seq:
            return Trusted(version=current)
        case Version():
            reason = f"it has number {current.seq}, {announced_seq} was announced: an older copy"
        case Newer():
            return Refused(reason=_newer(current), cause="newer")
        case Damaged():
            reason = current.reason
        case None:
            reason = "it is missing"
        case _:
            assert_never(current)
    previous = read_previous()
    if current is None and previous is None and announced_seq == 0:
        return Absent()
    if isinstance(previous, Version) and previous.seq >= announced_seq:
        return Replaced(version=previous, reason=reason)
    return Refused(reason=reason, cause="missing" if current is None else "damaged")


def judge_follower(current: Reading | None) -> Verdict:
    """Return what to believe of a risk or partial file, which is rebuilt when it is not."""
    match current:
        case None:
            return Absent()
        case Version():
            return Trusted(version=current)
        case Damaged():
            return Refused(reason=current.reason, cause="damaged")
        case Newer():
            return Refused(reason=_newer(current), cause="newer")
        case _:
            assert_never(current)


def _newer(reading: Newer) -> str:
    return (
        f"it has schema {reading.schema}, this tickd reads up to {SCHEMA}: "
        f"install the tickd that wrote it, or a later one"
    )
