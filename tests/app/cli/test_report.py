"""`tickd report`: live statistics from the journal of a state folder."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.adapters.storage.samples import KEY, a_candle, a_closed, a_storage, a_write, an_opened
from tests.app.cli.tickd import Ended, Shell


@pytest.fixture
def traded(shell: Shell) -> Path:
    """Give a state folder whose journal tells of one signal that opened and closed."""
    path = shell.folder / "elsewhere"

    async def fill() -> None:
        async with a_storage(path) as storage:
            await storage.state.load()
            await storage.journal.append([a_write(1, an_opened(KEY)), a_candle(1)])
            await storage.journal.append([a_write(2, a_closed(KEY))])

    asyncio.run(fill())
    return path


def told_by(shell: Shell, traded: Path, *arguments: str) -> Ended:
    return shell("report", "--folder", str(traded), *arguments)


def test_what_strategies_came_to_is_a_table(shell: Shell, traded: Path) -> None:
    ended = told_by(shell, traded)

    assert ended.code == 0, ended.err
    assert "total PNL" in ended.out
    assert "BTC/USDT" in ended.out
    assert not (shell.folder / "dump").exists()


def test_json_has_every_statistic(shell: Shell, traded: Path) -> None:
    record = json.loads(told_by(shell, traded, "--json").out)

    assert list(record) == ["live", "schedule", "heatmap", "partial", "risk", "errors"]
    assert set(record["live"]) <= {"breakout", "pullback"}


def test_reports_and_a_page_are_written(shell: Shell, traded: Path) -> None:
    ended = told_by(shell, traded, "--html", "--report-dir", "out", "--symbol", "BTC/USDT")

    assert ended.code == 0, ended.err
    written = [path for path in (shell.folder / "out").rglob("*") if path.is_file()]
    assert {path.parent.name for path in written} == {
        "heatmap", "live", "partial", "risk", "schedule",
    }  # fmt: skip
    assert len([path for path in written if path.suffix == ".html"]) == 1
    assert ended.err.count("wrote ") == len(written)


def test_nothing_to_tell_is_an_answer(shell: Shell, traded: Path) -> None:
    ended = told_by(shell, traded, "nobody", "--html")

    assert ended.code == 1
    assert "tells of nothing that was asked for" in ended.out
    assert not (shell.folder / "dump").exists()


def test_a_folder_that_is_not_there_is_told(shell: Shell) -> None:
    ended = shell("report")

    assert ended.code == 78
    assert "no daemon has kept state in it yet" in ended.err
