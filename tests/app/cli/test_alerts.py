"""`tickd alerts` and the alerts of `tickd check`, against local servers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.adapters.sinks.telegram.bot_server import (
    CHAT_ID,
    TOKEN,
    BotServer,
    refusal,
    serving_apart,
)
from tests.app.cli.tickd import Shell
from tests.app.samples import STRATEGY, write

LOGIN = "user:" + "topsecret9"


def configure(folder: Path, server: BotServer, more: str = "") -> None:
    token = folder / "telegram.token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    section = f'[alerts.telegram]\ntoken_file = "{token}"\nchat_id = {CHAT_ID}\n'
    write(folder, f'{STRATEGY}{section}base_url = "{server.url}"\n{more}')


@contextmanager
def a_receiver() -> Iterator[tuple[str, list[bytes]]]:
    """Take posts on loopback."""
    bodies: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_without_a_channel_one_is_named(shell: Shell) -> None:
    write(shell.folder, STRATEGY)

    ended = shell("alerts", "test")

    assert ended.code == 78
    assert "[alerts.telegram]" in ended.err


def test_a_test_message_arrives(shell: Shell) -> None:
    with serving_apart() as server, a_receiver() as (address, bodies):
        configure(shell.folder, server, f'[alerts.webhook]\nurl = "http://{address}/hook"\n')
        ended = shell("alerts", "test")

    assert (ended.code, ended.out) == (0, "ok    webhook: it arrived\nok    telegram: it arrived\n")
    assert server.texts[0].startswith("🔔 This is a test")
    assert json.loads(bodies[0]) == {"number": 0, "id": "test", "event": "test", "fields": {}}


def test_what_does_not_arrive_says_why(shell: Shell) -> None:
    with serving_apart() as server:
        server.answers["sendMessage"] = [refusal(400, "Bad Request: chat not found")]
        configure(shell.folder, server)
        ended = shell("alerts", "test")

    assert ended.code == 1
    assert ended.out == (
        "fail  telegram: Telegram answered 400: Bad Request: chat not found."
        " Write to the bot first, or correct chat_id\n"
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of apprise itself
def test_apprise_tells_any_other_service(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_receiver() as (address, bodies):
        write(shell.folder, STRATEGY)
        monkeypatch.setenv("TICKD__ALERTS__APPRISE__URL", f"json://{LOGIN}@{address}/")
        ended = shell("alerts", "test")
        monkeypatch.setenv("TICKD__ALERTS__APPRISE__URL", f"json://{LOGIN}@127.0.0.1:9/")
        dead = shell("alerts", "test")
        monkeypatch.setenv("TICKD__ALERTS__APPRISE__URL", "nothing://topsecret9")
        unknown = shell("alerts", "test")

    assert (ended.code, ended.out) == (0, "ok    apprise: it arrived\n"), ended
    assert json.loads(bodies[0])["title"] == "🔔 This is a test"
    assert (dead.code, dead.out) == (1, "fail  apprise: apprise: not delivered\n")
    assert (unknown.code, unknown.err) == (
        78,
        "tickd: alerts.apprise.url is no address that apprise knows\n",
    )
    assert "topsecret9" not in f"{ended}{dead}{unknown}"


def test_the_chats_that_know_the_bot_are_listed(shell: Shell) -> None:
    with serving_apart() as server:
        configure(shell.folder, server)
        nobody = shell("alerts", "chats")
        for number, chat in enumerate(
            [
                {"id": 7, "type": "private", "first_name": "Ann\x1b[2J"},
                {"id": -9, "type": "group", "title": "ops"},
            ]
        ):
            server.updates.append({"update_id": number, "message": {"chat": chat}})
        ended = shell("alerts", "chats")

    assert nobody.code == 1
    assert "\x1b" not in ended.out
    assert [line.split()[:2] for line in ended.out.splitlines()] == [
        ["-9", "group"],
        ["7", "private"],
    ]


def test_the_chats_are_listed_before_one_is_chosen(shell: Shell) -> None:
    with serving_apart() as server:
        configure(shell.folder, server)
        config = shell.folder / "config.toml"
        lines = config.read_text().splitlines(keepends=True)
        config.write_text("".join(line for line in lines if not line.startswith("chat_id")))
        server.updates.append({"update_id": 1, "message": {"chat": {"id": 7, "type": "private"}}})
        ended = shell("alerts", "chats")

    assert ended.code == 0
    assert ended.out.split() == ["7", "private"]


def test_a_check_asks_whether_token_and_chat_are_known(shell: Shell) -> None:
    with serving_apart() as server:
        configure(shell.folder, server)
        good = shell("check")
        server.answers["getMe"] = [refusal(401, "Unauthorized")]
        bad = shell("check")
        calls = [method for method, _ in server.calls]
        offline = shell("check", "--offline")

    assert "ok    telegram       the bot @tickd_test_bot may write to chat 42" in good.out
    assert "fail  telegram       Telegram does not know the token (401)" in bad.out
    assert (good.code, bad.code, offline.code) == (0, 1, 0)
    assert calls == ["getMe", "getChat", "getMe"]
    assert TOKEN not in f"{good}{bad}{offline}"
