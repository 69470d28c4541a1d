"""Saves, loads and damages state folders, for the tests of the store."""

import os
import shutil
from hashlib import sha256
from pathlib import Path

from daemon.core.records import StoredState
from tests.adapters.storage.samples import (
    a_storage,
    a_write,
    an_active,
    an_idle,
)

SIGNAL = "signal_BTC%2FUSDT_breakout.json"
SCHEDULE = "schedule_BTC%2FUSDT_breakout.json"


async def saved(path: Path, *, journaled: int = 0) -> None:
    """Save an active, then an idle signal (numbers 1 and 2); journal the first `journaled`."""
    async with a_storage(path) as storage:
        await storage.state.load()
        for number, record in ((1, an_active()), (2, an_idle())):
            assert await storage.state.save(record) == number
        await storage.journal.append([a_write(seq) for seq in range(1, journaled + 1)])


async def loaded(path: Path) -> StoredState:
    async with a_storage(path) as storage:
        return await storage.state.load()


def aside(path: Path, name: str = SIGNAL, why: str = "corrupt") -> list[bytes]:
    return [file.read_bytes() for file in path.glob(f"{name}.{why}-*")]


def the_only(path: Path, pattern: str) -> Path:
    (found,) = path.glob(pattern)
    return found


def an_empty(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def plant_what_is_no_file(path: Path) -> None:
    an_empty(path / "signal_A_b.json")
    os.mkfifo(path / "signal_C_d.json")
    (path / "signal_E_f.json").symlink_to("/dev/zero")
    with (path / "signal_G_h.json").open("wb") as huge:
        huge.truncate(1 << 30)


def a_copy(path: Path, copy: Path) -> None:
    skip = shutil.ignore_patterns(".tmp-*")
    shutil.copytree(path, copy, copy_function=shutil.copy, ignore=skip)
    for folder in (copy, copy / "journal"):
        folder.chmod(0o700)


def a_newer_file(data: bytes) -> bytes:
    """Return the same file as a later program would write it."""
    head, _, body = data.split(b"\n", 2)
    body = body.replace(b'"schema": 1', b'"schema": 2').replace(b'"record"', b'"matter"')
    digest = sha256(body).hexdigest().encode()
    return b"\n".join([head, b'  "checksum": "sha256:' + digest + b'",', body])
