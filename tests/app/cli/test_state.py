"""The state folder and the journal as commands show, check and repair them."""

import asyncio
import json
from pathlib import Path

import pytest

from daemon.adapters.storage.journal_tools import read_events
from daemon.app.cli.journal import entry_text, time_of
from daemon.core.records import CommandEntry, RunEntry
from tests.adapters.storage.samples import (
    KEY,
    a_candle,
    a_closed,
    a_key,
    a_storage,
    a_waiting,
    a_write,
    an_active,
    an_opened,
)
from tests.app.cli.tickd import Shell
from tests.app.samples import STRATEGY, write

OTHER = a_key("ETH/USDT", "pull\x1b[31mback")


@pytest.fixture
def folder(shell: Shell) -> Path:
    """Return the state folder of the configuration, with an open and a waiting signal."""
    write(shell.folder, STRATEGY)
    path = shell.folder / "dump" / "sandbox-signal"

    async def fill() -> None:
        async with a_storage(path) as storage:
            await storage.state.load()
            seq = await storage.state.save(an_active())
            await storage.journal.append([a_write(seq), a_candle(1)])
            seq = await storage.state.save(a_waiting(OTHER))
            await storage.journal.append([a_write(seq, key=OTHER, file="schedule")])

    asyncio.run(fill())
    return path


def damage(folder: Path) -> None:
    """Break the signal file of KEY as a bad disk would, the version before with it."""
    for file in folder.glob("signal_*BTC*.json*"):
        file.write_bytes(file.read_bytes()[:-9])


def load(folder: Path) -> None:
    """Let the daemon's start find what is wrong."""

    async def start() -> None:
        async with a_storage(folder) as storage:
            await storage.state.load()

    asyncio.run(start())


def test_every_key_is_shown_with_its_signal(shell: Shell, folder: Path) -> None:
    ended = shell("state", "show")

    assert ended.code == 0
    rows = {line.split()[0]: line.split() for line in ended.out.splitlines()}
    assert rows["BTC/USDT"][1:7] == ["breakout", "active", "long", "101", "111.5", "96.25"]
    assert rows["ETH/USDT"][2:4] == ["scheduled", "long"]
    assert "\x1b" not in ended.out


def test_the_state_is_shown_as_json_from_any_folder(shell: Shell, folder: Path) -> None:
    moved = shell.folder / "elsewhere"
    folder.rename(moved)

    told = json.loads(shell("state", "show", "--folder", str(moved), "--json").out)

    assert [key["condition"] for key in told["keys"]] == ["active", "scheduled"]


def test_a_folder_that_is_not_there_is_told(shell: Shell) -> None:
    write(shell.folder, STRATEGY)

    for command in ("state show", "state verify", "state repair", "journal tail", "journal verify"):
        for place in ([], ["--folder", str(shell.folder / "dump" / "sandbox-signal")]):
            ended = shell(*command.split(), *place)
            assert ended.code == 78
            assert len(ended.err.splitlines()) == 1
            assert "dump/sandbox-signal is not there: no daemon has kept state in it" in ended.err


def test_sound_files_are_counted(shell: Shell, folder: Path) -> None:
    ended = shell("state", "verify")

    assert ended.code == 0
    assert "files in dump/sandbox-signal can be trusted" in ended.out


def test_a_damaged_file_is_told_and_ends_with_1(shell: Shell, folder: Path) -> None:
    damage(folder)

    ended = shell("state", "verify")
    told = shell("state", "verify", "--json")

    assert ended.code == told.code == 1
    assert "signal_" in ended.out
    assert any(not file["is_sound"] for file in json.loads(told.out)["files"])


def test_a_person_decides_about_what_blocks(shell: Shell, folder: Path) -> None:
    damage(folder)
    load(folder)
    listed = shell("state", "repair")
    shown = shell("state", "show")
    verified = shell("state", "verify")

    done = shell("state", "repair", "BTC/USDT", "breakout", "--use", "flat", "--yes")

    assert listed.code == 1
    assert "BTC/USDT breakout" in listed.out
    assert "blocked" in shown.out
    (line,) = [line for line in verified.out.splitlines() if line.startswith("fail")]
    assert line.count(line.split()[1]) == 1, "a file is named once"
    assert done.code == 0
    assert "stands at number" in done.out
    again = shell("state", "repair")
    assert again.code == 0
    assert again.out == "nothing in dump/sandbox-signal waits for a decision\n"


