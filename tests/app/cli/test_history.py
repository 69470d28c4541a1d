"""`tickd trades`, `tickd events`, `tickd explain`: what happened, from the journal afterwards."""

import asyncio
import csv
import json
from pathlib import Path

import pytest

from daemon.app.trade_rows import COLUMNS
from daemon.core.records import CommandEntry, RunEntry
from tests.adapters.storage.samples import (
    KEY,
    a_candle,
    a_closed,
    a_key,
    a_row,
    a_storage,
    a_write,
    an_opened,
)
from tests.app.cli.tickd import Ended, Shell
from tests.core.test_stories import a_cancel

OTHER = a_key("ETH/USDT", "pullback")
ID = a_row().id


@pytest.fixture
def happened(shell: Shell) -> Path:
    """Give a state folder in which one trade closed, one is open and one signal was cancelled."""
    path = shell.folder / "elsewhere"

    async def fill() -> None:
        async with a_storage(path) as storage:
            await storage.state.load()
            await storage.journal.append([RunEntry(version="1", config_hash="c", at_ms=1)])
            await storage.journal.append([a_candle(minute) for minute in range(5)])
            await storage.journal.append([a_write(1, an_opened(KEY))])
            command = CommandEntry(command="close", target=str(KEY), origin="cli", at_ms=2)
            await storage.journal.append([command, a_write(2, a_closed(KEY))])
            await storage.journal.append(
                [
                    a_write(1, an_opened(OTHER, 2), key=OTHER),
                    a_write(1, a_cancel(), file="schedule"),
                ]
            )

    asyncio.run(fill())
    return path


def asked(shell: Shell, happened: Path, *arguments: str) -> Ended:
    return shell(arguments[0], "--folder", str(happened), *arguments[1:])


def test_trades_are_a_table_with_their_sum(shell: Shell, happened: Path) -> None:
    ended = asked(shell, happened, "trades")

    assert ended.code == 0, ended.err
    assert "take_profit" in ended.out
    assert "1 closed, 1 won, in sum +1.50%; 1 open" in ended.out


@pytest.mark.parametrize("question", ["trades", "events", "explain", "report"])
def test_what_a_damaged_journal_cannot_tell_is_said_to_be_missing(
    shell: Shell, happened: Path, question: str
) -> None:
    (segment,) = (happened / "journal").glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[2] = b"\xff" * (len(lines[2]) - 1) + b"\n"
    segment.write_bytes(b"".join(lines))

    ended = asked(shell, happened, question, *([ID] if question == "explain" else []))

    assert "cannot read 1 of the journal's entries, the first is 2" in ended.err
    assert ended.out


def test_trades_can_be_chosen(shell: Shell, happened: Path) -> None:
    told = json.loads(asked(shell, happened, "trades", "pullback", "--json").out)
    assert [trade["symbol"] for trade in told] == ["ETH/USDT"]
    assert told[0]["state"] == "open"

    assert asked(shell, happened, "trades", "--symbol", "XRP/USDT").code == 1
    assert (
        asked(shell, happened, "trades", "--since", "2020-01-01", "--symbol", "BTC/USDT").code == 1
    )


def test_signals_without_a_position_are_shown_when_asked_for(shell: Shell, happened: Path) -> None:
    # The cancelled signal bears the id of the closed one: its story has both.
    told = json.loads(asked(shell, happened, "trades", "--all", "--json").out)

    assert [trade["id"] for trade in told] == [ID, a_row(number=2).id]


def test_a_spreadsheet_gets_every_column(shell: Shell, happened: Path) -> None:
    told = list(
        csv.DictReader(asked(shell, happened, "trades", "--format", "csv").out.splitlines())
    )

    assert [row["pnl_percentage"] for row in told] == ["1.5", ""]
    assert told[0]["id"] == ID
    assert tuple(told[0]) == COLUMNS

    none = asked(shell, happened, "trades", "--format", "csv", "--symbol", "XRP/USDT")
    assert none.out.splitlines() == [",".join(COLUMNS)]


def test_events_are_told_in_order_and_can_be_chosen(shell: Shell, happened: Path) -> None:
    lines = asked(shell, happened, "events").out.splitlines()
    words = ("run of tickd", "opened", "close", "closed by", "opened", "cancelled by")
    assert len(lines) == len(words)
    for word, line in zip(words, lines, strict=True):
        assert word in line

    closed = asked(shell, happened, "events", "--kind", "closed", "--json").out
    assert json.loads(closed)["close_reason"] == "take_profit"
    assert asked(shell, happened, "events", "--signal", "ffff").code == 1
    candles = asked(shell, happened, "events", "--kind", "candle", "--since", "2m").out
    assert len(candles.splitlines()) == 3


def test_a_time_that_is_none_is_refused_in_words(shell: Shell, happened: Path) -> None:
    ended = asked(shell, happened, "events", "--since", "yesterday")

    assert ended.code == 2
    assert "neither a time" in ended.err


def test_a_kind_that_is_none_is_refused_in_words(shell: Shell, happened: Path) -> None:
    ended = asked(shell, happened, "events", "--kind", "open")

    assert ended.code == 2
    assert "scheduled, opened" in " ".join(ended.err.split())


def test_a_signal_is_explained_with_its_candles(shell: Shell, happened: Path) -> None:
    ended = asked(shell, happened, "explain", ID)

    assert ended.code == 0, ended.err
    for told in (
        "closed by take_profit",
        "the strategy's note: why",
        "the price 100.5 had reached the target 111.5",
        "command  close BTC/USDT/breakout by cli",
        "1970-01-01 00:01",
    ):
        assert told in ended.out


def test_an_explanation_is_plain_values_too(shell: Shell, happened: Path) -> None:
    record = json.loads(asked(shell, happened, "explain", ID[:20], "--json").out)

    assert record["id"] == ID
    assert [entry["number"] > 0 for entry in record["events"]] == [True] * 3
    assert [row[0] for row in record["candles"]] == [minute * 60_000 for minute in range(4)]


def test_a_signal_that_nobody_knows_is_one_line(shell: Shell, happened: Path) -> None:
    ended = asked(shell, happened, "explain", "zzz")

    assert ended.code == 1
    assert "knows no signal 'zzz'" in ended.err


def test_too_few_letters_name_the_signals_that_are_meant(shell: Shell, happened: Path) -> None:
    ended = asked(shell, happened, "explain", ID[:3])

    assert ended.code == 1
    assert f"2 signals begin with '000': {ID}" in ended.err


def test_that_there_is_no_configuration_is_said_once(shell: Shell) -> None:
    ended = shell("explain", "abc")

    assert ended.err.count("using the packaged default") == 1
