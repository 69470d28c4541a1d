"""Runs what stands in code blocks of the documentation, in a folder of its own for each page.

A block whose first line names a file, as `# dip.py` or `# at the end of config.toml`, is written to
that file; the folder begins with the `config.toml` of the repository, as a reader's does. In a
console block each line that begins with "$ " is run; no run lasts longer than seconds, whatever
the text says. Commands that look at a running daemon see one that runs elsewhere.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest

from daemon.adapters.storage.journal_tools import read_events
from daemon.app.cli.top import run
from daemon.app.config.load import load_config
from daemon.core.events import ErrorContract
from daemon.core.records import CandleEntry, TransitionEntry
from tests.app.samples import STRATEGY

ROOT = Path(__file__).parents[1]
RUN_FOR = "2s"
RUNS_MAX = 8
MINUTES_MIN = 2
COMMAND_S_MAX = 60
_FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (at the end of )?([\w/]+\.(?:py|toml))\n")
_MAKE_TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
_LOOKS_AT_THE_DAEMON = {
    *("status", "healthcheck", "reload"),
    *("pause", "resume", "stop-task", "start-task", "close", "cancel"),
}
_LASTS = {"run", "sandbox"}


def pages() -> list[Path]:
    """Return every page of the documentation."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its text and the line on which it begins."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


@dataclass(slots=True)
class RunningDaemon:
    """A daemon in a folder of its own, started when a page first looks at it."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Have the daemon run and be ready."""
        if self.process is not None:
            return
        self.port = a_free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "daemon", "run"],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), "TICKD__HTTP__PORT": str(self.port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(400):
            try:
                self.get("http://127.0.0.1:8420/readyz")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the daemon did not become ready")

    def get(self, url: str) -> None:
        """Ask it what a page asks at the usual port. Raises OSError for a bad answer."""
        with urllib.request.urlopen(url.replace(":8420", f":{self.port}"), timeout=10) as answer:
            assert answer.status == 200

    def stop(self) -> None:
        """End it, if it was started."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)


@dataclass(frozen=True, slots=True)
class DocStage:
    """The folder of one page, as its reader has it."""

    folder: Path
    daemon: RunningDaemon
    names: dict[str, object] = field(default_factory=dict)

    def lay_out(self) -> None:
        """Put the configuration there, and `tickd` and `python` on the path."""
        shutil.copy(ROOT / "config.toml", self.folder)
        commands = self.folder / ".bin"
        commands.mkdir()
        for name, options in (("tickd", "-m daemon"), ("python", "")):
            script = commands / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} {options} "$@"\n')
            script.chmod(0o755)

    def play(self, block: Block) -> None:
        """Do with a block what a reader would. Fails where that does not work."""
        named = _FILE.match(block.text)
        if named is not None:
            with (self.folder / named[2]).open("a" if named[1] else "w") as file:
                file.write(f"\n{block.text}")
        match block.language:
            case "console":
                for line in block.text.splitlines():
                    assert line.startswith("$ "), f"no command: {line}"
                    self.run(line.removeprefix("$ "))
            case "toml":
                self.load(block.text, is_whole=named is not None)
            case "json":
                json.loads(block.text)
            case "python" if named is None:
                exec(compile(block.text, f"line {block.line}", "exec"), self.names)

    def load(self, text: str, *, is_whole: bool) -> None:
        """Load a piece of configuration; one without a strategy is laid beside one."""
        path = self.folder / "config.toml"
        if not is_whole:
            path = self.folder / "piece.toml"
            path.write_text(text if "[[strategies]]" in text else f"{STRATEGY}\n{text}")
        load_config(path)

    def run(self, command: str) -> None:
        """Run one command of a console block."""
        words = shlex.split(command, comments=True)
        while "=" in words[0]:
            words.pop(0)
        match words:
            case ["make", *options]:
                _check_targets(options)
            case ["curl", *_]:
                self.daemon.start()
                self.daemon.get(words[-1])
            case ["tickd", subject, *_] if subject in _LOOKS_AT_THE_DAEMON:
                self.daemon.start()
                self._call(command, self.daemon.port)
            case ["tickd", subject, *_] if subject not in _LASTS and not set(command) & set("|>&;"):
                self._call(command, 0)
            case ["tickd", "run", *_]:
                self._let_it_run(re.sub(r"(?<=--for )\S+", RUN_FOR, command))
            case ["tickd" | "python" | "cp" | "tar" | "ls" | "rm" | "mv", *_]:
                seconds = "1s" if "sandbox" in words else RUN_FOR
                self._shell(re.sub(r"(?<=--for )\S+", seconds, command), 0)
            case _:
                raise AssertionError(f"nothing here knows how to try: {command}")

    def trades(self, name: str) -> bool:
        """Say whether a strategy makes signals in the page's folder, if it gets the time."""
        for _ in range(RUNS_MAX):
            if name in self._trading():
                return True
            self._shell(f"tickd run --for {RUN_FOR}", 0)
        return name in self._trading()

    def _let_it_run(self, command: str) -> None:
        """Run the daemon until minutes have ended in it: seconds are few on a busy machine."""
        for _ in range(RUNS_MAX):
            self._shell(command, 0)
            if "--for" not in command or self._minutes() >= MINUTES_MIN:
                return

    def _minutes(self) -> int:
        journal = self.folder / "dump" / "sandbox-signal"
        if not journal.exists():
            return MINUTES_MIN  # a run with a folder of its own
        told = Counter(
            item.entry.symbol
            for item in read_events(journal)
            if isinstance(item.entry, CandleEntry)
        )
        return max(told.values(), default=0)

    def _trading(self) -> set[str]:
        return {
            event.key.strategy_name
            for item in read_events(self.folder / "dump" / "sandbox-signal")
            if isinstance(item.entry, TransitionEntry)
            for event in item.entry.events
            if not isinstance(event, ErrorContract)
        }

    def _call(self, command: str, port: int) -> None:
        """Run a command of ours in this process, which takes a tenth of the time."""
        words = shlex.split(command, comments=True)
        start = words.index("tickd")
        told = StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(told), redirect_stderr(told):
            patch.chdir(self.folder)
            if port:
                patch.setenv("TICKD__DAEMON__STATE_DIR", str(self.daemon.folder / "dump"))
            for setting in (f"TICKD__HTTP__PORT={port}", *words[:start]):
                patch.setenv(*setting.split("=", 1))
            code = run(words[start + 1 :])
        assert code == 0, f"{command}: {code}\n{told.getvalue()}"

    def _shell(self, command: str, port: int) -> None:
        ended = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env={
                "PATH": f"{self.folder / '.bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "TICKD__HTTP__PORT": str(port),
            },
            capture_output=True,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        lines = (ended.stdout + ended.stderr).splitlines()
        # What the market did between two runs of a page is told as an error, and is none; nor is
        # a market of sixty times real time that a busy machine is a second late for.
        errors = [
            line
            for line in lines
            if '"level":"error"' in line and not any(word in line for word in ('"gap"', '"stream"'))
        ]
        assert ended.returncode == 0, "\n".join([command, *lines[-20:]])
        assert errors == [], f"{command}: {errors[0]}"


def _check_targets(options: list[str]) -> None:
    known = _MAKE_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    for target in (word for word in options if "=" not in word):
        assert target in known, f"make has no target {target}"


def a_free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
