"""Candles by the command line: fetched, imported, verified and listed, offline."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.history_market import a_market, write_market
from daemon.adapters.candles.arrow import read_month, write_month
from daemon.adapters.candles.names import Series
from daemon.adapters.candles.store import CandleStore
from daemon.app.candle_files import Stored, read_minutes
from daemon.core.candles import MINUTE_MS
from tests.adapters.candles.samples import FEBRUARY, JANUARY, some_rows
from tests.app.cli.tickd import ROOT, Shell, python, tickd

SANDBOX = Series("sandbox", "BTC/USDT")
BINANCE = Series("binance", "BTC/USDT")
HEADER = "timestamp,open,high,low,close,volume"
FETCH = ("data", "fetch", "BTC/USDT", "--sandbox", "--from", "2025-12-25")
IMPORT = ("data", "import", "x.csv", "--symbol", "BTC/USDT", "--exchange", "binance")


def a_csv(folder: Path, *, without: tuple[int, ...] = (), close: float = 101.0) -> None:
    rows = zip(*(column.tolist() for column in some_rows(count=10, close=close)), strict=True)
    lines = [",".join(map(str, row)) for number, row in enumerate(rows) if number not in without]
    (folder / "x.csv").write_text("\n".join([HEADER, *lines]))


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def test_the_example_of_the_help_works_offline_and_a_second_run_asks_for_nothing(
    shell: Shell,
) -> None:
    first = shell(*FETCH, "--to", "2025-12-26")
    second = shell(*FETCH, "--to", "2025-12-26", "--json")

    assert (first.code, second.code) == (0, 0)
    assert "fetched    1,440 minutes; 0 there before" in first.out
    told = json.loads(second.out)
    assert (told["new"], told["missing"], told["gaps"]) == (0, 0, [])
    stored = Stored("sandbox", "BTC/USDT", root=shell.folder / "data")
    assert len(read_minutes(stored)) == 1440


def test_the_sandbox_gives_the_same_candles_at_any_time(shell: Shell) -> None:
    shell(*FETCH, "--to", "2025-12-25T10:00")
    shell(*FETCH, "--to", "2026-01-02", "--dir", "other")

    early, late = (CandleStore(shell.folder / name).read(SANDBOX) for name in ("data", "other"))

    assert early.rows.close.tolist() == late.rows.close[:600].tolist()


def test_minutes_before_the_market_began_are_told_and_are_no_success(shell: Shell) -> None:
    ended = shell(
        "data", "fetch", "BTC/USDT", "--sandbox", "--from", "2025-12-21", "--to", "2025-12-23"
    )

    assert ended.code == 1
    assert "missing    1,440 minutes in 1 gap" in ended.out
    assert "2025-12-21 00:00 UTC to 2025-12-22 00:00 UTC  1,440 minutes" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("fetch", "BTCUSDT", "--sandbox", "--from", "2025-12-25"), 2, 'did you mean "BTC/USDT"'),
        (("fetch", "BTC/USDT", "--sandbox", "--from", "soon"), 2, "'soon' is no time"),
        (("fetch", "BTC/USDT", "--sandbox", "--from", "2025-01-01T00:00:01"), 2, "whole minute"),
        (("fetch", "BTC/USDT", "--sandbox", "--from", "2030-01-01"), 2, "is not before"),
        (("fetch", "X/Y", "--sandbox", "--from", "2025-12-25"), 69, "has no market 'X/Y'"),
        (("fetch", "BTC/USDT", "--exchange", "Kraken", "--from", "2025-01-01"), 2, "lower case"),
        (("fetch", "A/B", "--exchange", "krakem", "--from", "2025-01-01"), 69, "kraken"),
        (
            ("fetch", "A/B", "--exchange", "kraken", "--sandbox", "--from", "2025-01-01"),
            2,
            "exclude each other",
        ),
        (("verify",), 1, "there is no file candles and no such market in data"),
        (("verify", "none.csv"), 1, "there is no file none.csv"),
        (("import", "none.csv", "--symbol", "A/B"), 1, "none.csv: No such file"),
    ],
)
def test_a_mistake_is_one_clear_line(
    shell: Shell, arguments: tuple[str, ...], code: int, told: str
) -> None:
    ended = shell("data", *arguments)

    assert ended.code == code
    assert told in " ".join(ended.err.replace("│", " ").split())


def test_a_file_is_imported_once_and_listed(shell: Shell) -> None:
    a_csv(shell.folder)

    first, second = shell(*IMPORT), shell(*IMPORT, "--json")
    listed = json.loads(shell("data", "list", "--json").out)

    assert (first.code, second.code) == (0, 0)
    assert "imported   10 new minutes of 10" in first.out
    assert json.loads(second.out)["new"] == 0
    assert [(e["exchange"], e["symbol"], e["candles"], e["missing"]) for e in listed] == [
        ("binance", "BTC/USDT", 10, 0)
    ]
    assert "2025-01-01 00:10 UTC" in shell("data", "list").out


def test_gaps_of_a_file_are_refused_or_filled_and_counted(shell: Shell) -> None:
    a_csv(shell.folder, without=(3, 4, 7))

    refused, filled = shell(*IMPORT), shell(*IMPORT, "--gaps", "fill")

    assert refused.code == 1
    assert "3 minutes are missing in 2 gaps, the first after 2025-01-01 00:02 UTC" in refused.err
    assert filled.code == 0
    assert "filled     3 minutes" in filled.out
    assert json.loads(shell("data", "list", "--json").out)[0]["filled"] == 3
    stored = Stored("binance", "BTC/USDT", root=shell.folder / "data")
    assert read_minutes(stored).filled_count == 3


def test_candles_that_differ_from_the_store_are_refused_unless_they_replace(shell: Shell) -> None:
    a_csv(shell.folder)
    shell(*IMPORT)
    a_csv(shell.folder, close=102.0)

    refused, replaced = shell(*IMPORT), shell(*IMPORT, "--replace")

    assert refused.code == 1
    assert "10 minutes have other candles in the store already" in refused.err
    assert replaced.code == 0
    assert "replaced   10 minutes" in replaced.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "x.csv: line 1: the file is empty"),
        (f"{HEADER}\n", "x.csv: line 1: the file holds no candles"),
        (f"{HEADER}\n{JANUARY},1,2,1,1,1\n", "x.csv: there is only one candle"),
        (f"{HEADER}\n{JANUARY},1,nan,1,1,1\n", "x.csv: line 2, column high: nan is not finite"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_no_trace(shell: Shell, text: str, told: str) -> None:
    (shell.folder / "x.csv").write_text(text)

    ended = shell(*IMPORT)

    assert ended.code == 1
    assert told in ended.err
    assert not (shell.folder / "data").exists()


def test_a_sound_store_is_verified(shell: Shell) -> None:
    a_csv(shell.folder)
    shell(*IMPORT)

    ended = shell("data", "verify")

    assert ended.code == 0
    assert "BTC/USDT on binance: ok, 10 candles" in ended.out
    assert "the last month is partial: it ends at 2025-01-01 00:10 UTC" in ended.out


def test_a_folder_of_the_store_is_verified_as_runs_read_it(shell: Shell) -> None:
    a_csv(shell.folder)
    shell(*IMPORT)

    ended = shell("data", "verify", "data/binance/BTC_USDT")
    nothing = shell("data", "verify", "data")

    assert (ended.code, ended.out) == (0, "data/binance/BTC_USDT: ok, 10 candles\n")
    assert nothing.code == 1
    assert "data: the folder holds no candles" in nothing.out


def test_every_fault_of_the_store_is_told(shell: Shell) -> None:
    store = CandleStore(shell.folder / "data")
    with store.writing(BINANCE):
        for start_ms in (JANUARY, FEBRUARY, FEBRUARY + 28 * 1440 * MINUTE_MS):
            store.add(BINANCE, some_rows(start_ms))
    january, february, march = store.months(BINANCE)
    damage(march)
    month = read_month(february)
    rows = month.rows
    high = rows.high.copy()
    high[1] = np.nan
    stamps = rows.timestamp.copy()
    stamps[2:] = [stamps[1], JANUARY, stamps[4]]
    faulty = rows._replace(timestamp=stamps, high=high)
    write_month(february, type(month)(rows=faulty, is_filled=month.is_filled), BINANCE)

    ended = shell("data", "verify", "BTC/USDT", "--json")

    told = json.loads(ended.out)["verified"][0]
    assert ended.code == 1
    assert [fault.split(" (")[0] for fault in told["faults"][:4]] == [
        "2025-02.parquet: row 3",
        "2025-02.parquet: row 4",
        "2025-02.parquet: row 2",
        "2025-02.parquet: 1 candle of another month",
    ]
    assert "2025-03.parquet: " in told["faults"][4]
    assert told["candles"] == 10
    assert "FAULTY" in shell("data", "verify").out
    listed = shell("data", "list")
    assert listed.code == 0
    assert "2025-03" in listed.out
    assert january.exists()


def test_gaps_of_the_store_are_a_fault_unless_they_are_to_be_filled(shell: Shell) -> None:
    store = CandleStore(shell.folder / "data")
    with store.writing(BINANCE):
        store.add(BINANCE, some_rows(FEBRUARY - 5 * MINUTE_MS, 12).taken(np.arange(12) % 5 != 3))

    refused, filled = shell("data", "verify"), shell("data", "verify", "--gaps", "fill")

    assert (refused.code, filled.code) == (1, 0)
    assert "missing    2 minutes in 2 gaps" in refused.out
    assert "2025-01-31 23:58 UTC to 2025-01-31 23:59 UTC  1 minute" in refused.out


def test_every_fault_of_a_file_is_told(shell: Shell) -> None:
    rows = [f"{JANUARY + at * MINUTE_MS},1,2,0.5,1,1" for at in (0, 1, 1, 0, 3)]
    (shell.folder / "x.csv").write_text("\n".join([HEADER, *rows, f"{JANUARY},1,0.1,0.5,1,-1"]))

    ended = shell("data", "verify", "x.csv", "--json")

    faults = json.loads(ended.out)["verified"][0]["faults"]
    assert ended.code == 1
    assert [words in fault for words, fault in zip(
        ("same minute", "earlier than", "volume is -1.0", "high is below"), faults, strict=True
    )] == [True] * 4  # fmt: skip


def test_a_killed_fetch_loses_nothing_that_was_written(tmp_path: Path) -> None:
    command = ["data", "fetch", "BTC/USDT", "--sandbox", "--from", "2025-12-22"]
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", *command, "--to", "2026-02-01"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    store = CandleStore(tmp_path / "data")
    while not store.months(SANDBOX) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)

    there = len(CandleStore(tmp_path / "data").read(SANDBOX).rows.timestamp)
    again = tickd(tmp_path, *command, "--to", "2025-12-25", "--json")
    verified = tickd(tmp_path, "data", "verify")

    assert process.returncode == -signal.SIGKILL
    assert there >= 1000
    assert json.loads(again.out)["new"] == max(0, 3 * 1440 - there)
    assert verified.code == 0, verified.out


def test_an_import_that_is_interrupted_leaves_whole_months_and_goes_on(tmp_path: Path) -> None:
    write_market(a_market(730 * 1440), tmp_path / "years.parquet")
    command = ["data", "import", "years.parquet", "--symbol", "BTC/USDT", "--exchange", "binance"]
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", *command],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    store = CandleStore(tmp_path / "data")
    while not store.months(BINANCE) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)

    there = len(store.read(BINANCE).rows.timestamp)
    again = tickd(tmp_path, *command, "--json")

    assert process.returncode == 130
    assert "the months that were written are whole and stay; the same command takes the" in told
    assert 31 * 1440 <= there < 730 * 1440
    assert json.loads(again.out)["new"] == 730 * 1440 - there
    assert tickd(tmp_path, "data", "verify").code == 0


def test_two_writers_of_one_market_exclude_each_other(shell: Shell) -> None:
    a_csv(shell.folder)

    with CandleStore(shell.folder / "data").writing(BINANCE):
        ended = shell(*IMPORT)

    assert ended.code == 75
    assert "is being written by another tickd" in ended.err


def test_without_the_research_libraries_one_line_says_what_to_do(tmp_path: Path) -> None:
    blocked = "import sys; sys.modules['pyarrow'] = None; from daemon.app.cli import main; main()"

    ended = python(tmp_path, "-c", blocked, "data", "list")

    assert ended.code == 78
    assert "needs the research libraries (pyarrow is missing): make research" in ended.err


def test_a_recorded_month_is_imported_and_replayed(recorded_candles: Path, tmp_path: Path) -> None:
    recorded = str(recorded_candles / "btc-perp-2022-01-1m.csv")
    imported = tickd(tmp_path, "data", "import", recorded, "--symbol", "BTC/USDT")
    replayed = tickd(
        tmp_path, "sandbox", "--replay", "data/sandbox/BTC_USDT/2022-01.parquet", "--for", "0.2s"
    )

    assert imported.code == 0, imported.err
    assert "imported   45,031 new minutes" in imported.out
    assert replayed.code == 0, replayed.err
    assert "Markets    BTC/USDT" in replayed.out
