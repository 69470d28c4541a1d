"""Someone outside who hears of events: notes each one on disk in order of arrival, then says yes.

It lives in the process that kills, never in the one that is killed.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from tests.crash.invariants import Told


class Receiver:
    """Keeps what was posted to `/<name>`, for each name by itself."""

    def __init__(self, note_path: Path) -> None:
        self._lock = Lock()
        self._told: dict[str, list[Told]] = {}
        self._note = os.open(note_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def url(self, name: str) -> str:
        """Return where the daemon `name` is to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def told(self, name: str) -> list[Told]:
        """Return what has arrived under `name`, in order, repeats and all."""
        with self._lock:
            return list(self._told.get(name, ()))

    def forget(self, name: str) -> None:
        """Drop what is known of `name`."""
        with self._lock:
            self._told.pop(name, None)

    def take(self, name: str, body: bytes) -> None:
        """Note one post."""
        post = json.loads(body)
        with self._lock:
            os.write(self._note, name.encode() + b" " + body + b"\n")
            if "symbol" not in post["fields"]:
                # A start, a stop, a command: of no strategy, and judged by nobody here.
                return
            told = told_in(post)
            self._told.setdefault(name, []).append(told)

    def start(self) -> None:
        """Serve from now on, on a thread of its own."""
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._server.server_close()
        os.close(self._note)

    @contextmanager
    def running(self) -> Iterator["Receiver"]:
        """Serve meanwhile."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    # Killed in the middle of a word: nothing was said.
                    self.close_connection = True
                    return
                receiver.take(self.path.strip("/"), body)
                self.send_response(204)
                self.end_headers()

            def handle(self) -> None:
                with suppress(ConnectionError):
                    super().handle()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base
                """Say nothing."""

        return Handler


def told_in(post: dict[str, Any]) -> Told:
    """Return what a post says."""
    fields = post["fields"]
    return Told(
        number=post["number"],
        id=post["id"],
        name=post["event"],
        key=f"{fields['symbol']}/{fields['strategy']}",
        signal_id=fields.get("signal_id", ""),
        level=fields.get("level_percent", 0),
    )
