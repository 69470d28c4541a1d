"""A strategy that ends the process, start after start: nothing is lost, nothing is doubled."""

import time
from pathlib import Path

from tests.app.cli.tickd import opened_in, tickd
from tests.faults.running import running

CONFIG = """
[http]
enabled = false

[[strategies]]
name = "dies"
path = "./dies.py:Dies"
symbols = ["BTC/USDT"]
"""
STRATEGY = """
import os
from daemon import Signal, Strategy
class Dies(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return Signal(position="long", price_take_profit=view.price * 1.15,
            price_stop_loss=view.price * 0.85, minute_estimated_time=1440)
    async def on_active(self, *_):
        if "DIES" in os.environ:
            os._exit(66)
"""


def test_p19_p16_a_process_that_is_ended_at_every_start_keeps_its_position(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "dies.py").write_text(STRATEGY)

    died = [tickd(tmp_path, "run", "--for", "60s", environ={"DIES": "1"}) for _ in range(3)]
    looked = tickd(tmp_path, "state", "verify")
    after = tickd(tmp_path, "run", "--for", "2s")

    assert [ended.code for ended in died] == [66, 66, 66]
    assert looked.code == 0, "what is on disk can be looked at without a start"
    assert after.code == 0
    assert '"event":"signal_restored"' in after.out + after.err
    opened = opened_in(tmp_path)
    assert len(opened) == 1


def test_p19_what_does_not_stay_up_can_be_started_without_any_strategy(tmp_path: Path) -> None:
    """Its position is watched, a person can see and close it, and none of its code runs."""
    (tmp_path / "config.toml").write_text(CONFIG.replace("enabled = false\n", "port = 0\n"))
    (tmp_path / "dies.py").write_text(STRATEGY)
    died = tickd(tmp_path, "run", "--for", "60s", environ={"DIES": "1"})
    (tmp_path / "dies.py").write_text("raise SystemExit('its code has run')")

    with running(tmp_path, "--safe", environ={"DIES": "1"}) as daemon:
        error = daemon.until("error")
        daemon.until("ready")
        task = daemon.tasks()["dies"]
        closed = tickd(tmp_path, "close", "BTC/USDT", "--url", daemon.url)
        time.sleep(2.0)
        after = daemon.tasks()["dies"]
        code = daemon.end()

    assert died.code == 66
    assert "safe mode: no strategy runs and nothing is opened" in error["message"]
    assert (task["state"], task["condition"]) == ("active", "off")
    assert "safe mode" in task["reason"]
    assert closed.code == 0
    assert after["state"] == "idle", "a minute of the market is a second: it would be asked again"
    assert code == 0
