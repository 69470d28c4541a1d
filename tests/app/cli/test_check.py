"""`tickd check`: one line for each thing that a start needs, and an exit code."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from daemon.app.cli.check import Verdict, _clock
from tests.adapters.storage.samples import a_storage, an_active
from tests.app.cli.test_probe import SomebodyElse, a_daemon
from tests.app.cli.tickd import Ended, Shell
from tests.app.samples import STRATEGY, write


def verdicts(ended: Ended) -> dict[str, str]:
    """Return the last verdict of each thing that was checked."""
    return {line[6:19].strip(): line[:4].strip() for line in ended.out.splitlines()}


def line_of(ended: Ended, what: str) -> str:
    return next(line for line in ended.out.splitlines() if line[6:19].strip() == what)


def test_the_packaged_default_passes_every_check(shell: Shell) -> None:
    ended = shell("check")

    assert ended.code == 0, ended
    assert verdicts(ended) == dict.fromkeys(
        (
            "configuration",
            "strategy",
            "risk",
            "state folder",
            "http",
            "exchange",
            "clock",
            "candles",
        ),
        "ok",
    )
    assert not (shell.folder / "dump").exists(), "a check changes nothing"


def test_faults_of_the_configuration_end_the_check_with_78(shell: Shell) -> None:
    write(shell.folder, STRATEGY.replace("breakout:Breakout", "breakout:Brakeout"))

    ended = shell("check", "--offline")

    assert ended.code == 78
    assert ended.out == (
        "fail  configuration  config.toml:4:1: strategies[0].path: there is no Brakeout in"
        " breakout.py. Did you mean Breakout?\n"
    )


def made_by(shell: Shell, statement: str) -> None:
    """Configure a strategy whose __init__ does this."""
    (shell.folder / "mine.py").write_text(
        "from daemon.core.strategy import Strategy\n"
        "class Mine(Strategy):\n"
        f"    def __init__(self): {statement}\n"
        "    def get_signal(self, view): ...\n"
    )
    write(shell.folder, STRATEGY.replace("daemon.strategies.breakout:Breakout", "./mine.py:Mine"))


def test_a_strategy_that_cannot_be_made_fails(shell: Shell) -> None:
    made_by(shell, "raise ValueError('no luck')")

    ended = shell("check", "--offline")

    assert ended.code == 1
    assert "fail  strategy       breakout: Mine cannot be made: ValueError at" in ended.out
    assert "mine.py:3: no luck" in ended.out


def test_a_strategy_that_sets_what_cannot_be_fails(shell: Shell) -> None:
    made_by(shell, "self.interval = '7m'")

    ended = shell("check", "--offline")

    assert ended.code == 1
    assert "breakout: Mine cannot be made: interval is '7m': use one of 1m" in ended.out


def test_a_strategy_that_takes_too_long_to_be_made_fails(shell: Shell) -> None:
    made_by(shell, "__import__('time').sleep(60)")

    ended = shell("check", "--offline", "--set", "rules.max_signal_generation_seconds=1")

    assert ended.code == 1
    assert "breakout: its __init__ took over 1 s (rules.max_signal_generation_seconds)" in ended.out


def test_an_unknown_exchange_fails_with_the_likely_one(shell: Shell) -> None:
    ended = shell("check", "--set", "exchange.id=binanc")

    assert ended.code == 1
    assert verdicts(ended)["exchange"] == "fail"
    assert "did you mean binance" in line_of(ended, "exchange")


def test_an_exchange_that_cannot_be_reached_fails(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/v3"
        ended = shell(
            "check", "--set", "exchange.id=binance", "--set", f"exchange.urls.public={url}"
        )

    assert ended.code == 1
    assert verdicts(ended)["exchange"] == "fail"
    assert "--offline leaves this out" in line_of(ended, "exchange")


def test_a_running_daemon_is_a_warning(shell: Shell) -> None:
    async def meanwhile() -> Ended:
        async with a_storage(shell.folder / "dump" / "sandbox-signal"):
            return await asyncio.to_thread(shell, "check", "--offline")

    ended = asyncio.run(meanwhile())

    assert ended.code == 0
    assert verdicts(ended)["state folder"] == "warn"
    assert f"is in use by the tickd with pid {os.getpid()}" in line_of(ended, "state folder")


def test_a_port_that_somebody_else_has_fails(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = shell("check", "--offline", "--set", f"http.port={port}")

    assert ended.code == 1
    assert line_of(ended, "http") == (
        f"fail  http           127.0.0.1:{port} cannot be used (Address already in use): free it,"
        " or set http.port"
    )


def test_a_port_on_which_somebody_else_answers_fails(shell: Shell) -> None:
    with a_daemon(SomebodyElse) as other:
        elsewhere = shell("check", "--offline", "--set", f"http.port={other.port}")
    with a_daemon() as ours:
        at_home = shell("check", "--offline", "--set", f"http.port={ours.port}")

    assert verdicts(elsewhere)["http"] == "fail"
    assert verdicts(at_home)["http"] == "warn"
    assert "the daemon seems to run" in line_of(at_home, "http")


def test_a_state_folder_that_others_may_write_fails(shell: Shell) -> None:
    path = shell.folder / "dump" / "sandbox-signal"
    path.mkdir(parents=True)
    path.chmod(0o777)

    ended = shell("check", "--offline")

    assert ended.code == 1
    assert verdicts(ended)["state folder"] == "fail"
    assert "chmod 700" in line_of(ended, "state folder")


def test_a_state_folder_that_cannot_be_made_fails(shell: Shell) -> None:
    (shell.folder / "file").touch()

    ended = shell("check", "--offline", "--set", "daemon.state_dir=file/dump")

    assert ended.code == 1
    assert "cannot be made" in line_of(ended, "state folder")


def test_a_state_file_that_cannot_be_trusted_fails(shell: Shell) -> None:
    keep_a_signal(shell.folder / "dump" / "sandbox-signal")
    for file in (shell.folder / "dump" / "sandbox-signal").glob("signal_*"):
        file.write_bytes(file.read_bytes()[:-9])

    ended = shell("check", "--offline")

    assert ended.code == 1
    assert "(tickd state repair decides)" in line_of(ended, "state folder")


def test_open_signals_of_another_exchange_are_a_warning(shell: Shell) -> None:
    keep_a_signal(shell.folder / "dump" / "kraken-signal")

    ended = shell("check", "--offline")

    assert ended.code == 0
    assert "1 open signals that nobody follows" in line_of(ended, "state folder")


@pytest.mark.parametrize(("skew_ms", "verdict"), [(0, Verdict.OK), (-1001, Verdict.WARN)])
def test_a_clock_that_is_off_is_a_warning(skew_ms: int, verdict: Verdict) -> None:
    assert _clock(skew_ms, 1000).verdict is verdict


def keep_a_signal(folder: Path) -> None:
    async def keep() -> None:
        async with a_storage(folder) as storage:
            await storage.state.load()
            await storage.state.save(an_active())

    asyncio.run(keep())
