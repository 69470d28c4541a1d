"""The page for people: what is wired to it, and what it knows of the time before this start."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

from daemon.adapters.http.page import Recent, Site
from daemon.adapters.http.page.site import plotly_script
from daemon.adapters.storage.journal_tools import read_closes, read_events
from daemon.adapters.storage.opening import JOURNAL_FOLDER
from daemon.core.events import SignalClosed
from daemon.core.records import Journaled
from daemon.core.redaction import Redactor
from daemon.ports import Status

ENTRIES_MAX = 10_000
"""Half a second of reading, beside the start: twelve hours of a dozen markets."""


async def open_site(status: Status, recent: Recent, redactor: Redactor) -> Site:
    """Return the page, ready to answer."""
    site = Site(status, recent, redactor, _plotly())
    await asyncio.to_thread(site.load)
    return site


async def remember_recent(recent: Recent, folder: Path, until: int) -> None:
    """Put what the journal in `folder` holds up to the number `until` before what comes now.

    Raises FatalError where it cannot be read.
    """
    closes, entries = await asyncio.to_thread(_read, folder, until)
    recent.remember(closes, entries)


def _read(folder: Path, until: int) -> tuple[list[SignalClosed], list[Journaled]]:
    if not (folder / JOURNAL_FOLDER).exists():
        return [], []
    closes = list(read_closes(folder, until=until))
    newest = read_events(folder, max(0, until - ENTRIES_MAX))
    return closes, [journaled for journaled in newest if journaled.number <= until]


def _plotly() -> Path | None:
    """Return plotly's own script where that extra is installed, without importing it."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        return None
    return plotly_script(Path(found.origin).parent)
