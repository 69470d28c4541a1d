"""A daemon as a process of its own, in a folder of its own, for a fault to happen to."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.doc_stage import ROOT, a_free_port

START_S_MAX = 90.0

STRATEGIES = '''
"""Strategies that trade a lot, fail, or leak."""

import asyncio
import os
import resource

from daemon import Signal, Strategy


class Eager(Strategy):
    """Wants a position every minute, and holds it for two."""

    interval = "1m"

    def get_signal(self, view):
        return Signal(
            position="long",
            price_take_profit=view.price * 1.2,
            price_stop_loss=view.price * 0.9,
            minute_estimated_time=2,
        )


class Raising(Strategy):
    """Fails at every call."""

    interval = "1m"

    def get_signal(self, view):
        raise ValueError("no good")


class Once(dict):
    """A table that can be read once: enough to be accepted, too little to run."""

    was_read = False

    def items(self):
        if self.was_read:
            raise RuntimeError("read already")
        self.was_read = True
        return super().items()


class Brittle(Strategy):
    """Is made, and then breaks the task that runs it."""

    interval = "1m"

    def __init__(self):
        self.history = Once()

    def get_signal(self, view):
        return None


class Leaking(Strategy):
    """Keeps a mebibyte of every call."""

    interval = "1m"
    held = []

    def get_signal(self, view):
        self.held.append(bytearray(1024 * 1024))


class Hoarding(Strategy):
    """Starts tasks that never end, and opens files that it never closes, short of the limit."""

    interval = "1m"
    files, tasks = [], []
    # On a machine that allows a million it would take minutes.
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )

    async def get_signal(self, view):
        self.tasks += [asyncio.create_task(asyncio.sleep(1e9)) for _ in range(10)]
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        while len(self.files) < limit * 0.85:
            self.files.append(open(os.devnull))
'''

_CONFIG = """
[[strategies]]
name = "{name}"
path = "./faulty.py:{strategy}"
symbols = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
{strategy_extra}
[http]
port = {port}
[log]
format = "json"
{extra}
"""


@dataclass(slots=True)
class DaemonProcess:
    """One daemon; `extra` is configuration beside the strategy, `settings` lie over it."""

    folder: Path
    name: str
    strategy: str = "Eager"
    strategy_extra: str = ""
    extra: str = ""
    output: str = ""
    port: int = field(default_factory=a_free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "faulty.py").write_text(STRATEGIES)
        self.write_configuration()

    def write_configuration(self) -> None:
        """Write `config.toml` as it stands now."""
        text = _CONFIG.format(
            name=self.name,
            strategy=self.strategy,
            strategy_extra=self.strategy_extra,
            port=self.port,
            extra=self.extra,
        )
        (self.folder / "config.toml").write_text(text)

    def start(self) -> None:
        """Start it and wait until its metrics can be read."""
        self.process = self._run("run")
        until_s = time.perf_counter() + START_S_MAX
        while time.perf_counter() < until_s:
            if self.process.poll() is not None:
                break
            if self._answers():
                return
            time.sleep(0.2)
        raise AssertionError(f"{self.name} did not start: {self.last_words()}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal; wait for the end where it is one that ends."""
        assert self.process is not None
        self.process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(timeout=60)

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(timeout=60)

    def state(self) -> Path:
        """Return its state folder."""
        return next((self.folder / "dump").glob("*-signal"))

    def page(self) -> str:
        """Return its metrics as they are now. Raises OSError."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def last_words(self) -> str:
        """Return the end of its log."""
        path = self.folder / "log.txt"
        return path.read_text(errors="replace")[-600:] if path.exists() else ""

    def _run(self, *arguments: str) -> "subprocess.Popen[bytes]":
        with open(self.output or self.folder / "log.txt", "ab") as log:  # noqa: PTH123 - /dev/full
            return subprocess.Popen(
                [sys.executable, "-m", "daemon", *arguments],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        try:
            self.page()
        except OSError:
            return False
        return True


@dataclass(slots=True)
class SandboxProcess:
    """A sandbox exchange of its own, for daemons that reach it as they would a real one."""

    folder: Path
    speed: float = 1.0
    plan: str = ""
    port: int = field(default_factory=a_free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "config.toml", self.folder)
        (self.folder / "plan.toml").write_text(f"[faults]\n{self.plan}")
        command = [
            *(sys.executable, "-m", "daemon", "sandbox", "--speed", str(self.speed)),
            *("--port", str(self.port), "--fault-plan", "plan.toml"),
        ]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        until_s = time.perf_counter() + START_S_MAX
        while time.perf_counter() < until_s:
            try:
                self.ask("/api/v3/ping")
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise AssertionError("the sandbox did not start")

    def ask(self, path: str) -> None:
        """Send one request. Raises OSError."""
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10).close()

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=60)
