"""A command line loads the command that it names, and none of the others."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
import typer

from daemon.app.cli.commands import PLACES, Place, app_for

LOADED = """
import sys
{code}
print(*sorted(name for name in sys.modules if name.startswith({prefixes!r})))
"""


def loaded(code: str, *prefixes: str) -> list[str]:
    source = LOADED.format(code=code, prefixes=prefixes)
    command = [sys.executable, "-c", source]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def test_the_command_that_is_named_is_loaded_and_no_other_one() -> None:
    code = "from daemon.app.cli.commands import app_for\napp_for(['version', '--json'])"

    found = loaded(code, "daemon.app.cli.", "daemon.research", "numpy")

    assert [name for name in found if name.endswith("_commands")] == [
        "daemon.app.cli.daemon_commands"
    ]
    assert [name for name in found if not name.startswith("daemon.app.cli.")] == []


def test_a_backtest_loads_neither_tables_nor_pages_before_they_are_wanted() -> None:
    code = "import daemon.app.cli.backtest"

    assert loaded(code, "rich", "plotly", "daemon.reports.html", "daemon.core.equity") == []


RUN = """
from daemon.app.cli.top import run
strategy = "daemon.strategies.breakout:Breakout"
print(run(["backtest", strategy, "--symbol", "A/B", "--data", {file!r}]))
"""
OF_OTHERS = (
    "orjson",
    "pyarrow.csv",
    "pyarrow.feather",
    "rich._emoji_codes",
    "rich.progress",
    "rich.live",
    "daemon.live",
    "daemon.core.live_statistics",
    "daemon.core.research_events",
    "daemon.core.walker_statistics",
    "daemon.adapters.candles.store",
    "daemon.adapters.storage",
    "daemon.adapters.sinks",
    "daemon.app.cli.backtest_reports",
    "daemon.app.report_files",
    "daemon.reports.html",
    "daemon.simulation",
)
"""What no backtest of a Parquet file uses: other kinds of files, other commands, other outputs."""


def test_a_backtest_loads_nothing_of_other_commands_and_files(tmp_path: Path) -> None:
    """From its start to its end: what it does not load, nobody waits for."""
    file = tmp_path / "candles.parquet"
    times = [1_767_225_600_000 + minute * 60_000 for minute in range(600)]
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), [100.0] * 600)
    pyarrow.parquet.write_table(pa.table({"timestamp": times, **columns}), file)

    # The command prints its tables first.
    words = loaded(RUN.format(file=str(file)), *OF_OTHERS)

    assert "A/B" in words, "it ran"
    assert [word for word in words if word.startswith(OF_OTHERS)] == []


@pytest.mark.parametrize("arguments", [[], ["--help"], ["bogus"], ["--debug", "version"]])
def test_without_a_command_at_the_front_all_are_there(arguments: list[str]) -> None:
    group = typer.main.get_command(app_for(arguments))

    assert isinstance(group, typer.core.TyperGroup)
    assert set(group.commands) == {place.name for place in PLACES}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_each_command_stands_where_the_table_says(place: Place) -> None:
    group = typer.main.get_command(app_for([place.name, "--help"]))

    assert isinstance(group, typer.core.TyperGroup)
    assert list(group.commands) == [place.name]
    assert group.commands[place.name].help
