"""Running the command line in a test: in this process, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon.adapters.storage.journal_tools import read_events
from daemon.app.cli.top import run
from daemon.core.events import SignalOpened
from daemon.core.records import TransitionEntry

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands in this process, in a folder of their own."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ended:
        self.capture.readouterr()
        code = run(arguments)
        told = self.capture.readouterr()
        assert "Traceback" not in told.err
        return Ended(code, told.out, told.err)


def tickd(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None, timeout_s: float = 60
) -> Ended:
    """Run the command as a process, with a bare environment."""
    command = ["-m", "daemon", *arguments]
    return python(folder, *command, environ=environ, timeout_s=timeout_s)


def python(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None, timeout_s: float = 60
) -> Ended:
    """Run Python as a process, with a bare environment in which the package is found."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def opened_in(folder: Path) -> list[str]:
    """Return the events of which a daemon in `folder` has told that a position was opened."""
    return [
        event.id
        for item in read_events(folder / "dump" / "sandbox-signal")
        if isinstance(item.entry, TransitionEntry)
        for event in item.entry.events
        if isinstance(event, SignalOpened)
    ]
