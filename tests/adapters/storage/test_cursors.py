"""Cursors: an alert may come twice after damage, never not at all."""

from pathlib import Path

import pytest

from daemon.adapters.storage.codec import encode
from daemon.adapters.storage.schema import CursorRecord
from daemon.core.errors import TransientError
from tests.adapters.storage.samples import SANDBOX, a_storage

FILE = "cursor_telegram.json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox-signal"


async def with_cursors(path: Path, *numbers: int) -> None:
    async with a_storage(path) as storage:
        for number in numbers:
            await storage.cursors.save_cursor("telegram", number)


async def cursor_after_restart(path: Path) -> int | None:
    async with a_storage(path) as storage:
        return await storage.cursors.load_cursor("telegram")


async def test_a_cursor_is_none_until_saved_and_survives(path: Path) -> None:
    before = await cursor_after_restart(path)
    await with_cursors(path, 3, 8)

    assert before is None
    assert await cursor_after_restart(path) == 8


async def test_d7_a_damaged_cursor_gives_way_to_the_one_before(path: Path) -> None:
    await with_cursors(path, 3, 8)
    (path / FILE).write_bytes(b"{}")

    async with a_storage(path) as storage:
        number = await storage.cursors.load_cursor("telegram")
        (note,) = storage.notes
        await storage.cursors.save_cursor("telegram", 9)

    assert number == 3
    assert f"kept as {FILE}.corrupt-" in note
    assert await cursor_after_restart(path) == 9


async def test_d7_with_both_damaged_all_is_delivered_again(path: Path) -> None:
    await with_cursors(path, 3, 8)
    for name in (FILE, f"{FILE}.prev"):
        (path / name).write_bytes(b"")

    assert await cursor_after_restart(path) == 0


async def test_d8_a_cursor_of_another_sink_is_not_believed(path: Path) -> None:
    await with_cursors(path, 3)
    (path / FILE).write_bytes(encode(CursorRecord(sink="webhook", number=99), 9, SANDBOX))

    assert await cursor_after_restart(path) == 0


async def test_d17_a_cursor_in_a_deleted_folder_can_be_tried_again(path: Path) -> None:
    async with a_storage(path) as storage:
        path.rename(path.with_name("gone"))  # noqa: ASYNC240 (the test is the one that blocks)
        with pytest.raises(TransientError, match="deleted, moved"):
            await storage.cursors.save_cursor("telegram", 1)


async def test_sinks_have_cursors_of_their_own(path: Path) -> None:
    async with a_storage(path) as storage:
        await storage.cursors.save_cursor("a/b", 1)
        await storage.cursors.save_cursor("A/B", 2)

    async with a_storage(path) as storage:
        assert await storage.cursors.load_cursor("a/b") == 1
        assert await storage.cursors.load_cursor("A/B") == 2
