"""`tickd optimize`: what it searches, keeps and says, and how it goes on after Ctrl-C."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.app.cli import optimize
from daemon.app.cli.terminal import Terminal
from tests.app.cli.tickd import Shell
from tests.app.cli.walk_stage import CONFIG, interrupted, lay_out
from tests.app.samples import write
from tests.reports.test_search import a_result

RUN = ("optimize", "eager", "--data", "btc.csv", "--trials", "10")


@pytest.fixture
def ready(shell: Shell) -> Shell:
    """Give a shell in a folder with a configuration, a strategy file and candles."""
    return lay_out(shell)


def test_train_stands_beside_test_and_luck_below(ready: Shell) -> None:
    ended = ready(*RUN, "--cores", "1", "--report-dir", "out")

    assert ended.code == 0, ended.err
    assert "train sharpe_ratio" in ended.out
    assert "deflated Sharpe ratio" in ended.out
    assert "probability of backtest overfitting" in ended.out
    names = sorted(path.name for path in (ready.folder / "out" / "search").iterdir())
    assert [Path(name).suffix for name in names] == [".journal", ".json", ".md"]
    assert not (ready.folder / "dump").exists()


def test_a_page_is_written_where_it_is_asked_for(ready: Shell) -> None:
    ended = ready("optimize", "eager", "--data", "btc.csv", "--trials", "3", "--cores", "1",
                  "--html")  # fmt: skip

    assert ended.code == 0, ended.err
    page = (ready.folder / "dump" / "search" / "BTC%2FUSDT_eager.html").read_text()
    assert "Train beside test" in page
    assert "3, 3 of them different" in page


def test_any_number_of_cores_and_a_second_run_give_the_same_bytes(ready: Shell) -> None:
    one = ready(*RUN, "--json", "--cores", "1", "--study", "one.journal")
    two = ready(*RUN, "--json", "--cores", "2", "--study", "two.journal")
    made = (ready.folder / "begun").read_text()
    again = ready(*RUN, "--json", "--cores", "1", "--study", "one.journal")

    assert one.code == two.code == again.code == 0, two.err
    assert one.out == two.out == again.out
    assert len(json.loads(one.out)["windows"][0]["trials"]) == 10
    assert (ready.folder / "begun").read_text() == made, "no trial is run twice"


def test_windows_walk_forward_rolling_or_anchored(ready: Shell) -> None:
    days = ("--train-days", "0.3", "--test-days", "0.2", "--trials", "2", "--json", "--cores", "1")
    starts = {}
    for flags in ((), ("--anchored",)):
        ended = ready(*RUN, *days, *flags, "--study", f"{len(flags)}.journal")
        assert ended.code == 0, ended.err
        windows = json.loads(ended.out)["windows"]
        assert len(windows) > 1
        starts[flags] = {window["window"]["train_start_ms"] for window in windows}

    assert len(starts[()]) > 1
    assert len(starts["--anchored",]) == 1


@pytest.mark.may_block("it starts a process and waits for it")
def test_an_interrupted_search_goes_on_to_the_same_result(ready: Shell) -> None:
    kept = ("--json", "--study", "kept.journal")
    ended = interrupted(ready.folder, *RUN, *kept, "--cores", "2")
    resumed = ready(*RUN, *kept, "--cores", "1")
    whole = ready(*RUN, "--json", "--cores", "1", "--study", "whole.journal")

    assert ended.code == 130, ended.err
    assert "interrupted: the trials are in kept.journal; run it again to go on" in ended.err
    assert not json.loads(ended.out)["is_complete"]
    assert resumed.out == whole.out
    assert json.loads(whole.out)["is_complete"]


def test_a_search_that_was_ended_before_its_first_trial_shows_no_empty_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ended = replace(a_result(), is_complete=False, windows=(), out_of_sample=None)

    optimize._show(Terminal(), ended)

    name = f"{ended.strategy_name} on {ended.symbol}"
    assert capsys.readouterr().out == f"{name}: no trial came to its end\n"


def test_a_missing_library_is_named_with_the_remedy(
    ready: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "daemon.adapters.optuna_studies", raising=False)

    ended = ready(*RUN, "--cores", "1")

    assert ended.code == 78
    assert "needs the research libraries (optuna is missing): make research" in ended.err


def test_a_study_of_other_limits_is_refused(ready: Shell) -> None:
    first = ready(*RUN, "--cores", "1", "--study", "kept.journal")
    write(ready.folder, CONFIG.replace("max_positions = 1", "max_positions = 2"))
    second = ready(*RUN, "--cores", "1", "--study", "kept.journal")

    assert first.code == 0, first.err
    assert second.code == 1
    assert len(second.err.splitlines()) == 1


def test_the_example_of_the_help_works_on_a_fresh_machine(shell: Shell) -> None:
    ended = shell("optimize", "breakout", "--trials", "3", "--sandbox", "--cores", "1",
                  "--from", "2026-01-01", "--to", "2026-01-06")  # fmt: skip

    assert ended.code == 0, ended.err
    assert "lookback=" in ended.out
    assert list((shell.folder / "dump" / "search").glob("*_breakout.journal"))


@pytest.mark.parametrize("text", ["one line, no end", '{"a": 1}', "a\nb\n", '{"op_kode":1}\n'])
def test_a_file_of_something_else_is_refused_and_stays_as_it_is(ready: Shell, text: str) -> None:
    (ready.folder / "other.txt").write_text(text)

    ended = ready(*RUN, "--cores", "1", "--study", "other.txt")

    assert ended.code == 1
    assert "other.txt: it is not the file of a search" in ended.err
    assert (ready.folder / "other.txt").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["swong"], 1, "Did you mean swing?"),
        (["eager", "--train-days", "1"], 1, "belong together"),
        (["eager", "--param", "target=9"], 1, "target is in the spaces"),
        (["eager", "--anchored"], 1, "--anchored needs --train-days"),
        (["eager", "--train-days", "3", "--test-days", "2"], 1, "one window takes"),
        (["./plain.py:Plain", "--symbol", "A/B"], 1, "says nothing of what may be tried"),
        (["eager", "--trials", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_searched_is_told_in_one_line(
    ready: Shell, arguments: list[str], code: int, told: str
) -> None:
    (ready.folder / "plain.py").write_text(
        "from daemon import Strategy\n\n\nclass Plain(Strategy):\n"
        "    def get_signal(self, view):\n        return None\n"
    )
    ended = ready("optimize", *arguments, "--data", "btc.csv", "--cores", "1")

    assert ended.code == code
    assert told in ended.err
    assert code == 2 or len(ended.err.splitlines()) == 1
