"""The exit codes that supervisors rely on."""

from pathlib import Path

from daemon.app.exit_codes import ExitCode


def test_the_codes_are_the_documented_ones() -> None:
    assert {code.name.lower(): code.value for code in ExitCode} == {
        "ok": 0,
        "findings": 1,
        "usage": 2,
        "dishonest": 3,
        "unavailable": 69,
        "internal": 70,
        "temporary": 75,
        "config": 78,
        "interrupted": 130,
    }


def test_each_code_is_in_the_page_about_the_command_line() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")

    for code in ExitCode:
        assert f"| {code.value} | " in page, code
