"""Opens journals, fills them and reads them back, for the tests of the journal."""

import asyncio
import threading
from pathlib import Path

from daemon.adapters.storage.journal import FileJournal
from daemon.adapters.storage.journal_log import JournalLog
from daemon.adapters.storage.journal_tools import JournalCheck, verify_journal
from daemon.adapters.storage.lines import encode_entry
from daemon.core.records import CommandEntry, Journaled, JournalEntry, RunEntry
from tests.adapters.storage.faulty_folder import Before, FaultyFolder
from tests.adapters.storage.samples import (
    NOW_MS,
)

RUN = RunEntry(version="0.1.0", config_hash="abc", at_ms=1)
COMMAND = CommandEntry(command="stop", target="BTC/USDT", origin="cli", at_ms=2)


class Opened:
    """A journal on a folder whose calls can be made to fail."""

    def __init__(self, path: Path, segment_bytes_max: int = 1 << 24, floor: int = 0) -> None:
        self.folder = FaultyFolder(path)
        self.log = JournalLog(self.folder, segment_bytes_max)
        self.log.open(floor, NOW_MS)
        self.journal = FileJournal(self.log)

    async def numbers(self) -> list[int]:
        return [item.number for item in await self.journal.read(0, 10_000)]

    async def close(self) -> None:
        await asyncio.to_thread(self.journal.close)


async def opened(path: Path, segment_bytes_max: int = 1 << 24, floor: int = 0) -> Opened:
    return await asyncio.to_thread(Opened, path, segment_bytes_max, floor)


async def appended(path: Path, *entries: JournalEntry, segment_bytes_max: int = 1 << 24) -> None:
    one = await opened(path, segment_bytes_max)
    for entry in entries:
        await one.journal.append([entry])
    await one.close()


async def read_back(path: Path) -> list[Journaled]:
    one = await opened(path)
    found = list(await one.journal.read(0, 10_000))
    await one.close()
    return found


async def checked(folder: Path) -> JournalCheck:
    return await asyncio.to_thread(verify_journal, folder.parent)


def append_plainly(path: Path, *entries: JournalEntry) -> Path:
    """Append without an event loop; return the segment."""
    log = JournalLog(FaultyFolder(path))
    log.open(0, NOW_MS)
    log.append([(entry, encode_entry(entry)) for entry in entries])
    log.close()
    return segments(path)[0]


def waiting_for(event: threading.Event) -> Before:
    def before(call: str) -> None:
        event.wait()

    return before


def segments(path: Path) -> list[Path]:
    return sorted(path.glob("journal-*.jsonl"))


async def a_folder(path: Path) -> Path:
    await asyncio.to_thread(path.mkdir, 0o700)
    return path
