"""A daemon that the kernel kills for its memory: the next start goes on from what was on disk."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.cli.tickd import opened_in

ROOT = Path(__file__).parents[2]
GROUPS = Path("/sys/fs/cgroup/memory")
LIMIT_BYTES = 320 << 20

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        not (GROUPS / "memory.limit_in_bytes").exists(), reason="needs a memory control group (v1)"
    ),
]

CONFIG = """
[http]
enabled = false

[[strategies]]
name = "eats"
path = "./eats.py:Eats"
symbols = ["BTC/USDT"]
"""
STRATEGY = """
import os
from daemon import Signal, Strategy
class Eats(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return Signal(position="long", price_take_profit=view.price * 1.15,
            price_stop_loss=view.price * 0.85, minute_estimated_time=1440)
    async def on_active(self, *_):
        if "EATS" in os.environ:
            self.eaten = bytearray(1 << 30)
"""


@pytest.fixture
def group() -> Iterator[Path]:
    made = GROUPS / f"tickd-test-{os.getpid()}"
    made.mkdir()
    (made / "memory.limit_in_bytes").write_text(str(LIMIT_BYTES))
    yield made
    made.rmdir()


def run(
    folder: Path, group: Path, seconds: int, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the daemon within the control group."""
    joined = f'echo $$ > {group}/cgroup.procs && exec "$@"'
    return subprocess.run(
        ["sh", "-c", joined, "sh", sys.executable, "-m", "daemon", "run", "--for", f"{seconds}s"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_p6_p14_what_is_killed_for_its_memory_goes_on_at_the_next_start(
    tmp_path: Path, group: Path
) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "eats.py").write_text(STRATEGY)

    killed = run(tmp_path, group, 60, EATS="1")
    after = run(tmp_path, group, 3)

    opened = opened_in(tmp_path)
    assert killed.returncode == -signal.SIGKILL
    assert after.returncode == 0
    assert len(opened) == 1
    assert '"event":"signal_restored"' in after.stdout + after.stderr
