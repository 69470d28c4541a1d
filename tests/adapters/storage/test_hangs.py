"""Whose code had the process when it ended, found by the next start."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.adapters.storage.folder import open_folder
from daemon.adapters.storage.hangs import CALLS, COUNTS, SILENCE_MS, FileHangMemory
from tests.adapters.storage.samples import a_key

NOW_MS = 1_795_000_000_000
ONE, OTHER = a_key(), a_key("ETH/USDT")


def a_memory(path: Path, now_ms: Callable[[], int] = lambda: NOW_MS) -> FileHangMemory:
    return FileHangMemory(open_folder(path / "state"), [ONE, OTHER], now_ms)


def test_p11_the_next_start_knows_whose_code_had_the_loop(tmp_path: Path) -> None:
    """A process that is killed closes nothing."""
    killed = a_memory(tmp_path)
    killed.think(str(OTHER))
    killed.enter(str(ONE))

    found = a_memory(tmp_path)
    again = a_memory(tmp_path)

    assert found.counts == {("BTC/USDT", "breakout"): 1, ("", "breakout"): 1}
    assert again.counts == found.counts, "counted once"
    assert found.notes == ("the daemon hung or ended in the code of BTC/USDT/breakout",)
    assert stat.S_IMODE((tmp_path / "state" / CALLS).stat().st_mode) == 0o600


@pytest.mark.parametrize(("silent_ms", "count"), [(SILENCE_MS - 1, 0), (SILENCE_MS, 2)])
def test_p11_a_thread_is_to_blame_only_where_the_loop_stood_still(
    tmp_path: Path, silent_ms: int, count: int
) -> None:
    """Code in C that never lets go stops the loop; one that thinks does not."""
    killed = a_memory(tmp_path)
    killed.think(str(ONE))
    killed.beat()

    found = a_memory(tmp_path, lambda: NOW_MS + silent_ms)

    assert len(found.counts) == count


def test_nobody_is_to_blame_for_an_end_in_order_or_between_two_calls(tmp_path: Path) -> None:
    ended = a_memory(tmp_path)
    ended.think(str(ONE))
    ended.close()
    killed = a_memory(tmp_path)
    mark = killed.think(str(ONE))
    killed.enter(str(OTHER))
    killed.leave()
    killed.thought(mark)

    assert a_memory(tmp_path, lambda: NOW_MS + SILENCE_MS).counts == {}


async def test_what_is_saved_is_there_at_the_next_start(tmp_path: Path) -> None:
    memory = await asyncio.to_thread(a_memory, tmp_path)
    await memory.save({("BTC/USDT", "a"): 2})
    await asyncio.to_thread(memory.close)

    found = await asyncio.to_thread(a_memory, tmp_path)
    assert found.counts == {("BTC/USDT", "a"): 2}


@pytest.mark.parametrize("held", [b"", b"{", b"\xff\xfe", b'[{"count": "many"}]'])
def test_d7_a_damaged_count_is_moved_aside(tmp_path: Path, held: bytes) -> None:
    folder = open_folder(tmp_path / "state").path
    (folder / COUNTS).write_bytes(held)

    memory = a_memory(tmp_path)

    assert memory.counts == {}
    assert [file.read_bytes() for file in folder.glob(f"{COUNTS}.corrupt-*")] == [held]


@pytest.mark.parametrize("name", [CALLS, COUNTS])
def test_d16_what_is_no_file_keeps_nobody_from_starting(tmp_path: Path, name: str) -> None:
    (open_folder(tmp_path / "state").path / name).mkdir()

    memory = a_memory(tmp_path)
    memory.enter(str(ONE))
    memory.beat()
    memory.close()

    assert memory.counts == {}
    assert len(memory.notes) == 1
