"""What a person is shown of a state folder, and that looking changes nothing."""

import asyncio
from pathlib import Path

import pytest

from daemon.adapters.storage.schema import Identity
from daemon.adapters.storage.tools import kept_aside, other_folders, show, verify
from daemon.core.errors import FatalError
from daemon.core.records import ScheduleRecord, SignalRecord
from tests.adapters.storage.samples import (
    SANDBOX,
    a_key,
    a_risk,
    a_row,
    a_storage,
    a_waiting,
    a_write,
    an_active,
    an_idle,
)

ACTIVE, WAITING, STALE, IDLE, LOST = (a_key(strategy_name=name) for name in "abcde")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dump" / "sandbox-signal"


async def filled(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_active(ACTIVE))
        await storage.state.save(a_waiting(WAITING, 2))
        await storage.state.save(an_idle(STALE))
        await storage.state.save(a_waiting(STALE))  # its signal has opened and closed since
        await storage.state.save(SignalRecord(key=IDLE, is_stopped=True))
        await storage.state.save(an_active(LOST))
        await storage.journal.append([a_write(1, key=LOST)])
        await storage.state.follow(a_risk())


def contents(path: Path) -> dict[str, bytes]:
    return {str(f): f.read_bytes() for f in sorted(path.rglob("*")) if f.is_file()}


def test_every_key_is_shown_as_it_stands_and_nothing_is_changed(path: Path) -> None:
    asyncio.run(filled(path))
    (path / "signal_BTC%2FUSDT_e.json").write_bytes(b"rubbish")
    before = contents(path)

    found = {state.key: state for state in show(path)}

    assert {key.strategy_name: state.condition for key, state in found.items()} == {
        "a": "active", "b": "scheduled", "c": "idle", "d": "idle", "e": "blocked",
    }  # fmt: skip
    assert found[WAITING].signal == a_row(WAITING, 2)
    assert found[ACTIVE].seq == 1
    assert found[IDLE].is_stopped
    assert "checksum" in found[LOST].problem
    assert contents(path) == before


def test_verify_names_every_file_and_what_is_wrong_with_it(path: Path) -> None:
    asyncio.run(filled(path))
    (path / "signal_BTC%2FUSDT_e.json").write_bytes(b"rubbish")
    (path / "risk_BTC%2FUSDT_main.json").write_bytes(b"rubbish")
    (path / "signal_copy.json").write_bytes(b"rubbish")

    wrong = {check.file: check for check in verify(path, SANDBOX) if not check.is_sound}

    assert {name: check.is_blocking for name, check in wrong.items()} == {
        "risk_BTC%2FUSDT_main.json": False,
        "signal_BTC%2FUSDT_e.json": True,
        "signal_copy.json": False,
    }
    assert len(verify(path, SANDBOX)) == 8


def test_verify_with_a_configuration_finds_a_foreign_folder(path: Path) -> None:
    asyncio.run(filled(path))

    checks = verify(path, Identity(exchange="sandbox", mode="signal", account="mine"))

    assert not any(check.is_sound for check in checks)
    assert all("it belongs to" in check.message for check in checks)


def test_a_folder_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(FatalError, match=str(path)):
        show(path)


def test_open_signals_in_other_folders_are_found(path: Path) -> None:
    asyncio.run(filled(path))
    other, empty = path.with_name("binance-signal"), path.with_name("kraken-signal")
    (path.parent / "notes.txt").write_text("")
    asyncio.run(only_closed(empty))

    found = other_folders(other)

    assert [folder.path for folder in found] == [path]
    assert {state.key.strategy_name for state in found[0].keys} == {"a", "b", "e"}
    assert other_folders(path) == ()


async def only_closed(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.state.load()
        await storage.state.save(an_idle())
        await storage.state.save(ScheduleRecord(key=an_idle().key))


def test_another_folder_that_cannot_be_read_is_reported(path: Path) -> None:
    asyncio.run(filled(path))
    path.chmod(0o777)

    (found,) = other_folders(path.with_name("binance-signal"))

    assert "chmod 700" in found.problem


def test_what_was_kept_aside_is_listed(path: Path) -> None:
    asyncio.run(filled(path))
    (path / "signal_BTC%2FUSDT_e.json").write_bytes(b"rubbish")

    async def start() -> None:
        async with a_storage(path) as storage:
            await storage.state.load()

    asyncio.run(start())

    assert [name.partition("-")[0] for name in kept_aside(path)] == [
        "signal_BTC%2FUSDT_e.json.corrupt"
    ]
