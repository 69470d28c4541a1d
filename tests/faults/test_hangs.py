"""A strategy that hangs the whole daemon, start after start, until it is not asked any more."""

import json
import signal
import time
from pathlib import Path

from tests.app.cli.tickd import tickd
from tests.faults.running import running

CONFIG = """
[daemon]
strategy_hangs_max = 2

[[strategies]]
name = "good"
path = "./both.py:Good"
symbols = ["BTC/USDT"]

[[strategies]]
name = "hangs"
path = "./both.py:Hangs"
symbols = ["ETH/USDT"]
"""
BOTH = """
import pathlib, time
from daemon import Strategy
class Good(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return None
class Hangs(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        while True:
            try:
                pathlib.Path("asked").touch()
                if pathlib.Path("mended").exists():
                    return None
                time.sleep(0.1)
            except BaseException:
                pass
"""


def test_p11_what_hangs_the_daemon_again_and_again_starts_switched_off(tmp_path: Path) -> None:
    """As a watchdog does: ended by SIGABRT, started again. A person may have it asked again."""
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "both.py").write_text(BOTH)
    asked = tmp_path / "asked"

    for _ in range(2):
        with running(tmp_path) as daemon:
            daemon.until("recovered")
            while not asked.exists():
                time.sleep(0.1)
            assert daemon.end(signal.SIGABRT) == -signal.SIGABRT
            asked.unlink()
    with running(tmp_path) as daemon:
        error = daemon.until("error")
        daemon.until("ready")
        tasks = daemon.tasks()
        was_asked = asked.exists()
        (tmp_path / "mended").touch()
        started = tickd(
            tmp_path, "start-task", "ETH/USDT", "hangs", "--url", daemon.url, environ={}
        )
        while not asked.exists() or not daemon.tasks()["hangs"]["ready"]:
            time.sleep(0.1)
        code = daemon.end()
    kept = json.loads((tmp_path / "dump" / "sandbox-signal" / "hangs.json").read_text())

    told = "the daemon hung or ended in its code 2 times in a row"
    assert (error["where"], error["strategy"]) == ("strategy", "hangs")
    assert told in error["message"]
    assert tasks["hangs"]["condition"] == "off"
    assert told in tasks["hangs"]["reason"]
    assert "tickd start-task ETH/USDT hangs" in tasks["hangs"]["reason"]
    assert tasks["good"]["ready"]
    assert not was_asked
    assert started.code == 0
    assert code == 0
    assert kept == []
