"""Secrets of a real daemon that is aborted or looked into: no file and no neighbour has them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app.samples import CANARY

ROOT = Path(__file__).parents[2]
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("setpriv") is None, reason="needs Linux and setpriv"
)

CONFIG = """
[http]
port = 0

[alerts.webhook]
url = "http://127.0.0.1:9/hook"
secret_file = "webhook.secret"

[[strategies]]
name = "one"
path = "./one.py:One"
symbols = ["BTC/USDT"]
"""
STRATEGY = """
import threading
from pathlib import Path
from daemon import Strategy
class One(Strategy):
    interval = "1m"
    def get_signal(self, view):
        secret = Path("webhook.secret").read_text()
        assert secret
        Path("asked").touch()
        threading.Event().wait()
"""
KEEPS_IT = """
import os, sys, time
secret = sys.stdin.read()
print("ready", flush=True)
os.kill(os.getpid(), 6) if "abort" in sys.argv else time.sleep(60)
"""


CORES = ("sh", "-c", 'ulimit -c unlimited 2>&- || ulimit -c $(ulimit -H -c); exec "$@"', "sh")
"""Begins a command that may write a core file as large as they come."""


IS_ROOT = os.geteuid() == 0
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if IS_ROOT else ()
"""Root may look into everything by a right of its own: everybody does without that here."""


@dataclass
class Holder:
    """A daemon that holds the canary in every place where it takes a secret."""

    folder: Path
    heard: socket.socket
    process: subprocess.Popen[bytes]

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Hear what it tells its service manager until it is so. Raises TimeoutError."""
        self.heard.settimeout(60.0)
        while not is_so():
            self.heard.recv(4096)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    (tmp_path / "one.py").write_text(STRATEGY)
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "webhook.secret").write_text(CANARY)
    (tmp_path / "webhook.secret").chmod(0o600)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "1000000",
        "TICKD__EXCHANGE__API_KEY": CANARY,
        "TICKD__EXCHANGE__API_SECRET": CANARY,
    }
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard,
        (tmp_path / "out.log").open("wb") as out,
        (tmp_path / "err.log").open("wb") as err,
    ):
        heard.bind(environ["NOTIFY_SOCKET"])
        with subprocess.Popen(
            [*CORES, *UNPRIVILEGED, sys.executable, "-m", "daemon", "run"],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        ) as process:
            yield Holder(tmp_path, heard, process)
            process.kill()


def files_with_the_canary(folder: Path) -> list[str]:
    """Return the files below `folder`, but for the one that was written to hold it."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "webhook.secret":
            with path.open("rb") as file:
                if CANARY.encode() in file.read():
                    found.append(str(path.relative_to(folder)))
    return found


def test_q4_q16_a_daemon_that_is_aborted_leaves_its_secrets_nowhere(holder: Holder) -> None:
    """SIGABRT is what a service manager sends to a process that hangs: by habit it dumps core."""
    holder.wait_until((holder.folder / "asked").exists)

    holder.process.send_signal(signal.SIGABRT)
    code = holder.process.wait(30)

    assert code == -signal.SIGABRT
    told = (holder.folder / "err.log").read_text()
    assert "in get_signal" in told, "the place is told"
    assert 'one.py", line' in told
    assert (holder.folder / "out.log").stat().st_size + len(told) > 0
    assert len([path for path in holder.folder.rglob("*") if path.is_file()]) > 6
    assert [path.name for path in holder.folder.rglob("core*")] == []
    assert files_with_the_canary(holder.folder) == []


def test_q4_a_process_that_does_not_care_does_leave_them(tmp_path: Path) -> None:
    """Else the test above would show nothing here."""
    if CORE_PATTERN.read_text().startswith(("|", "/")):
        pytest.skip("this machine's cores go where a test cannot look")
    # A daemon that ran in this very process has taken the right away for good.
    limit = subprocess.run([*CORES, "sh", "-c", "ulimit -c"], capture_output=True, check=True)
    if limit.stdout == b"0\n":
        pytest.skip("no process here may leave a core")

    ended = subprocess.run(
        [*CORES, sys.executable, "-c", KEEPS_IT, "abort"],
        cwd=tmp_path,
        input=CANARY.encode(),
        stdout=subprocess.DEVNULL,
        check=False,
    )

    assert ended.returncode == -signal.SIGABRT
    assert len(files_with_the_canary(tmp_path)) == 1


def reads(pid: int, name: str) -> bool:
    """Say whether another process of the same user gets to read that file about `pid`."""
    code = f"open('/proc/{pid}/{name}', 'rb').read(1)"
    command = [*UNPRIVILEGED, sys.executable, "-S", "-c", code]
    told = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert told.returncode == 0 or "PermissionError" in told.stderr, told.stderr
    return told.returncode == 0


def test_q16_no_process_of_the_same_user_may_look_into_its_memory(holder: Holder) -> None:
    holder.wait_until((holder.folder / "asked").exists)

    seen = {name: reads(holder.process.pid, name) for name in ("environ", "maps", "mem")}

    assert seen == {"environ": False, "maps": False, "mem": False}
    with subprocess.Popen(
        [*UNPRIVILEGED, sys.executable, "-S", "-c", KEEPS_IT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as careless:
        assert careless.stdout is not None
        begun, may_read = careless.stdout.readline(), reads(careless.pid, "environ")
        careless.kill()
    assert begun == "ready\n"
    assert may_read, "of any other process it may"
