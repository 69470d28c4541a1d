"""Asking the daemon over HTTP, and what is told when nobody answers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import typer

from daemon.app.cli.probe import NoAnswerError, ask, find_daemon
from daemon.app.config.address import Address
from tests.app.cli.tickd import Shell
from tests.app.samples import write


class Daemon(BaseHTTPRequestHandler):
    """Answers like a daemon that lives and is not ready."""

    def do_GET(self) -> None:
        status = {"/livez": 200, "/readyz": 503}.get(self.path, 404)
        body = f"{self.path} for {self.headers['Host']}".encode()
        if self.path == "/livez":
            body = b'{"live": true}'
        if status == 503:
            body = b'{"ready": false, "reasons": ["no price", "BTC/USDT: off\\n"]}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class SomebodyElse(Daemon):
    """Answers every question with a page of its own."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>hello</h1>")


@contextmanager
def a_daemon(handler: type[BaseHTTPRequestHandler] = Daemon) -> Iterator[Address]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Address(host="127.0.0.1", port=server.server_address[1], name="tickd.test")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_the_daemon_is_called_by_its_name() -> None:
    with a_daemon() as address:
        answer = ask(address, "/elsewhere", 5)

    assert (answer.status, answer.body) == (404, f"/elsewhere for tickd.test:{address.port}")


def test_nobody_who_answers_is_told() -> None:
    port = a_free_port()

    with pytest.raises(NoAnswerError) as error:
        ask(Address(host="127.0.0.1", port=port, name="x"), "/livez", 1)
    assert str(error.value) == f"no daemon answers at 127.0.0.1:{port} (Connection refused)"


@pytest.mark.timeout(10)
def test_a_daemon_that_hangs_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = Address(host="127.0.0.1", port=silent.getsockname()[1], name="x")

        with pytest.raises(NoAnswerError, match="timed out"):
            ask(address, "/livez", 0.1)


def test_an_address_may_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, "[http]\nport = 81\n")

    assert find_daemon(path, None).port == 81
    assert find_daemon(path, "http://127.0.0.1:82").port == 82
    assert find_daemon(path, "127.0.0.1:83").port == 83


@pytest.mark.parametrize("url", ["", "http://", "http://x", "https://x:1", "http://x:y", "x:99999"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no address"):
        find_daemon(None, url)


def test_a_healthcheck_says_whether_the_daemon_is_ready_or_lives(shell: Shell) -> None:
    with a_daemon() as address:
        ready = shell("healthcheck", "--url", str(address))
        lives = shell("healthcheck", "--live", "--url", str(address))
    gone = shell("healthcheck", "--url", f"127.0.0.1:{a_free_port()}")

    assert (ready.code, lives.code, gone.code) == (1, 0, 1)
    assert lives.out == "ok\n"
    assert ready.out == "no price; BTC/USDT: off\\n\n"
    assert "no daemon answers" in gone.err


def test_somebody_else_who_answers_a_healthcheck_is_told(shell: Shell) -> None:
    with a_daemon(SomebodyElse) as address:
        ended = shell("healthcheck", "--url", str(address))

    assert ended.code == 1
    assert f"what answers at {address.host}:{address.port} is no tickd (HTTP 200)" in ended.err


def test_a_wrong_address_is_a_wrong_command_line(shell: Shell) -> None:
    assert shell("healthcheck", "--url", "x").code == 2
