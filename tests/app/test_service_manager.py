"""A real `tickd run` and what its service manager hears: ready, alive, stuck, stopping."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """
[http]
enabled = false

[[strategies]]
name = "one"
path = "./one.py:One"
symbols = ["BTC/USDT"]
"""
QUIET = """
import os, subprocess, sys
from daemon import Strategy
code = "import os; print([n for n in os.environ if 'NOTIFY' in n or 'WATCHDOG' in n])"
with open("children.txt", "w") as file:
    subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
class One(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return None
"""
HANGS = """
import time
from daemon import Strategy
class One(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        while True:
            try:
                time.sleep(0.1)
            except BaseException:
                pass
"""
STUCK = """
import threading
from daemon import PersistSignalAdapter, Signal, Strategy, use_persist_signal_adapter
class Stuck(PersistSignalAdapter):
    def write(self, record):
        threading.Event().wait()
use_persist_signal_adapter(Stuck)
class One(Strategy):
    interval = "1m"
    async def get_signal(self, view):
        return Signal(position="long", price_take_profit=view.price * 1.1,
            price_stop_loss=view.price * 0.9, minute_estimated_time=600)
"""


@dataclass
class Service:
    """A daemon, and the socket on which it tells how it fares."""

    folder: Path
    heard: socket.socket
    process: subprocess.Popen[str]

    def next(self, timeout_s: float = 30.0) -> str:
        """Return the next message. Raises TimeoutError."""
        self.heard.settimeout(timeout_s)
        return self.heard.recv(4096).decode()

    def until(self, begin: str) -> list[str]:
        """Return the messages up to the first that begins so."""
        messages = [self.next()]
        while not messages[-1].startswith(begin):
            messages.append(self.next())
        return messages

    def falls_silent(self, silence_s: float) -> bool:
        """Say whether the messages end while the process lives."""
        for _ in range(200):
            try:
                self.next(silence_s)
            except TimeoutError:
                return self.process.poll() is None
        return False


@pytest.fixture
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Start a daemon with the strategy that the test names."""
    (tmp_path / "one.py").write_text(request.param)
    (tmp_path / "config.toml").write_text(CONFIG)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "2000000",
        }
        with subprocess.Popen(
            [sys.executable, "-m", "daemon", "run"],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield Service(tmp_path, heard, process)
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("service", [QUIET], indirect=True)
def test_a_life_is_told_from_start_to_stop(service: Service) -> None:
    start = service.until("READY=1")
    life = service.until("WATCHDOG=1")
    service.process.send_signal(signal.SIGTERM)
    service.until("STOPPING=1")

    assert start[0] == "STATUS=starting: recovering the state"
    assert "STATUS=1 of 1 task ready on sandbox" in life
    assert service.process.wait(30) == 0


@pytest.mark.parametrize("service", [QUIET], indirect=True)
def test_no_process_of_a_strategy_can_speak_for_the_daemon(service: Service) -> None:
    service.until("READY=1")

    assert (service.folder / "children.txt").read_text() == "[]\n"


@pytest.mark.parametrize("service", [HANGS], indirect=True)
def test_p11_a_loop_that_hangs_feeds_no_watchdog_and_tells_where_it_hung(
    service: Service,
) -> None:
    service.until("WATCHDOG=1")

    assert service.falls_silent(3.0)

    service.process.send_signal(signal.SIGABRT)
    _, told = service.process.communicate(timeout=30)
    assert service.process.returncode == -signal.SIGABRT
    assert 'one.py", line' in told
    assert "in get_signal" in told


@pytest.mark.parametrize("service", [STUCK], indirect=True)
def test_a_writer_that_is_stuck_feeds_no_watchdog_and_is_named(service: Service) -> None:
    service.until("STATUS=stuck: a write to the state folder has not come back")

    after = [service.next() for _ in range(3)]

    assert [message[:13] for message in after] == ["STATUS=stuck:"] * 3


def _mistype(file: Path) -> None:
    file.write_text(CONFIG + "nonsense = 1\n")


def _tear(file: Path) -> None:
    file.write_text(CONFIG[: len(CONFIG) // 2])


@pytest.mark.parametrize("service", [QUIET], indirect=True)
@pytest.mark.parametrize("spoil", [_mistype, _tear, Path.unlink])
def test_p5_c7_a_reload_is_told_and_a_bad_configuration_changes_nothing(
    service: Service, spoil: Callable[[Path], None]
) -> None:
    service.until("STATUS=1 of 1 task ready")
    spoil(service.folder / "config.toml")
    service.process.send_signal(signal.SIGHUP)

    begun = service.until("RELOADING=1")[-1]
    ended = service.until("STATUS=1 of 1 task ready")

    assert "MONOTONIC_USEC=" in begun
    assert "READY=1" in ended
    assert service.process.poll() is None
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(30) == 0
