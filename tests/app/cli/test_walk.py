"""`tickd walk`: what it compares, what it prints and writes, and what it says when it cannot."""

import json
import signal

import pytest

from tests.app.cli.tickd import Shell, tickd
from tests.app.cli.walk_stage import interrupted, lay_out

ON_FILE = ("--data", "btc.csv")


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Give a shell in a folder with a configuration, a strategy file and candles."""
    return lay_out(shell)


def test_configured_strategies_are_compared_on_the_market_that_they_share(ready: Shell) -> None:
    ended = ready("walk", *ON_FILE, "--cores", "1", "--json")

    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["symbol"] == "BTC/USDT"
    assert told["is_complete"]
    assert [row["strategy_name"] for row in told["ranks"]] == ["swing", "eager"]
    assert sorted(row["rank"] for row in told["ranks"]) == [1, 2]
    swing, eager = (backtest["lanes"][0] for backtest in told["backtests"])
    assert eager["ask_count"] > swing["ask_count"], "it is asked as the configuration says"
    assert not (ready.folder / "dump").exists(), "nothing is written unasked"


def test_a_backtest_alone_comes_to_the_same(ready: Shell) -> None:
    walked = json.loads(ready("walk", *ON_FILE, "--cores", "1", "--json").out)
    alone = json.loads(ready("backtest", "eager", *ON_FILE, "--json").out)

    (lane,) = alone["lanes"]
    assert (
        walked["backtests"][1]["lanes"][0]["statistics"]["total_pnl"]
        == (lane["statistics"]["total_pnl"])
    )
    assert walked["backtests"][1]["lanes"][0]["ask_count"] == lane["ask_count"]


def test_any_number_of_cores_gives_the_same_bytes(ready: Shell) -> None:
    run = ("walk", "eager", *ON_FILE, "--vary", "target=6,8,12", "--vary", "side=long,short")
    one, two = (ready(*run, "--json", "--cores", cores) for cores in ("1", "2"))

    assert one.code == two.code == 0, two.err
    assert one.out == two.out
    told = json.loads(one.out)
    assert told["total_strategies"] == len(told["ranks"]) == 6
    assert told["ranks"][1]["strategy_name"] == "eager(target=6, side=short)"


def test_the_table_begins_with_the_best_and_names_the_data(ready: Shell) -> None:
    ended = ready("walk", "swing", *ON_FILE, "--vary", "target=6,8", "--metric", "total_pnl",
                  "--symbol", "BTC/USDT", "--report-dir", "out", "--cores", "1")  # fmt: skip

    assert ended.code == 0, ended.err
    assert "total_pnl" in ended.out
    assert "BTC/USDT: btc.csv, fingerprint " in ended.out
    assert ended.out.index("\n 1 ") < ended.out.index("\n 2 ")
    report = (ready.folder / "out" / "walker" / "swing.md").read_text()
    assert "# Walker Comparison Report: swing" in report
    record = json.loads((ready.folder / "out" / "walker" / "swing.json").read_text())
    values = {row["rank"]: row["metric_value"] for row in record["ranks"]}
    assert values[1] >= values[2]


def test_a_page_is_written_where_it_is_asked_for(ready: Shell) -> None:
    ended = ready("walk", "swing", *ON_FILE, "--vary", "target=6,8", "--symbol", "BTC/USDT",
                  "--html", "--cores", "1")  # fmt: skip

    assert ended.code == 0, ended.err
    assert "wrote dump/walker/swing.html" in ended.err
    page = (ready.folder / "dump" / "walker" / "swing.html").read_text()
    assert "swing(target=8)" in page
    assert "btc.csv" in page


def test_the_example_of_the_help_works_on_a_fresh_machine(shell: Shell) -> None:
    ended = shell("walk", "breakout", "--vary", "lookback=10,20", "--sandbox", "--cores", "1",
                  "--from", "2026-01-01", "--to", "2026-01-02")  # fmt: skip

    assert ended.code == 0, ended.err
    assert "breakout(lookback=20)" in ended.out
    assert "the sandbox's market of seed 7" in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["swong", *ON_FILE], 1, "Did you mean swing?"),
        (["--vary", "target=1", *ON_FILE], 1, "--vary takes one strategy, not 2"),
        (["eager", "--vary", "tarhet=1", *ON_FILE], 1, "Did you mean target?"),
        (["eager", "--vary", "target", *ON_FILE], 1, "write fast=5,10,20"),
        (["eager", "--vary", "target=", *ON_FILE], 1, "write fast=5,10,20"),
        (["eager", "--vary", "target=x", *ON_FILE], 1, "target is a number, not 'x'"),
        (["eager", "--vary", "target=nan", *ON_FILE], 1, "target is a number, not 'nan'"),
        (["eager", "--vary", "eager=perhaps", *ON_FILE], 1, "eager is true or false"),
        (["eager", "--vary", "target=1", "--vary", "target=2", *ON_FILE], 1, "target twice"),
        (["eager", "--data", "no.csv"], 1, "no.csv: No such file"),
        (["eager", *ON_FILE, "--from", "2025-01-01"], 1, "lies outside the candles"),
        (["eager", "--sandbox", "--from", "2026-01-02", "--to", "2026-01-01"], 1, "end before it"),
        (["eager", *ON_FILE, "--metric", "luck"], 2, "'luck' is not one of"),
        (["eager", *ON_FILE, "--cores", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(
    ready: Shell, arguments: list[str], code: int, told: str
) -> None:
    ended = ready("walk", *arguments)

    assert ended.code == code
    assert told in ended.err
    assert code == 2 or len(ended.err.splitlines()) == 1


@pytest.mark.may_block("it starts a process and waits for it")
@pytest.mark.parametrize("cores", ["1", "2"])
def test_an_interrupted_walk_leaves_a_valid_report(ready: Shell, cores: str) -> None:
    ended = interrupted(
        ready.folder, "walk", "eager", *ON_FILE, "--vary", "target=6,8,10,12,14,16",
        "--cores", cores, "--json", "--report-dir", "out",
    )  # fmt: skip

    assert ended.code == 130, ended.err
    assert "interrupted: the comparison covers what was tested until then" in ended.err
    assert not json.loads(ended.out)["is_complete"]
    assert (ready.folder / "out" / "walker" / "eager.json").read_text() == ended.out
    assert "ended before its time" in (ready.folder / "out" / "walker" / "eager.md").read_text()


@pytest.mark.may_block("it starts a process and waits for it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_walk_that_was_ended_goes_on_and_comes_to_the_same(
    ready: Shell, number: signal.Signals
) -> None:
    run = ("walk", "eager", *ON_FILE, "--vary", "target=6,8,10,12,14,16", "--json")
    whole = ready(*run, "--cores", "1").out
    kept = (*run, "--report-dir", "out")

    ended = interrupted(ready.folder, *kept, "--cores", "1", number=number)
    journal = ready.folder / "out" / "walker" / "eager.journal"
    line_count = len(journal.read_bytes().split())
    # What was torn is tested again.
    journal.write_bytes(journal.read_bytes() + b"\n0123 4567 {")
    again = ready(*kept, "--cores", "2")

    assert ended.code == (130 if number == signal.SIGINT else -number)
    assert line_count >= 3
    assert again.out == whole
    assert "of 6 were tested in an earlier walk" in again.err
    assert (journal.parent / "eager.json").read_text() == whole
    assert not journal.exists(), "a walk that is over is not taken for one to go on with"


@pytest.mark.may_block("it starts a process and waits for it")
def test_other_code_is_tested_anew(ready: Shell) -> None:
    run = ("walk", "eager", *ON_FILE, "--vary", "target=6,8,10,12,14,16", "--cores", "1", "--json")
    interrupted(ready.folder, *run, "--report-dir", "out")
    source = ready.folder / "swing.py"
    source.write_text(source.read_text().replace("/ 1000", "/ 2000"))

    again = tickd(ready.folder, *run, "--report-dir", "out")

    assert "in an earlier walk" not in again.err
    assert again.out == tickd(ready.folder, *run).out


def test_a_folder_that_takes_no_report_is_told_before_the_work(ready: Shell) -> None:
    ended = ready("walk", "eager", *ON_FILE, "--report-dir", "btc.csv/out", "--cores", "1")

    assert (ended.code, ended.out) == (1, "")
    assert "no report can be written there: Not a directory" in ended.err
    assert not (ready.folder / "begun").exists()
