"""Exit codes, one line per error, no traceback, no secret, and a start in a moment."""

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from daemon.app.cli import top
from daemon.app.config.problems import ConfigError, Problem
from daemon.core.errors import (
    FatalError,
    RejectedError,
    StateLockedError,
    TickdError,
    TransientError,
)
from tests.app.cli.tickd import ROOT, Shell, tickd
from tests.app.samples import CANARY, STRATEGY, write


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError([Problem(where="x", message="y")]), 78),
        (FatalError("x"), 78),
        (StateLockedError("x"), 75),
        (TransientError("x"), 75),
        (RejectedError("x"), 69),
        (TickdError("x"), 1),
        (OSError(errno.EADDRINUSE, "in use"), 78),
        (OSError(errno.ENOSPC, "full"), 75),
    ],
)
def test_each_error_has_its_exit_code(error: TickdError | OSError, code: int) -> None:
    assert top.exit_code_of(error) == code


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["run", "--fro", "1s"], "No such option: --fro"),
        (["run", "--for", "soon"], "is no duration: write 60s, 5m or 2h"),
        (["config"], ""),
    ],
)
def test_a_wrong_command_line_ends_with_2(shell: Shell, arguments: list[str], told: str) -> None:
    ended = shell(*arguments)

    assert ended.code == 2
    assert told in ended.err


def test_every_fault_of_the_configuration_is_a_line(shell: Shell) -> None:
    write(shell.folder, STRATEGY + "[rules]\npercent_fe = 1\n[http]\nport = 70000\n")

    ended = shell("config", "show")

    assert ended.code == 78
    assert ended.out == ""
    lines = ended.err.splitlines()
    assert lines[0].startswith("tickd: config.toml:7:1: rules.percent_fe: there is no such key.")
    assert lines[1].startswith("tickd: config.toml:9:1: http.port: must be at most 65535")
    assert len(lines) == 2


def test_a_thousand_faults_are_cut_and_counted(shell: Shell) -> None:
    keys = "\n".join(f"key{number} = 1" for number in range(1000))
    write(shell.folder, f"{STRATEGY}[http]\n{keys}\n")

    ended = shell("config", "show")

    assert len(ended.err.splitlines()) == 51
    assert ended.err.splitlines()[-1] == "tickd: and 950 more"


def test_a_bug_is_told_in_two_lines_and_traced_on_request(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(top, "_invoke", broken)

    ended = shell("run")
    code = top.run(["run", "--debug"])
    traced = shell.capture.readouterr().err

    assert ended.code == code == 70
    assert len(ended.err.splitlines()) == 2
    assert "internal error at " in ended.err
    assert "ZeroDivisionError: of all things" in ended.err
    assert "Traceback" in traced


def test_ctrl_c_ends_with_130(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(top, "_invoke", interrupted)

    assert shell("run").code == 130


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`tickd config default | true`."""
    script = f"{sys.executable} -m daemon config default | true; exit ${{PIPESTATUS[0]}}"

    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stderr == ""
    assert ended.returncode in {0, 1}


def test_help_and_version_load_nothing_heavy() -> None:
    """They must start in a moment: no settings, no ccxt, no event loop."""
    script = (
        "import sys\nfrom daemon.app.cli.top import run\nrun(['{}'])\n"
        "heavy = {{'pydantic_settings', 'ccxt', 'aiohttp', 'uvloop', 'asyncio',"
        " 'prometheus_client', 'structlog', 'orjson'}}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))\n"
    )

    for command in ("version", "--help", "healthcheck"):
        ended = subprocess.run(
            [sys.executable, "-c", script.format(command)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert ended.stdout.splitlines()[-1] == "LOADED []", command


def test_each_command_has_help_with_an_example_and_its_line_in_the_docs(shell: Shell) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = [
        ["run"],
        ["check"],
        ["status"],
        ["healthcheck"],
        ["sandbox"],
        ["version"],
        ["config", "show"],
        ["config", "schema"],
        ["config", "default"],
        ["config", "reference"],
        ["state", "show"],
        ["state", "verify"],
        ["state", "repair"],
        ["journal", "verify"],
        ["journal", "tail"],
    ]
    for command in commands:
        ended = shell(*command, "--help")
        assert ended.code == 0, command
        assert f"Example: tickd {' '.join(command)}" in " ".join(ended.out.split()), command
        assert f"| `tickd {' '.join(command)}` |" in page, command


def test_python_m_daemon_is_tickd(tmp_path: Path) -> None:
    ended = tickd(tmp_path, "version")

    assert ended.code == 0
    assert ended.out.startswith("tickd ")


def test_q1_a_secret_shows_in_no_output_of_any_command(tmp_path: Path) -> None:
    write(tmp_path, STRATEGY)
    environ = {
        "TICKD__EXCHANGE__API_KEY": CANARY,
        "TICKD__EXCHANGE__API_SECRET": CANARY,
        "TICKD__ALERTS__WEBHOOK__SECRET": CANARY,
        "TICKD__ALERTS__WEBHOOK__URL": f"https://hooks.example.com/{CANARY}",
    }
    commands = (
        ["config", "show", "--origin"],
        ["config", "show", "--json"],
        ["config", "show", "--set", f"exchange.api_key={CANARY}"],
        ["config", "show", "--set", f"http.port={CANARY}"],
        ["config", "schema"],
    )

    for command in commands:
        ended = tickd(tmp_path, *command, "--debug", environ=environ)
        assert CANARY not in ended.out + ended.err, command
    assert "**********" in tickd(tmp_path, *commands[0], environ=environ).out


@pytest.mark.parametrize("command", [("config", "default"), ("config", "schema")])
def test_a_reader_that_has_gone_is_no_failure(tmp_path: Path, command: Sequence[str]) -> None:
    """As in `tickd report --json | head`, where a pipe cannot hold all of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "daemon", *command],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.close()
        told = reading.stderr.read()

    assert (reading.returncode, told) == (0, b"")
