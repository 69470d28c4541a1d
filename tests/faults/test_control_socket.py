"""A daemon that takes commands by a Unix socket: not by its port any more."""

import json
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.app.cli.tickd import tickd
from tests.doc_stage import a_free_port
from tests.faults.running import running

CONFIG = """
[http]
port = {port}
control_socket = "control.sock"

[[strategies]]
name = "breakout"
path = "daemon.strategies.breakout:Breakout"
symbols = ["BTC/USDT"]
"""


def test_q6_commands_come_by_the_socket_and_not_by_the_port(tmp_path: Path) -> None:
    port = a_free_port()
    (tmp_path / "config.toml").write_text(CONFIG.format(port=port))
    place = tmp_path / "control.sock"

    with running(tmp_path, "--set", f"http.port={port}") as daemon:
        daemon.until("ready")
        mode = stat.S_IMODE(place.stat().st_mode)
        token = (tmp_path / "dump" / "sandbox-signal" / "control.token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/pause",
            data=json.dumps({"all": True}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        refused.value.close()
        before = daemon.tasks()["breakout"]["reason"]
        paused = tickd(tmp_path, "pause", "--all")
        after = daemon.tasks()["breakout"]["reason"]
        code = daemon.end()

    assert mode == 0o600
    assert refused.value.code == 405
    assert "paused" not in before
    assert (paused.code, "paused" in after) == (0, True)
    assert code == 0
    assert not place.exists()
