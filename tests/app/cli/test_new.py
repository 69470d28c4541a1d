"""A new strategy is one that runs: its own tests pass, and so do a check and a run."""

import re
from pathlib import Path

import pytest

from daemon.app.cli.new import NameFaultError, check_strategy_name
from tests.app.cli.tickd import Shell, python, tickd

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
"""Those who like it run the same tests by it."""


def test_its_own_tests_pass_and_it_loads_with_the_table_that_was_told(shell: Shell) -> None:
    made = shell("new", "strategy", "my_breakout")
    (shell.folder / "config.toml").write_text(made.out)
    checked = shell("check", "--offline")

    assert made.code == 0
    assert checked.code == 0, checked.out + checked.err
    # As the command said: nothing but tickd is needed for it.
    assert re.search(r"test it: \S*python\S* tests/test_my_breakout.py\n", made.err)
    tested = python(shell.folder, "tests/test_my_breakout.py", timeout_s=120)
    assert tested.code == 0, tested.err
    assert "Ran 3 tests" in tested.err


def test_its_tests_can_fail(shell: Shell) -> None:
    """A strategy that never enters, and one that raises, are found by the tests of the skeleton."""
    shell("new", "strategy", "broken")
    path = shell.folder / "strategies" / "broken.py"
    path.write_text(path.read_text().replace("closes[-1] < mean", "closes[-1] < 1 / 0 * mean"))

    tested = python(shell.folder, *PYTEST, timeout_s=120)

    assert tested.code == 1
    assert "2 failed, 1 passed" in tested.out


def test_it_is_honest_and_runs_live(shell: Shell) -> None:
    made = shell("new", "strategy", "mine")
    (shell.folder / "config.toml").write_text(made.out)

    looked = shell("lookahead", "mine", "--days", "0.5", "--cuts", "3")
    ran = tickd(shell.folder, "run", "--for", "2s", "--set", "http.port=0")

    assert looked.code == 0, looked.out
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("there", ["strategies/mine.py", "tests/test_mine.py"])
def test_nothing_is_written_over(shell: Shell, there: str) -> None:
    path = shell.folder / there
    path.parent.mkdir()
    path.write_text("dear to somebody")

    ended = shell("new", "strategy", "mine")

    assert ended.code == 1
    assert there in ended.err
    assert path.read_text() == "dear to somebody"
    assert [p for p in shell.folder.rglob("*.py") if p != path] == []


def test_a_link_that_leads_nowhere_is_not_followed(shell: Shell) -> None:
    (shell.folder / "strategies").mkdir()
    (shell.folder / "strategies" / "mine.py").symlink_to(shell.folder / "elsewhere.py")

    assert shell("new", "strategy", "mine").code == 1
    assert not (shell.folder / "elsewhere.py").exists()


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("my-breakout", "my_breakout"),
        ("MyBreakout", "my_breakout"),
        ("../evil", "evil"),
        ("class", "class_strategy"),
        ("a" * 51, "at most 50"),
        ("1st", "begins with a letter"),
        ("", "begins with a letter"),
        ("größe", "begins with a letter"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(name: str, remedy: str) -> None:
    with pytest.raises(NameFaultError, match=remedy):
        check_strategy_name(name)


def test_a_bad_name_on_the_command_line_writes_nothing(shell: Shell) -> None:
    ended = shell("new", "strategy", "my-breakout")

    assert ended.code == 2
    assert list(Path(shell.folder).iterdir()) == []
