"""A whole daemon behind real sockets, with its control API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from daemon.adapters.http.api import Api
from daemon.adapters.http.server import HttpServer
from daemon.adapters.sinks.prometheus.metrics import Metrics
from daemon.app.wiring import Daemon
from daemon.core.redaction import Redactor
from daemon.live.control import LiveControl, Reload
from tests.live.scene import Scene

TOKEN = "a-token-that-nobody-guesses"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(slots=True)
class ApiClient:
    """Speaks to the API of a running daemon."""

    http: HttpServer
    daemon: Daemon

    async def post(
        self, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """POST JSON with the token, unless `headers` say otherwise."""
        lines = {"Content-Type": "application/json", **AUTHORIZED, **headers}
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return await self.ask("POST", path, raw, **lines)

    async def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, Any]]:
        """Ask with the token, and send nothing."""
        return await self.ask(method, path, b"", **AUTHORIZED)

    async def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """Send a request as it is; return the status and the JSON of the answer."""
        lines = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
        answer = await self._send(request)
        top, _, text = answer.partition(b"\r\n\r\n")
        return int(top.split()[1]), json.loads(text) if text else {}

    async def _send(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self.http.address)
        try:
            writer.write(request)
            async with asyncio.timeout(10.0):
                return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def an_api(scene: Scene, reload: Reload | None = None) -> AsyncIterator[ApiClient]:
    """Run the daemon of `scene` and its API until the block ends."""
    daemon = scene.assemble()
    daemon.supervisor.stays = True
    world, metrics = daemon.world, Metrics()
    control = LiveControl(
        daemon.supervisor, world.clock, world.journal, tell=lambda entry: None, reload=reload
    )
    http = HttpServer(daemon.status, metrics)
    http.api = Api(control, daemon.status, TOKEN, Redactor([TOKEN]))
    await http.start("127.0.0.1", 0)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run())
            await daemon.supervisor.has_recovered.wait()
            yield ApiClient(http, daemon)
            daemon.stop()
    finally:
        await http.stop()
