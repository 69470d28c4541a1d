"""A real Prometheus, a real Alertmanager and somebody who receives what they send."""

import json
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.alerts.shortened import write_configuration
from tests.doc_stage import a_free_port

NEEDED = ("prometheus", "prometheus-alertmanager")
POLL_S = 0.5


def missing_programs() -> list[str]:
    """Return what must be installed first."""
    return [name for name in NEEDED if shutil.which(name) is None]


@dataclass(slots=True)
class Received:
    """What arrived at the webhook: (alert, instance, status), in order."""

    alerts: list[tuple[str, str, str]] = field(default_factory=list)

    def has(self, alert: str, instance: str, status: str) -> bool:
        """Say whether such a message has come."""
        return (alert, instance, status) in self.alerts


@contextmanager
def receiving() -> Iterator[tuple[str, Received]]:
    """Listen for Alertmanager's webhook; yield the address and what comes."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for alert in body["alerts"]:
                labels = alert["labels"]
                told = (labels["alertname"], labels.get("instance", ""), alert["status"])
                received.alerts.append(told)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()


@dataclass(slots=True)
class Watch:
    """A running Prometheus: which targets it scrapes, and what fires."""

    folder: Path
    url: str
    received: Received
    _targets: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def scrape(self, instance: str, port: int) -> None:
        """Add a daemon to the targets."""
        with self._lock:
            self._targets[instance] = port
            self._write()

    def forget_all(self) -> None:
        """Scrape nothing any more."""
        with self._lock:
            self._targets.clear()
            self._write()

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the series that `expr` gives now. Raises ValueError for a refused one."""
        answer = self._get(f"/api/v1/query?{urllib.parse.urlencode({'query': expr})}")
        series: list[dict[str, Any]] = answer["data"]["result"]
        return series

    def firing(self, instance: str) -> set[str]:
        """Return the alerts that fire for `instance`, and those that have none."""
        alerts = self._get("/api/v1/alerts")["data"]["alerts"]
        return {
            alert["labels"]["alertname"]
            for alert in alerts
            if alert["state"] == "firing" and alert["labels"].get("instance", "") == instance
        }

    def wait_for(self, alert: str, instance: str, timeout_s: float) -> float | None:
        """Return after how many seconds `alert` fired, None if it did not."""
        started_s = time.perf_counter()
        while (passed_s := time.perf_counter() - started_s) < timeout_s:
            if alert in self.firing(instance):
                return passed_s
            time.sleep(POLL_S)
        return None

    def _write(self) -> None:
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": instance}}
            for instance, port in self._targets.items()
        ]
        path = self.folder / "targets.json"
        path.with_suffix(".tmp").write_text(json.dumps(groups))
        path.with_suffix(".tmp").replace(path)

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                told: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error
        return told


@contextmanager
def watching(folder: Path) -> Iterator[Watch]:
    """Run Prometheus and Alertmanager on loopback, with everything in `folder`."""
    port, alertmanager_port = a_free_port(), a_free_port()
    with receiving() as (hook, received):
        (folder / "alertmanager.yml").write_text(_alertmanager(hook))
        write_configuration(folder, f"127.0.0.1:{alertmanager_port}")
        watch = Watch(folder, f"http://127.0.0.1:{port}", received)
        watch.forget_all()
        commands = (
            (
                "prometheus-alertmanager",
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alertmanager",
                f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                "--cluster.listen-address=",  # else it looks for others
            ),
            (
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{port}",
            ),
        )
        running = [_start(command, folder) for command in commands]
        try:
            _until_ready(watch.url)
            yield watch
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=30)


def _start(command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{command[0]}.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _until_ready(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise AssertionError("Prometheus did not become ready")


def _alertmanager(hook: str) -> str:
    return (
        "route: {receiver: hook, group_by: [alertname, instance],"
        " group_wait: 500ms, group_interval: 1s, repeat_interval: 1h}\n"
        f"receivers: [{{name: hook, webhook_configs: [{{url: '{hook}', send_resolved: true}}]}}]\n"
    )
