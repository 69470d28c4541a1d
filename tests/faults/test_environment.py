"""Secrets that came by the environment are not handed on."""

import signal
from pathlib import Path

from tests.app.cli.tickd import tickd
from tests.app.samples import CANARY
from tests.faults.running import running

CONFIG = """
[[strategies]]
name = "looks"
path = "./looks.py:Looks"
symbols = ["BTC/USDT"]
"""
STRATEGY = """
import os, subprocess, sys
from daemon import Strategy
with open("own.txt", "w") as file:
    print(dict(os.environ), file=file)
with open("child.txt", "w") as file:
    code = "import os; print(dict(os.environ))"
    subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
class Looks(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return None
"""


def test_q5_a_secret_of_the_environment_reaches_no_strategy_and_no_child_of_it(
    tmp_path: Path,
) -> None:
    """The daemon itself still knows it, also after a reload."""
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "looks.py").write_text(STRATEGY)
    secrets = {
        "TICKD__HTTP__TOKEN": f"{CANARY}-of-the-token-that-is-long-enough",
        "TICKD__EXCHANGE": f'{{"api_key": "{CANARY}", "api_secret": "{CANARY}"}}',
        "TICKD__LOG__LEVEL": "info",
    }

    with running(tmp_path, environ=secrets) as daemon:
        daemon.until("ready")
        daemon.process.send_signal(signal.SIGHUP)
        while not (reloaded := daemon.until("command")["result"]).startswith("already"):
            pass
        paused = tickd(tmp_path, "pause", "--all", "--url", daemon.url, environ=secrets)
        code = daemon.end()

    own, child = (tmp_path / "own.txt").read_text(), (tmp_path / "child.txt").read_text()
    assert "TICKD__LOG__LEVEL" in own
    assert "TICKD__LOG__LEVEL" in child
    assert CANARY not in own + child
    assert "restart" not in reloaded
    assert paused.code == 0
    assert code == 0
