"""`tickd backtest`: what it prints, what it writes, and what it says when it cannot."""

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import pytest

import daemon.reports.html as pages
from daemon.app.cli.backtest_data import warm_up_ms
from daemon.core.candles import DAY_MS
from daemon.strategies.breakout import Breakout
from tests.app.cli.tickd import ROOT, Shell
from tests.app.samples import STRATEGY, write

HEADER = "timestamp,open,high,low,close,volume\n"
START_MS = 1_767_225_600_000
ALWAYS = """
from pathlib import Path

from daemon import Signal, Strategy, View


class Always(Strategy):
    interval = "15m"

    def get_signal(self, view: View) -> Signal:
        if view.params.integer("broken"):
            raise ZeroDivisionError("so it goes")
        return Signal(
            position="long",
            price_take_profit=view.price * 1.01,
            price_stop_loss=view.price * 0.98,
            minute_estimated_time=30,
            note="up",
        )

    params = {"broken": 0}
"""
SLOW = """
from pathlib import Path

from daemon import Strategy, View


class Slow(Strategy):
    interval = "1m"

    async def get_signal(self, view: View) -> None:
        Path("begun").touch()
        await asyncio.sleep(0.01)
"""


def some_rows(count: int = 600) -> list[str]:
    """Return minutes that rise and fall by 3 % in turn, as lines of a CSV file."""
    rows = []
    for minute in range(count):
        close = 100 + abs(minute % 60 - 30) / 10
        stamp = START_MS + minute * 60_000
        rows.append(f"{stamp},{close},{close + 0.1:.1f},{close - 0.1:.1f},{close},1\n")
    return rows


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Give a shell in a folder with a configuration, a strategy file and candles."""
    (shell.folder / "always.py").write_text(ALWAYS)
    (shell.folder / "btc.csv").write_text(HEADER + "".join(some_rows()))
    write(shell.folder, STRATEGY + '[[strategies]]\nname = "always"\n'
          'path = "./always.py:Always"\nsymbols = ["BTC/USDT"]\n')  # fmt: skip
    return shell


def test_a_run_on_a_file_tells_its_figures_reasons_and_data(ready: Shell) -> None:
    ended = ready("backtest", "always", "--data", "btc.csv")

    assert ended.code == 0
    assert "worst case" in ended.out
    assert "take_profit" in ended.out
    assert "BTC/USDT: btc.csv, fingerprint " in ended.out
    assert not (ready.folder / "dump").exists(), "nothing is written unasked"


def test_the_example_of_the_help_works_on_a_fresh_machine(shell: Shell) -> None:
    ended = shell("backtest", "breakout", "--symbol", "BTC/USDT", "--sandbox", "--to", "2026-01-02",
                  "--from", "2026-01-01T12:00")  # fmt: skip

    assert ended.code == 0, ended.err
    assert "the sandbox's market of seed 7" in ended.out
    assert "2026-01-01 12:00 UTC to 2026-01-02 00:00 UTC" in ended.out
    assert "passed over" not in ended.out, "there is enough before the frame to begin with"


def test_json_is_byte_for_byte_the_same(ready: Shell) -> None:
    first, second = (ready("backtest", "always", "--data", "btc.csv", "--json") for _ in range(2))

    assert first.out == second.out
    lane = json.loads(first.out)["lanes"][0]
    assert lane["statistics"]["total_signals"] == len(lane["statistics"]["signal_list"]) > 10
    assert lane["data"]["minute_count"] == 600


def test_reports_are_written_where_they_are_wanted(ready: Shell) -> None:
    ended = ready("backtest", "always", "--data", "btc.csv", "--html", "--report-dir", "out",
                  "--notes")  # fmt: skip

    folder = ready.folder / "out" / "backtest"
    assert sorted(path.name for path in folder.iterdir()) == [
        "always.csv", "always.html", "always.json", "always.md",
    ]  # fmt: skip
    assert ended.err.count("wrote ") == 4
    assert "# Backtest Report: always" in (folder / "always.md").read_text()
    assert "| Position | Note |" in (folder / "always.md").read_text()
    page = (folder / "always.html").read_text()
    assert "Trades on the market" in page
    assert json.loads((folder / "always.json").read_text())["is_complete"]


def test_two_symbols_of_one_strategy_share_no_report(ready: Shell) -> None:
    ended = ready("backtest", "always", "--data", "BTC/USDT=btc.csv", "--data", "ETH/USDT=btc.csv",
                  "--symbol", "BTC/USDT", "--symbol", "ETH/USDT", "--report-dir", ".")  # fmt: skip

    assert ended.code == 0, ended.err
    names = sorted(path.name for path in (ready.folder / "backtest").glob("*.md"))
    assert names == ["BTC%2FUSDT_always.md", "ETH%2FUSDT_always.md"]


def test_a_class_that_no_configuration_names_runs_too(ready: Shell) -> None:
    ended = ready("backtest", "./always.py:Always", "--symbol", "ETH/USDT", "--data", "btc.csv")

    assert ended.code == 0, ended.err
    assert "Always" in ended.out
    assert "ETH/USDT" in ended.out


def test_a_strategy_that_raises_is_counted_and_the_run_says_so(ready: Shell) -> None:
    config = (ready.folder / "config.toml").read_text()
    (ready.folder / "config.toml").write_text(f"{config}params = {{ broken = 1 }}\n")

    ended = ready("backtest", "always", "--data", "btc.csv")

    assert ended.code == 0
    assert "get_signal failed 39 times with ZeroDivisionError" in ended.out


def test_an_answer_may_take_as_long_as_the_rules_allow(ready: Shell) -> None:
    (ready.folder / "slow.py").write_text(
        "import asyncio\nfrom daemon import Strategy\nclass Slow(Strategy):\n    interval = '1h'\n"
        "    async def get_signal(self, view):\n        await asyncio.sleep(3600)\n"
    )

    ended = ready("backtest", "./slow.py:Slow", "--symbol", "BTC/USDT", "--data", "btc.csv",
                  "--set", "rules.max_signal_generation_seconds=1",
                  "--from", "2026-01-01T01:00", "--to", "2026-01-01T01:30")  # fmt: skip

    assert "get_signal failed once with TimeoutError" in ended.out


def test_a_parameter_of_the_command_line_lies_over_all_others(ready: Shell) -> None:
    run = ("backtest", "always", "--data", "btc.csv", "--json")
    plain, broken = ready(*run), ready(*run, "--param", "broken=1")

    assert json.loads(plain.out)["params"] == [{"broken": 0}]
    assert json.loads(broken.out)["params"] == [{"broken": 1}]
    assert json.loads(broken.out)["lanes"][0]["error_counts"][0]["count"] == 39


def test_what_a_strategy_prints_is_no_part_of_the_json(ready: Shell) -> None:
    (ready.folder / "loud.py").write_text(
        "from daemon import Strategy\n\nprint('read')\n\n\nclass Loud(Strategy):\n"
        "    interval = '1h'\n\n    def get_signal(self, view):\n        print('asked')\n"
    )
    run = ("./loud.py:Loud", "--symbol", "BTC/USDT", "--data", "btc.csv", "--json")

    tested, walked = ready("backtest", *run), ready("walk", *run, "--cores", "1")

    assert json.loads(tested.out)["lanes"][0]["ask_count"] == 9
    assert json.loads(walked.out)["is_complete"]
    assert tested.err.split() == ["read", *["asked"] * 9]


def test_every_trade_is_a_row_for_a_spreadsheet(ready: Shell) -> None:
    ended = ready("backtest", "always", "--data", "btc.csv", "--json", "--report-dir", "out")

    signals = json.loads(ended.out)["lanes"][0]["statistics"]["signal_list"]
    with (ready.folder / "out" / "backtest" / "always.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [event["signal"]["id"] for event in reversed(signals)]
    assert [float(row["pnl_percentage"]) for row in reversed(rows)] == [
        event["pnl"]["pnl_percentage"] for event in signals
    ]
    assert rows[0]["note"] == "up"


def test_what_holding_would_have_brought_stands_beside_the_trades(ready: Shell) -> None:
    frame = ("--from", "2026-01-01T00:30", "--to", "2026-01-01T01:00")
    run = ("backtest", "always", "--data", "btc.csv", *frame)
    told, shown = ready(*run, "--json"), ready(*run)

    # From the open of 00:30, which is 100, to the close of 00:59, which is 102.9.
    entry, end = 100 * 1.001 * 1.001, 102.9 * 0.999 * 0.999
    assert json.loads(told.out)["held_percent"] == [pytest.approx((end - entry) / entry * 100)]
    assert "BTC/USDT: held all the time instead +2.49% after costs" in shown.out


def test_a_strategy_that_never_trades_is_told_why(ready: Shell) -> None:
    (ready.folder / "quiet.py").write_text(
        "from daemon import Strategy\n\n\nclass Quiet(Strategy):\n    interval = '1h'\n\n"
        "    def get_signal(self, view):\n        return None\n"
    )

    quiet = ready("backtest", "./quiet.py:Quiet", "--symbol", "BTC/USDT", "--data", "btc.csv")
    broken = ready("backtest", "always", "--data", "btc.csv", "--param", "broken=1")

    assert "No position was opened in 9 calls of the strategy: get_signal always" in quiet.out
    assert "No position was opened in 39 calls of the strategy: 39 errors." in broken.out


def test_an_account_is_followed_where_a_rule_is_given(ready: Shell) -> None:
    rule = "fixed-percentage:risk_percentage=2,max_position_percentage=100"
    run = ("backtest", "always", "--data", "btc.csv")
    told = ready(*run, "--balance", "500", "--json", "--sizing", rule)
    shown = ready(*run, "--sizing", "atr-based")

    (account,) = json.loads(told.out)["accounts"]
    assert account["balance_start"] == 500.0
    assert account["leverage_max"] == pytest.approx(1.0)
    assert account["trades"][-1]["balance"] == account["balance_end"]
    assert "10,000.00" in shown.out


BAD_FILES = {
    "empty": ("", "the file is empty"),
    "header": (HEADER, "holds no candles"),
    "one": (HEADER + "".join(some_rows(1)), "there is only one candle"),
    "reversed": (HEADER + "".join(reversed(some_rows(9))), "earlier than the row before"),
    "doubled": (HEADER + "".join(some_rows(5) + some_rows(5)[4:]), "the same minute as the row"),
    "nan": (HEADER + "".join(some_rows(5)) + f"{START_MS + 300_000},1,1,1,nan,1\n", "nan is not"),
    "gap": (HEADER + "".join(some_rows(5) + some_rows(9)[7:]), "2 minutes are missing in 1 gap"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_candles_that_cannot_be_used_are_told_in_one_line(ready: Shell, name: str) -> None:
    text, told = BAD_FILES[name]
    (ready.folder / "bad.csv").write_text(text)

    ended = ready("backtest", "always", "--data", "bad.csv")

    assert ended.code == 1
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert told in ended.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["always", "--data", "no.csv"], 1, "no.csv: No such file"),
        (["always", "--data", "btc.csv", "--from", "2025-01-01"], 1, "lies outside the candles"),
        (
            ["always", "--data", "btc.csv", "--to", "2026-01-01"],
            1,
            "there are no candles to run on",
        ),
        (["always", "--data", "btc.csv", "--sandbox"], 1, "exclude each other"),
        (["always", "--sandbox", "--param", "brken=1"], 1, "Did you mean broken?"),
        (["always", "--sandbox", "--param", "broken"], 1, "makes no sense: write fast=10"),
        (["always", "--sandbox", "--param", "broken=x"], 1, "broken is a number, not 'x'"),
        (["--sandbox", "--param", "broken=1"], 1, "--param is for one strategy: name it"),
        (["alwais", "--data", "btc.csv"], 1, "Did you mean always?"),
        (["./no.py:No", "--sandbox"], 1, "cannot be read"),
        (["./always.py:No", "--sandbox"], 1, "there is no No in always.py"),
        (["always", "--symbol", "A/B", "--symbol", "C/D", "--data", "btc.csv"], 1, "whose candles"),
        (["always", "--symbol", "DOGE/USDT", "--sandbox"], 1, "the sandbox has no DOGE/USDT"),
        (["always", "--sandbox", "--from", "2020-01-01"], 1, "market begins on 2025-12-22"),
        (["always", "--sandbox", "--to", "2100-01-01"], 1, "for 1,100 days at most"),
        (["always", "--sandbox", "--sizing", "martingale"], 1, "there is no sizing 'martingale'"),
        (["always", "--from", "soon", "--sandbox"], 2, "is no time"),
        (["always", "--set", "exchange.id=binance"], 1, "tickd data fetch BTC/USDT"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(
    ready: Shell, arguments: list[str], code: int, told: str
) -> None:
    ended = ready("backtest", *arguments)

    assert ended.code == code
    assert told in ended.err
    assert code == 2 or len(ended.err.splitlines()) == 1


def test_missing_libraries_are_named_with_the_remedy(
    ready: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "plotly.io.json", None)
    for name in ("daemon.reports.html.page", "daemon.reports.html.charts"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(pages, name.rpartition(".")[2], raising=False)

    ended = ready("backtest", "always", "--data", "btc.csv", "--html")

    assert ended.code == 78
    assert "the HTML report needs the research libraries (plotly is missing): make research" in (
        ended.err
    )


@pytest.mark.may_block("it starts a process and waits for it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_a_valid_report(ready: Shell, number: signal.Signals) -> None:
    (ready.folder / "slow.py").write_text(SLOW)
    arguments = ["backtest", "./slow.py:Slow", "--symbol", "BTC/USDT", "--data", "btc.csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", *arguments, "--report-dir", "out", "--html"],
        cwd=ready.folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (ready.folder / "begun").exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)

    out, err = process.communicate(timeout=30)

    assert process.returncode == 130, err
    assert "interrupted: the figures cover what there was until then" in err
    assert "ended before its time" in out
    record = json.loads((ready.folder / "out" / "backtest" / "Slow.json").read_text())
    assert record["is_complete"] is False
    assert 0 < record["lanes"][0]["ask_count"] < 590
    assert "ended before its time" in (ready.folder / "out/backtest/Slow.html").read_text()


def test_the_time_before_a_frame_covers_what_strategies_declare() -> None:
    class Long(Breakout):
        history: ClassVar[Mapping[str, int]] = MappingProxyType({"1h": 200})

    assert warm_up_ms([Breakout]) == 2 * DAY_MS
    assert warm_up_ms([Breakout, Long]) == 10 * DAY_MS
