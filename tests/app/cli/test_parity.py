"""`tickd parity` on the journal of a daemon that has really run."""

import json
from pathlib import Path

import pytest

from daemon.adapters.storage.journal_tools import read_events
from tests.app.cli.tickd import Shell, tickd


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the state folder of a daemon that ran for more than an hour of its market."""
    folder = tmp_path_factory.mktemp("ran")
    ended = tickd(
        folder, "run", "--for", "4s", "--set", "sandbox.speed=1500", "--set", "http.port=0"
    )
    assert ended.code == 0, ended.err
    return folder / "dump" / "sandbox-signal"


def test_a_journal_is_laid_beside_a_backtest_and_every_difference_has_a_cause(
    shell: Shell, journal: Path
) -> None:
    table = shell("parity", "--folder", str(journal), "--limit", "3")
    document = shell("parity", "--folder", str(journal), "--json")

    told = json.loads(document.out)
    assert (table.code, document.code) == (0, 0)
    assert "BTC/USDT/breakout" in table.out
    assert {lane["key"]["symbol"] for lane in told["lanes"]} >= {"BTC/USDT", "ETH/USDT"}
    assert sum(lane["ask_count"] for lane in told["lanes"]) > 10
    assert sum(told["causes"].values()) == len(told["differences"]) > 0
    assert all(one["why"] and one["cause"] for one in told["differences"])
    assert set(told["causes"]) - {"strategy", "unknown"}
    assert any("another configuration" in note for note in told["notes"])


def test_the_candles_of_a_file_are_held_against_the_journal(shell: Shell, journal: Path) -> None:
    entries = [item.entry for item in read_events(journal)]
    rows = [e.candle for e in entries if e.kind == "candle" and e.symbol == "BTC/USDT"]
    lines = [",".join(map(repr, (*row[:5], row.volume + (n == 3)))) for n, row in enumerate(rows)]
    (shell.folder / "own.csv").write_text(
        "\n".join(["timestamp,open,high,low,close,volume", *lines]) + "\n"
    )

    options = ("parity", "--folder", str(journal), "--data", "BTC/USDT=own.csv")
    told = json.loads(shell(*options, "--json").out)

    (one,) = [one for one in told["differences"] if one["where"] == "candle"]
    assert (one["at_ms"], one["cause"]) == (rows[3].timestamp, "data")


def test_mistakes_are_told_in_one_line(shell: Shell, journal: Path) -> None:
    nothing = shell("parity")
    bare = shell("parity", "--folder", str(journal), "--data", "own.csv")

    assert nothing.code == 78
    assert "is not there" in nothing.err
    assert bare.code == 1
    assert "write A/B=FILE" in bare.err
