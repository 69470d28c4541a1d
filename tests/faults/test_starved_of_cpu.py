"""A daemon that is given a twentieth of a processor: late, honest about it, and well after."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GROUPS = Path("/sys/fs/cgroup/cpu")
TASKS = 200
PERIOD_US, QUOTA_US = 200_000, 10_000

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        not (GROUPS / "cpu.cfs_quota_us").exists(), reason="needs a cpu control group (v1)"
    ),
]


def a_free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


PORT = a_free_port()
CONFIG = f"""
[http]
port = {PORT}

[sandbox]
speed = 60
""" + "".join(
    f"""
[[strategies]]
name = "s{number}"
path = "./one.py:One"
symbols = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
"""
    for number in range(TASKS // 3)
)
STRATEGY = """
from daemon import Strategy
class One(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return None
"""


class Group:
    """A control group of processors; what is in it shares its quota."""

    def __init__(self) -> None:
        self._path = GROUPS / f"tickd-test-{os.getpid()}"
        self._path.mkdir()
        (self._path / "cpu.cfs_period_us").write_text(str(PERIOD_US))

    def take(self, pid: int) -> None:
        (self._path / "cgroup.procs").write_text(str(pid))

    def give(self, quota_us: int) -> None:
        """Allow so much of each period, -1 for all there is."""
        (self._path / "cpu.cfs_quota_us").write_text(str(quota_us))

    def throttled(self) -> int:
        """Return in how many periods somebody wanted more."""
        found = re.search(r"nr_throttled (\d+)", (self._path / "cpu.stat").read_text())
        assert found is not None
        return int(found[1])

    def close(self) -> None:
        self._path.rmdir()


@pytest.fixture
def group() -> Iterator[Group]:
    made = Group()
    yield made
    made.close()


def series(page: str) -> dict[str, float]:
    """Return what the daemon's own page of metrics says."""
    address = f"http://127.0.0.1:{PORT}/{page}"
    with urllib.request.urlopen(address, timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    rows = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def is_ready() -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=60).close()
    except OSError:
        return False
    return True


def wait_for(is_so: Callable[[], bool]) -> None:
    for _ in range(300):
        if is_so():
            return
        time.sleep(0.2)
    raise AssertionError("it never was so")


@dataclass(frozen=True, slots=True)
class Span:
    """The ticks of a while: how many there were in each second, and how late they were (s)."""

    ticks_per_s: float
    late_s: float


def watch(seconds: float) -> Span:
    """Compare the metrics at the begin and the end of a while."""
    name = "tickd_tick_lateness_seconds"
    started_s, before = time.perf_counter(), series("metrics")
    time.sleep(seconds)
    ended_s, after = time.perf_counter(), series("metrics")
    ticks = after[f"{name}_count"] - before[f"{name}_count"]
    late_s = after[f"{name}_sum"] - before[f"{name}_sum"]
    return Span(ticks / (ended_s - started_s), late_s / max(ticks, 1.0))


def is_calm(spans: list[Span], late_s: float) -> bool:
    """Say whether ticks are less late for a while, which is noted in `spans`."""
    spans.append(watch(3.0))
    return spans[-1].late_s < late_s


def test_p24_a_daemon_without_a_processor_is_late_and_recovers_by_itself(
    tmp_path: Path, group: Group
) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "one.py").write_text(STRATEGY)
    spans: list[Span] = []
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "daemon", "run"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_for(is_ready)
            calm = watch(3.0)
            group.take(process.pid)
            group.give(QUOTA_US)
            starved = watch(6.0)
            throttled = group.throttled()
            group.give(-1)
            wait_for(is_ready)
            # What was late before is told in the first of them.
            wait_for(lambda: is_calm(spans, starved.late_s / 2))
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
        finally:
            process.kill()

    assert throttled > 20, "the kernel really held it back"
    assert starved.ticks_per_s > 0, "it goes on, late"
    assert starved.late_s > 2 * calm.late_s, "and tells how late"
    assert len(spans) <= 3, "soon after, it is not late any more"
    most = max(span.ticks_per_s for span in spans)
    assert most < 1.5 * calm.ticks_per_s, "nothing is made up for in heaps"
    assert code == 0
