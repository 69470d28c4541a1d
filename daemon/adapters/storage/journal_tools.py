"""What a person may ask of the journal, also while a daemon writes to it: nothing is changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from daemon.adapters.storage.folder import PosixFolder, open_folder
from daemon.adapters.storage.lines import decode_entry, read_lines, read_numbered
from daemon.adapters.storage.opening import JOURNAL_FOLDER
from daemon.adapters.storage.segments import (
    Segment,
    list_segments,
    numbers_end,
    peek_index,
    read_entries,
)
from daemon.adapters.storage.survey import Announced
from daemon.core.errors import FatalError, TransientError
from daemon.core.events import SignalClosed
from daemon.core.records import Journaled, TransitionEntry

_CLOSED = b'"action":"closed"'
"""What stands in the line of an entry that may hold a closed position."""

SEGMENTS_MAX = 16
"""64 MiB of journal: months of it, read in about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A journal line that cannot be believed: `start` and `length` in bytes."""

    segment: str
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCheck:
    """What the journal came to.

    `gaps` are pairs of numbers between which entries are missing. `torn_bytes` stand at the very
    end: of a write that is under way, or that a crash has cut. `void_count` entries were written
    in vain, by appends that had failed.
    """

    segments: tuple[str, ...]
    entry_count: int
    first_number: int
    last_number: int
    gaps: tuple[tuple[int, int], ...]
    bad_lines: tuple[BadLine, ...]
    torn_bytes: int
    void_count: int
    kept_aside: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Say whether every entry that was ever acknowledged can still be read."""
        return not (self.gaps or self.bad_lines)


Gap = Callable[[int, int], None]
"""Is told the first and the last number of entries that are missing."""


def _pass_over(first: int, last: int) -> None:
    del first, last


def read_events(path: Path, after: int = 0, on_gap: Gap = _pass_over) -> Iterator[Journaled]:
    """Yield the journal's entries with numbers above `after`. Raises FatalError."""
    newest = 0
    with opened_to_read(path / JOURNAL_FOLDER) as folder:
        segments = list_segments(folder)
        begun = [segment for segment in segments if segment.first <= after + 1]
        for segment in segments[max(0, len(begun) - 1) :]:
            for numbered, _ in read_entries(folder, segments, segment, 0):
                if 0 < newest < numbered.number - 1:
                    on_gap(newest + 1, numbered.number - 1)
                newest = numbered.number
                entry = decode_entry(numbered.payload) if numbered.number > after else None
                if entry is not None:
                    yield Journaled(number=numbered.number, entry=entry)


def read_closes(path: Path, *, until: int) -> Iterator[SignalClosed]:
    """Yield the positions that the newest segments saw closed, up to the number `until`.

    Entries of other kinds are not made: a month of candles is passed over in a second. Where there
    is no journal, there are none. Raises FatalError.
    """
    if not (path / JOURNAL_FOLDER).exists():
        return
    with opened_to_read(path / JOURNAL_FOLDER) as folder:
        segments = list_segments(folder)
        for segment in segments[-SEGMENTS_MAX:]:
            for numbered, _ in read_entries(folder, segments, segment, 0):
                if numbered.number > until or _CLOSED not in numbered.payload:
                    continue
                entry = decode_entry(numbered.payload)
                if isinstance(entry, TransitionEntry):
                    yield from (one for one in entry.events if isinstance(one, SignalClosed))


def verify_journal(path: Path) -> JournalCheck:
    """Read the whole journal of the state folder `path`. Raises FatalError."""
    tally = _Tally()
    with opened_to_read(path / JOURNAL_FOLDER) as folder:
        segments = list_segments(folder)
        for segment in segments:
            _read_segment(folder, segment, numbers_end(segments, segment), tally)
        aside = tuple(sorted(name for name in folder.names() if ".torn-" in name))
    numbers = tally.numbers
    return JournalCheck(
        segments=tuple(segment.name for segment in segments),
        entry_count=len(numbers),
        first_number=numbers[0] if numbers else 0,
        last_number=numbers[-1] if numbers else 0,
        gaps=tuple((a, b) for a, b in pairwise(numbers) if b != a + 1),
        bad_lines=tuple(tally.bad_lines),
        torn_bytes=tally.torn_bytes,
        void_count=tally.void_count,
        kept_aside=aside,
    )


def announced_in(path: Path) -> Announced:
    """Return what the journal of the state folder `path` knows. Raises FatalError."""
    if not (path / JOURNAL_FOLDER).exists():
        return {}
    with opened_to_read(path / JOURNAL_FOLDER) as folder:
        return peek_index(folder).sequences


@contextmanager
def opened_to_read(path: Path) -> Iterator[PosixFolder]:
    """Open a folder that must exist; what it cannot give is fatal to the question."""
    folder = open_folder(path, create=False)
    try:
        yield folder
    except (OSError, TransientError) as error:
        raise FatalError(f"{path} cannot be read: {error}") from error
    finally:
        folder.release()


@dataclass(slots=True)
class _Tally:
    numbers: list[int] = field(default_factory=list)
    bad_lines: list[BadLine] = field(default_factory=list)
    torn_bytes: int = 0
    void_count: int = 0


def _read_segment(folder: PosixFolder, segment: Segment, stop: int | None, tally: _Tally) -> None:
    # What is bad at the very end was torn, or given up; if it ever counted there is a gap.
    suspects: list[BadLine] = []
    for line in read_lines(folder, segment.name):
        if line.body is None:
            length = line.end - line.start
            suspects.append(BadLine(segment=segment.name, start=line.start, length=length))
            continue
        tally.bad_lines += suspects
        suspects.clear()
        numbered = read_numbered(line.body)
        if numbered is None:
            continue
        if stop is not None and numbered.number >= stop:
            tally.void_count += 1
        else:
            tally.numbers.append(numbered.number)
    tally.torn_bytes += sum(suspect.length for suspect in suspects)
