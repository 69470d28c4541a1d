"""Child processes, and what they cost as the kernel counts it: nothing is asked of themselves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import MappingProxyType
from typing import IO, Any

import orjson

ROOT = Path(__file__).parent.parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 60.0


class ChildError(RuntimeError):
    """A child ended, said something unexpected, or said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a process has used up to a moment (machine time)."""

    at_s: float
    cpu_s: float
    rss_mib: float

    def cpu_s_per_minute(self, before: "Usage") -> float:
        """Return the CPU seconds a minute since `before`, all threads, user and system."""
        return (self.cpu_s - before.cpu_s) / (self.at_s - before.at_s) * 60.0

    def core_percent(self, before: "Usage") -> float:
        """Return the share of one core since `before`, in percent."""
        return (self.cpu_s - before.cpu_s) / (self.at_s - before.at_s) * 100.0


class Child:
    """A Python process that tells lines of JSON and is told lines of text.

    `more` is added to its environment.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        environment = {**os.environ, **more, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder or ROOT,
            env=environment,
        )
        self._name = " ".join(arguments)
        # Read all the time: a full pipe would hold up whoever writes into it.
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        assert self._process.stdout is not None
        self._reader = Thread(target=_drain, args=(self._process.stdout, self._lines))
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def usage(self) -> Usage:
        """Return what the whole process has used by now."""
        cpu_s = cpu_s_of(self.pid)
        return Usage(at_s=time.monotonic(), cpu_s=cpu_s, rss_mib=rss_mib_of(self.pid))

    def tell(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def begin(self) -> None:
        """Send SIGUSR1: what it measures, it measures from now on."""
        self._process.send_signal(signal.SIGUSR1)

    def interrupt(self) -> None:
        """Send SIGTERM and wait for nothing: it may have last words."""
        self._process.terminate()

    def hear(self, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the next line of JSON that it says. Raises ChildError."""
        try:
            line = self._lines.get(timeout=patience_s)
        except Empty:
            raise ChildError(f"{self._name} said nothing in {patience_s:.0f} s") from None
        if not line:
            raise ChildError(f"{self._name} ended with {self._process.wait()}")
        told = orjson.loads(line)
        if not isinstance(told, dict):
            raise ChildError(f"{self._name} said {line!r}")
        return told

    def end(self, patience_s: float = 30.0) -> None:
        """Ask it to end (SIGTERM), and insist if it does not."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _drain(pipe: IO[bytes], lines: "SimpleQueue[bytes]") -> None:
    """Hand on each line, and an empty one at the end."""
    for line in pipe:
        lines.put(line)
    lines.put(b"")


@contextmanager
def child(*arguments: str, folder: Path | None = None) -> Iterator[Child]:
    """Run a child for the length of the block."""
    started = Child(arguments, folder)
    try:
        yield started
    finally:
        started.end()


def cpu_s_of(pid: int) -> float:
    """Return the CPU seconds of a process: all its threads, those that have ended too."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def rss_mib_of(pid: int) -> float:
    """Return the resident memory of a process in MiB, shared pages of libraries included."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ChildError(f"process {pid} has no memory")
