"""`tickd run`: what a person can get wrong ends with one line and its exit code."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.adapters.storage.samples import a_storage
from tests.app.cli.tickd import ROOT, Ended, Shell, opened_in, python
from tests.app.samples import CANARY, STRATEGY, write

COMMAND = Path(sys.executable).with_name("tickd")

ONE = """
[[strategies]]
name = "one"
path = "./mine.py:Mine"
symbols = ["BTC/USDT"]
"""


BUSY = """
[[strategies]]
name = "busy"
path = "./busy.py:Busy"
symbols = ["BTC/USDT"]
"""
BUYS = """
from daemon import Signal, Strategy
class Busy(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return Signal(position="long", price_take_profit=view.price * 1.15,
            price_stop_loss=view.price * 0.85, minute_estimated_time=1440)
"""


def wait_for_page(address: str, without: str) -> str:
    """Return a page that tells of an open position, once it no longer says `without`."""
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(address, timeout=10) as answer:
            page: str = answer.read().decode()
            if without not in page and re.search(
                r"\ntickd_signals_opened_total\{.*\} 1\.0\n", page
            ):
                return page
        time.sleep(0.1)
    raise AssertionError("no such page came")


def the_line(ended: Ended) -> str:
    """Return the one line that tells what is wrong."""
    (line,) = [line for line in ended.err.splitlines() if "using the packaged default" not in line]
    return line


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("daemon.mdoe=live", "daemon.mdoe: there is no such setting. Did you mean daemon.mode?"),
        ("daemon.mode=live", "live trading is not in this version: no orders are placed"),
        ("sandbox.speed=fast", "sandbox.speed: must be a number"),
        ("http.host=0.0.0.0", "can be reached by other machines"),
    ],
)
def test_a_wrong_setting_ends_with_78(shell: Shell, setting: str, told: str) -> None:
    ended = shell("run", "--for", "1s", "--set", setting)

    assert ended.code == 78
    assert told in the_line(ended)


@pytest.mark.parametrize("source", ["flag", "environment", "file"])
@pytest.mark.parametrize("exchange", ["sandbox", "binance"])
def test_c4_nobody_trades_live_by_accident(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, source: str, exchange: str
) -> None:
    """With live keys at hand, from wherever it is asked for: one line, and nothing has begun."""
    monkeypatch.setenv("TICKD__EXCHANGE__API_KEY", CANARY)
    monkeypatch.setenv("TICKD__EXCHANGE__API_SECRET", CANARY)
    write(shell.folder, STRATEGY + ('[daemon]\nmode = "live"\n' if source == "file" else ""))
    if source == "environment":
        monkeypatch.setenv("TICKD__DAEMON__MODE", "live")
    flags = ("--set", "daemon.mode=live") if source == "flag" else ()

    ended = shell("run", "--for", "1s", "--set", f"exchange.id={exchange}", *flags)

    assert ended.code == 78
    line = the_line(ended)
    assert "live trading is not in this version: no orders are placed" in line
    assert "daemon.mode" in line
    assert CANARY not in ended.out + ended.err
    assert sorted(path.name for path in shell.folder.iterdir()) == ["config.toml"]


@pytest.mark.parametrize("word", ["LIVE", "Live", "real", "paper", "true"])
def test_c4_no_other_word_for_live_is_understood(shell: Shell, word: str) -> None:
    ended = shell("run", "--for", "1s", "--set", f"daemon.mode={word}")

    assert ended.code == 78
    assert "daemon.mode: " in the_line(ended)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import nothing_there", "ModuleNotFoundError at"),
        ("def x(:", "SyntaxError at"),
        ("class Mine: ...", "strategies[0].path: "),
        ("from daemon import Strategy\nclass Mine(Strategy): ...", "does not override get_signal"),
    ],
)
def test_p20_where_no_strategy_can_be_loaded_nothing_starts(
    shell: Shell, text: str, told: str
) -> None:
    write(shell.folder, ONE)
    (shell.folder / "mine.py").write_text(text)

    ended = shell("run", "--for", "1s")

    assert ended.code == 78
    assert told in the_line(ended)
    assert "config.toml:4:1: strategies[0].path: " in the_line(ended)


def test_an_unknown_symbol_ends_with_78_and_the_likely_one(shell: Shell) -> None:
    write(shell.folder, STRATEGY.replace("BTC/USDT", "BCT/USDT"))

    ended = shell("run", "--for", "1s")

    assert ended.code == 78
    assert "the sandbox has no BCT/USDT" in the_line(ended)
    assert "Did you mean BTC/USDT?" in the_line(ended)


def test_a_wrong_name_in_the_environment_ends_with_78(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKD__HTTP__PROT", "8421")

    ended = shell("run", "--for", "1s")

    assert ended.code == 78
    assert "TICKD__HTTP__PROT: there is no such setting" in the_line(ended)
    assert "Did you mean TICKD__HTTP__PORT?" in the_line(ended)


def test_s6_a_port_in_use_ends_with_78_and_its_remedy(shell: Shell) -> None:
    write(shell.folder, STRATEGY)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = shell("run", "--for", "1s", "--set", f"http.port={port}")

    assert ended.code == 78
    assert f"port {port} on 127.0.0.1 is in use" in the_line(ended)
    assert "TICKD__HTTP__PORT" in the_line(ended)


def test_a_state_folder_that_cannot_be_used_ends_with_78(shell: Shell) -> None:
    (shell.folder / "file").touch()

    ended = shell("run", "--for", "1s", "--set", "daemon.state_dir=file")

    assert ended.code == 78
    assert "file/sandbox-signal cannot be used as a state folder" in the_line(ended)
    assert "set daemon.state_dir" in the_line(ended)


def test_d13_a_second_daemon_ends_with_75_and_names_the_first(shell: Shell) -> None:
    async def meanwhile() -> Ended:
        async with a_storage(shell.folder / "dump" / "sandbox-signal"):
            return await asyncio.to_thread(shell, "run", "--for", "1s", "--set", "http.port=0")

    ended = asyncio.run(meanwhile())

    assert ended.code == 75
    assert "is in use by the tickd with pid" in the_line(ended)


def test_d22_a_full_disk_of_logs_stops_no_trading_and_is_counted(tmp_path: Path) -> None:
    """Where the log goes is full from the first line on; the state's disk is well."""
    write(tmp_path, BUSY)
    (tmp_path / "busy.py").write_text(BUYS)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"{sys.executable} -m daemon run --set http.port={port} >/dev/full 2>&1"
    with subprocess.Popen(["/bin/sh", "-c", f"exec {command}"], cwd=tmp_path, env=environ) as run:
        try:
            page = wait_for_page(f"http://127.0.0.1:{port}/metrics", "tickd_log_drops_total 0.0")
        finally:
            run.send_signal(signal.SIGTERM)
        assert run.wait(60) == 0

    drops = re.search(r"(?m)^tickd_log_drops_total (.*)$", page)
    assert drops is not None
    assert float(drops[1]) > 0
    told = opened_in(tmp_path)
    assert len(told) == 1


@pytest.mark.parametrize("closed", ["0>&-", "1>&-", "0>&- 1>&- 2>&-"])
def test_s8_a_daemon_that_is_given_no_standard_files_runs_and_ends(
    tmp_path: Path, closed: str
) -> None:
    write(tmp_path, STRATEGY)
    command = f"{sys.executable} -m daemon run --for 0.1s --set http.port=0 {closed}"

    ended = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0


@pytest.mark.skipif(not COMMAND.exists(), reason="needs an installed tickd")
def test_q10_what_lies_in_the_folder_of_the_start_is_not_imported(tmp_path: Path) -> None:
    """Whoever may write there would else run as the daemon, under the name of any library."""
    write(tmp_path, STRATEGY.replace("daemon.strategies.breakout:Breakout", "planted:Planted"))
    for name in ("planted", "stamina", "aiohttp", "structlog", "daemon", "sitecustomize"):
        planted = tmp_path / f"{name}.py"
        planted.write_text("import pathlib\npathlib.Path('has_run').touch()\n")

    ended = python(tmp_path, str(COMMAND), "run", "--for", "1s", "--set", "http.port=0")

    assert ended.code == 78
    assert "there is no module planted among the installed packages" in ended.err
    assert not (tmp_path / "has_run").exists()


def test_q10_the_unit_and_the_image_start_that_command() -> None:
    """Python's -m would look for modules in the folder of the start first."""
    for unit in ("tickd.service", "tickd@.service"):
        (start,) = re.findall(r"(?m)^ExecStart=(.*)$", (ROOT / "systemd" / unit).read_text())
        assert Path(start.split()[0]).name == "tickd", start
    image = (ROOT / "deploy" / "Dockerfile").read_text()
    assert re.findall(r"(?m)^ENTRYPOINT (.*)$", image) == ['["/opt/tickd/bin/tickd"]']
