"""A served daemon and a client that talks in bytes, for the tests of the pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from daemon.adapters.http.server import HttpServer
from daemon.core.redaction import Redactor
from daemon.ports import DaemonStatus
from tests.adapters.sinks.some_status import a_status, a_task

CANARY = "CANARY-0123456789"


class SetStatus:
    """Says what the test sets."""

    def __init__(self) -> None:
        self.now: DaemonStatus | None = a_status(a_task())

    def snapshot(self) -> DaemonStatus:
        if self.now is None:
            raise RuntimeError(f"broken: {CANARY}")
        return self.now


class SomeMetrics:
    content_type = "text/plain; version=0.0.4"

    def __init__(self) -> None:
        self.renderings = 0
        self.size = 0

    def render(self, snapshot: DaemonStatus) -> bytes:
        self.renderings += 1
        return f"tasks {len(snapshot.tasks)} {CANARY}\n".encode() + b"#" * self.size


class Client:
    """Talks to the server in bytes."""

    def __init__(self, http: HttpServer, status: SetStatus, metrics: SomeMetrics) -> None:
        self.http = http
        self.status = status
        self.metrics = metrics

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.http.address)

    async def send(self, request: bytes) -> bytes:
        """Return everything that comes back for `request`."""
        reader, writer = await self.opened()
        try:
            writer.write(request)
            async with asyncio.timeout(10.0):
                return await reader.read()
        finally:
            writer.close()

    async def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        lines = {"Host": "127.0.0.1", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        answer = await self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        top, _, body = answer.partition(b"\r\n\r\n")
        first, *rest = top.decode().split("\r\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Client]:
    status, metrics = SetStatus(), SomeMetrics()
    settings.setdefault("redactor", Redactor([CANARY]))
    http = HttpServer(status, metrics, **settings)
    await http.start("127.0.0.1", 0)
    try:
        yield Client(http, status, metrics)
    finally:
        await http.stop()


def server_connections(client: Client) -> int:
    runner = client.http._runner
    assert runner is not None
    assert runner.server is not None
    return len(runner.server.connections)