def test_a_repair_is_journaled_at_the_sandbox_s_own_time(shell: Shell, folder: Path) -> None:
    """A wall-clock time in the journal would carry the market years ahead at the next start."""
    damage(folder)
    load(folder)

    shell("state", "repair", "BTC/USDT", "breakout", "--use", "flat", "--yes")

    entries = [item.entry for item in read_events(folder)]
    commands = [entry for entry in entries if isinstance(entry, CommandEntry)]
    assert [entry.command for entry in commands] == ["repair flat"]
    assert commands[0].at_ms == max(map(time_of, entries[:3]))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["BTC/USDT"], 2, "write SYMBOL STRATEGY --use previous, or --use flat"),
        (["BTC/USDT", "breakout"], 2, "write SYMBOL STRATEGY --use previous, or --use flat"),
        (["BTC/USDT", "breakout", "--use", "hope"], 2, "'hope' is not one of"),
        (
            ["BTC/USDT", "breakout", "--use", "flat", "--yes"],
            69,
            "BTC/USDT/breakout waits for no decision: there is nothing to repair",
        ),
    ],
)
def test_a_repair_that_makes_no_sense_is_refused(
    shell: Shell, folder: Path, arguments: list[str], code: int, told: str
) -> None:
    ended = shell("state", "repair", *arguments)

    assert ended.code == code
    assert told in ended.err


def test_a_repair_waits_for_the_daemon_to_stop(shell: Shell, folder: Path) -> None:
    async def meanwhile() -> tuple[int, str]:
        async with a_storage(folder):
            arguments = ("state", "repair", "BTC/USDT", "breakout", "--use", "flat", "-y")
            ended = await asyncio.to_thread(shell, *arguments)
            return ended.code, ended.err

    code, told = asyncio.run(meanwhile())

    assert code == 75
    assert "is in use by the tickd with pid" in told


def test_the_newest_entries_are_shown_without_candles(shell: Shell, folder: Path) -> None:
    ended = shell("journal", "tail")

    assert ended.code == 0
    lines = ended.out.splitlines()
    assert len(lines) == 2
    assert "BTC/USDT/breakout  opened long 101 (target 111.5, stop 96.25) at 101" in lines[0]
    assert "\x1b" not in ended.out
    assert len(shell("journal", "tail", "--candles").out.splitlines()) == 3
    assert len(shell("journal", "tail", "--candles", "-n", "1").out.splitlines()) == 1


def test_the_entries_are_shown_as_json(shell: Shell, folder: Path) -> None:
    entries = [json.loads(line) for line in shell("journal", "tail", "--json").out.splitlines()]

    assert [entry["number"] for entry in entries] == [1, 3]
    assert entries[0]["events"][0]["action"] == "opened"


def test_a_whole_journal_and_a_damaged_one_are_told_apart(shell: Shell, folder: Path) -> None:
    whole = shell("journal", "verify")
    segment = next(iter((folder / "journal").glob("*.jsonl")), None) or next(
        file for file in (folder / "journal").iterdir() if file.stat().st_size > 100
    )
    raw = bytearray(segment.read_bytes())
    raw[10] ^= 1
    segment.write_bytes(bytes(raw))

    broken = shell("journal", "verify")

    assert whole.code == 0
    assert "3 entries, numbers 1 to 3" in whole.out
    assert broken.code == 1
    assert "fail" in broken.out
    assert json.loads(shell("journal", "verify", "--json").out)["is_sound"] is False


def test_each_kind_of_entry_is_one_line() -> None:
    texts = [
        entry_text(a_write(1, an_opened(), a_closed())),
        entry_text(a_candle(1)),
        entry_text(RunEntry(version="1", config_hash="ab", at_ms=1)),
        entry_text(CommandEntry(command="stop", target=str(KEY), origin="a\nb", at_ms=1)),
    ]

    assert texts[0].endswith("; closed by take_profit at 110.5, +1.50 %")
    assert texts[1] == "BTC/USDT  candle 1.5 2.5 0.5 1.25 volume 10"
    assert texts[2] == "run of tickd 1, configuration ab"
    assert texts[3] == "stop BTC/USDT/breakout by a\\nb"
