"""`tickd report-failure`: the last word on a service, in the log and at every alert sink."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from daemon.app.cli.failure import failure_text
from tests.app.cli.tickd import Shell
from tests.app.samples import STRATEGY, write


class Receiver(HTTPServer):
    """Keeps what was posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.posts: list[bytes] = []
        self.status = 204


class _Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        self.server.posts.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base says so
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def configure(shell: Shell, receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    write(shell.folder, f'{STRATEGY}\n[alerts.webhook]\nurl = "{url}"\n')


def test_the_failure_reaches_the_webhook_as_an_exit(shell: Shell, receiver: Receiver) -> None:
    configure(shell, receiver)

    ended = shell("report-failure", "tickd.service")

    (post,) = map(json.loads, receiver.posts)
    assert ended.code == 0
    assert post["event"] == "exit"
    assert post["fields"]["where"] == "service"
    assert post["fields"]["message"].startswith("tickd.service has failed and is not started again")


def test_a_webhook_that_is_away_is_told_and_ends_with_69(shell: Shell, receiver: Receiver) -> None:
    configure(shell, receiver)
    receiver.status = 500

    ended = shell("report-failure", "tickd.service")

    assert ended.code == 69
    assert "could not be told: webhook: 127.0.0.1 answered 500" in ended.err


def test_the_log_gets_it_with_the_highest_priority(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shell.folder, STRATEGY)
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")

    ended = shell("report-failure", "tickd.service")

    assert ended.code == 0
    assert ended.err.startswith("<1>tickd: tickd.service has failed")


def test_what_systemd_knows_is_said() -> None:
    environ = {"MONITOR_SERVICE_RESULT": "watchdog", "MONITOR_EXIT_STATUS": "ABRT\n<0>x"}

    assert failure_text("tickd.service", environ) == (
        "tickd.service has failed and is not started again (watchdog, last exit ABRT\\n<0>x):"
        " see journalctl --unit tickd.service"
    )
