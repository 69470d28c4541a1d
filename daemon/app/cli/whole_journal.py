"""Reading the whole journal for a person, who is told where entries are missing."""

from collections.abc import Iterator
from pathlib import Path

from daemon.adapters.storage.journal_tools import read_events
from daemon.app.cli.terminal import Terminal
from daemon.core.records import Journaled


def read_whole(terminal: Terminal, folder: Path) -> Iterator[Journaled]:
    """Yield the entries of the journal in `folder`, then say how many are missing in between.

    Raises FatalError if there is no journal.
    """
    gaps: list[tuple[int, int]] = []
    yield from read_events(folder, on_gap=lambda first, last: gaps.append((first, last)))
    if gaps:
        count = sum(last - first + 1 for first, last in gaps)
        terminal.note(
            f"cannot read {count:,} of the journal's entries, the first is {gaps[0][0]:,}:"
            " what is told is told without them. `tickd journal verify` says where"
        )
