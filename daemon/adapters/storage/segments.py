"""The files of a journal, and what can be read from them by anybody.

A segment is called by the first number it may hold. Where two claim a number the later one is
right: a segment whose sync failed is left as it is, and what it holds beyond the first number of
the next segment never counted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from daemon.adapters.storage.folder import Folder
from daemon.adapters.storage.lines import (
    Numbered,
    note_payload,
    read_index,
    read_lines,
    read_numbered,
)
from daemon.core.journal_index import JournalIndex

_NAME = re.compile(r"journal-(\d{12})-(\d{2,6})\.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Segment:
    """One file. `generation` parts those that begin at the same number; the later one counts."""

    first: int
    generation: int

    @property
    def name(self) -> str:
        return f"journal-{self.first:012d}-{self.generation:02d}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """What the journal comes to, and where the last believable line of the newest segment ends.

    `size` is the length of that file: what lies between is torn.
    """

    index: JournalIndex
    end: int
    size: int


def list_segments(folder: Folder) -> list[Segment]:
    """Return the segments, oldest first. Raises OSError."""
    found = (_NAME.fullmatch(name) for name in folder.names())
    return sorted(
        Segment(first=int(match[1]), generation=int(match[2])) for match in found if match
    )


def numbers_end(segments: Sequence[Segment], segment: Segment) -> int | None:
    """Return the first number that no longer counts in `segment`, None in the newest one."""
    for one, following in pairwise(segments):
        if one == segment:
            return following.first
    return None


def read_tail(folder: Folder, segments: Sequence[Segment]) -> Tail:
    """Read the newest of `segments` (at least one). Raises OSError, FatalError."""
    newest = segments[-1]
    index: JournalIndex | None = None
    end = size = 0
    for line in read_lines(folder, newest.name):
        size = line.end
        if line.body is None:
            continue
        end = line.end
        if line.start == 0 and (told := read_index(line.body)) is not None:
            index = told
        elif (numbered := read_numbered(line.body)) is not None:
            if index is None:
                index = rebuild_index(folder, segments[:-1], newest.first)
            note_payload(index, numbered)
    if index is None:
        index = rebuild_index(folder, segments[:-1], newest.first)
    return Tail(index=index, end=end, size=size)


def peek_index(folder: Folder) -> JournalIndex:
    """Return what the journal comes to, without mending anything. Raises OSError, FatalError."""
    segments = list_segments(folder)
    while segments:
        tail = read_tail(folder, segments)
        if tail.end > 0:
            return tail.index
        segments.pop()
    return JournalIndex()


def rebuild_index(folder: Folder, segments: Sequence[Segment], stop: int) -> JournalIndex:
    """Return what `segments` come to, of which the numbers below `stop` count.

    Only needed where the newest segment has lost its own index. Raises OSError, FatalError.
    """
    index = JournalIndex()
    start = 0
    for position in reversed(range(len(segments))):
        head = next(read_lines(folder, segments[position].name), None)
        told = None if head is None or head.body is None else read_index(head.body)
        if told is not None:
            index, start = told, position
            break
    for segment in segments[start:]:
        for numbered, _ in read_entries(folder, segments, segment, 0):
            if numbered.number < stop:
                note_payload(index, numbered)
    return index


def read_entries(
    folder: Folder, segments: Sequence[Segment], segment: Segment, start: int
) -> Iterator[tuple[Numbered, int]]:
    """Yield the entries of `segment` that count, each with the offset where it ends.

    Reading begins at the offset `start`. Raises OSError.
    """
    numbers = numbers_end(segments, segment)
    for line in read_lines(folder, segment.name, start):
        numbered = None if line.body is None else read_numbered(line.body)
        if numbered is not None and (numbers is None or numbered.number < numbers):
            yield numbered, line.end
