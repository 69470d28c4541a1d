"""A `tickd run` as a process of its own, the lines that it writes and the pages that it serves."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0

Line = dict[str, Any]


class Running:
    """One daemon in `folder`: `until` reads its log, `page` asks it."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.process = process
        self.lines: list[Line] = []
        self.url = ""
        self._heard: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def until(self, event: str) -> Line:
        """Return the next line of the log that tells of `event`. Raises queue.Empty."""
        while True:
            text = self._heard.get(timeout=PATIENCE_S)
            line: Line = json.loads(text) if text.startswith("{") else {"event": text.strip()}
            self.lines.append(line)
            self.url = line.get("pages", self.url)
            if line["event"] == event:
                return line

    def page(self, name: str) -> str:
        """Return what the daemon answers, also where it says that it is not well."""
        try:
            with urllib.request.urlopen(f"{self.url}/{name}", timeout=PATIENCE_S) as answer:
                page: str = answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                page = error.read().decode()
        return page

    def tasks(self) -> dict[str, Line]:
        """Return the tasks by the name of their strategy."""
        return {task["strategy"]: task for task in json.loads(self.page("readyz"))["tasks"]}

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self._heard.put(text)


@contextmanager
def running(
    folder: Path, *flags: str, environ: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a daemon on the configuration of `folder` while the body lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "daemon", "run", "--set", "http.port=0", *flags],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Running(folder, process)
        finally:
            if process.poll() is None:
                process.kill()
