"""A strategy that cannot be loaded: the others start, and everybody is told."""

import json
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.app.cli.tickd import tickd
from tests.faults.running import running

CONFIG = """
[[strategies]]
name = "good"
path = "./good.py:Good"
symbols = ["BTC/USDT"]

[[strategies]]
name = "bad"
path = "./bad.py:Bad"
symbols = ["ETH/USDT"]
"""
GOOD = """
from daemon import Strategy
class Good(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return None
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import nothing_there", "ModuleNotFoundError at"),
        ("class Bad: ...", "Bad is no strategy"),
    ],
)
def test_p20_the_others_start_and_the_broken_one_is_told_everywhere(
    tmp_path: Path, text: str, told: str
) -> None:
    """Mended, a reload starts it beside the others."""
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(text)

    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(60.0)
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}

    with manager, running(tmp_path, environ=environ) as daemon:
        error = daemon.until("error")
        while not (line := manager.recv(4096).decode()).startswith("STATUS=degraded: "):
            pass
        daemon.until("ready")
        ready, metrics = json.loads(daemon.page("readyz")), daemon.page("metrics")
        status = tickd(tmp_path, "status", "--url", daemon.url)
        (tmp_path / "bad.py").write_text(GOOD.replace("Good", "Bad"))
        daemon.process.send_signal(signal.SIGHUP)
        while not daemon.until("command")["result"].startswith("done"):
            pass
        while not daemon.tasks()["bad"]["ready"]:
            time.sleep(0.2)
        code = daemon.end()

    tasks = {task["strategy"]: task for task in ready["tasks"]}
    assert (tasks["good"]["ready"], tasks["good"]["condition"]) == (True, "running")
    assert (tasks["bad"]["ready"], tasks["bad"]["condition"]) == (False, "off")
    assert not ready["ready"]
    assert line.startswith("STATUS=degraded: 1 of 2 tasks ready on sandbox")
    assert told in line
    assert told in ready["reasons"][0]
    assert "mend it, then: tickd reload" in ready["reasons"][0]
    assert (error["where"], error["strategy"]) == ("strategy", "bad")
    assert 'tickd_tasks{condition="off"} 1.0' in metrics
    assert 'tickd_task_ready{strategy="bad",symbol="ETH/USDT"} 0.0' in metrics
    assert status.code == 1, "the answer is bad"
    assert "off (switched off by" in status.out
    assert code == 0


def test_p20_a_check_before_the_start_still_fails(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text("import nothing_there")

    ended = tickd(tmp_path, "check", "--offline")

    assert ended.code == 78
    assert "strategies[1].path: cannot be imported" in ended.out
