"""Serves the pages: GET and HEAD, on loopback, to a bounded number of clients at a time.

A connection carries one request and ends within seconds. Whoever is slow, silent or many takes
nobody's place for longer, and the event loop waits for none of them.
"""

import asyncio
import errno
import json
import logging
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aiohttp import web

from daemon.adapters.http.answers import JSON, TEXT, Page
from daemon.adapters.http.api import PREFIX, Api
from daemon.adapters.http.errors import BindError, PortInUseError, PublicAddressError
from daemon.adapters.http.hosts import AllowedHosts
from daemon.adapters.http.page import Site
from daemon.adapters.http.pages import Exposition, Pages
from daemon.adapters.http.unix_socket import bind_unix, remove_unix
from daemon.core.redaction import Redactor
from daemon.ports import Status

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS_MAX = 64
CONNECTION_S_MAX = 10.0
STOP_S = 1.0
HEADER_BYTES_MAX = 4096
HEADERS_MAX = 64

_HEADERS = {
    "Server": "tickd",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class HttpServer:
    """The daemon's pages, and its `api` and `site` where they are set before the start.

    With a `control_socket` the API answers there, and nowhere else. `allow_remote` permits
    addresses that other machines can reach.
    """

    def __init__(
        self,
        status: Status,
        metrics: Exposition,
        *,
        allowed_hosts: Sequence[str] = (),
        allow_remote: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        self._pages = Pages(status, metrics, redactor or Redactor())
        self._allowed_hosts = allowed_hosts
        self._hosts = AllowedHosts(allowed_hosts)
        self._allow_remote = allow_remote
        self.api: Api | None = None
        self.site: Site | None = None
        self._runner: web.ServerRunner | None = None
        self.address = ("", 0)
        self.control_socket: Path | None = None

    @property
    def url(self) -> str:
        """Return where the pages are, once started."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self, host: str = "127.0.0.1", port: int = 8420) -> None:
        """Listen; port 0 takes any that is free. Raises BindError with a remedy."""
        listening = await _bound_socket(host, port, allow_remote=self._allow_remote)
        self.address = listening.getsockname()[:2]
        # Whoever chose another address may call it by that address.
        self._hosts = AllowedHosts((*self._allowed_hosts, host, self.address[0]))
        server = _BoundedServer(
            self._answer,
            access_log=None,
            lingering_time=0.0,
            keepalive_timeout=CONNECTION_S_MAX,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=STOP_S)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()
        if self.control_socket is not None:
            await web.SockSite(self._runner, bind_unix(self.control_socket)).start()

    async def stop(self) -> None:
        """Close the port at once and every connection within a second."""
        if self.site is not None:
            self.site.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
            if self.control_socket is not None:
                remove_unix(self.control_socket)
        self._pages.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        is_api = self._takes_commands(request) and request.path.startswith(PREFIX)
        refusal = self._foreigner(request) or (None if is_api else _change(request))
        if refusal is not None:
            return _response(_as_fault(refusal) if is_api else refusal)
        if self.api is not None and is_api:
            return _response(await self.api.answer(request))
        if self.site is not None and self.site.wants(request):
            page = await self.site.answer(request)
            return await _streamed(self.site, request) if page is None else _response(page)
        make = self._pages.by_path.get(request.path)
        if make is None:
            return _response(_text(404, "There is no such page; / lists them."))
        return _response(await make())

    def _takes_commands(self, request: web.BaseRequest) -> bool:
        if self.api is None or self.control_socket is None or request.transport is None:
            return self.api is not None
        # An address of the other family is a pair.
        return isinstance(request.transport.get_extra_info("sockname"), str)

    def _foreigner(self, request: web.BaseRequest) -> Page | None:
        """Say why whoever asks gets no page, or None."""
        if not self._hosts.accepts(request.headers.getall("Host", [])):
            return _text(421, "Not a name of this daemon; see `allowed_hosts` under [http].")
        origin = request.headers.get("Origin")
        if origin is not None and not self._hosts.accepts_origin(origin):
            return _text(403, "Pages from elsewhere may not ask.")
        return None


def _change(request: web.BaseRequest) -> Page | None:
    """Say that a page cannot be changed, where somebody tries; None else."""
    if request.method in ("GET", "HEAD"):
        return None
    return Page(405, TEXT, b"Only GET and HEAD: no page can be changed.\n", {"Allow": "GET, HEAD"})


def _as_fault(page: Page) -> Page:
    """Return a refusal in the shape that the API's refusals have."""
    code = {421: "foreign_host", 403: "foreign_origin"}.get(page.status, "refused")
    fault = {"error": {"code": code, "message": page.body.decode().strip()}}
    return Page(page.status, JSON, json.dumps(fault).encode())


class _Connection(web.RequestHandler):
    """One client's connection, which ends on time whatever the client does."""

    __slots__ = ("_deadline",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._deadline = self._loop.call_later(CONNECTION_S_MAX, self.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def stay(self) -> None:
        """Let the connection live on: whoever answers it ends it."""
        self._deadline.cancel()

    def abort(self) -> None:
        """End the connection without another byte."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a broken request in our own words; only our own faults are worth a log line."""
        del message
        if status >= 500:
            logging.getLogger(__name__).error("http_failed: %s", request.path, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        text = "This is no request." if status < 500 else "Something went wrong; the log says what."
        return _response(_text(status, text))


class _BoundedServer(web.Server):
    """Takes a bounded number of connections: one more takes the place of the oldest."""

    def __call__(self) -> web.RequestHandler:
        connections = self.connections
        for oldest in connections[: max(0, len(connections) - CONNECTIONS_MAX + 1)]:
            if isinstance(oldest, _Connection):
                oldest.abort()
        return _Connection(self, loop=self._loop, **self._kwargs)


def _text(status: int, text: str) -> Page:
    return Page(status, TEXT, f"{text}\n".encode())


def _response(page: Page) -> web.Response:
    headers = {**_HEADERS, **page.headers, "Content-Type": page.content_type}
    response = web.Response(status=page.status, body=page.body, headers=headers)
    response.force_close()
    return response


async def _streamed(site: Site, request: web.BaseRequest) -> web.StreamResponse:
    """Answer with the site's stream, on a connection that outlives the others."""
    if isinstance(request.protocol, _Connection):
        request.protocol.stay()
    return await site.stream(request, _HEADERS)


async def _bound_socket(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Return a socket bound to `host`. Raises BindError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BindError(f"{host} is no address of this machine: {error.strerror}") from error
    # One address is enough, and IPv4 is what the scrapers' examples have.
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    is_loopback = bool(host) and all(ip_address(info[4][0]).is_loopback for info in found)
    if not is_loopback and not allow_remote:
        raise PublicAddressError(host)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Two sockets may share an address until one listens.
        bound.listen(CONNECTIONS_MAX)
    except OSError as error:
        bound.close()
        raise _bind_error(host, port, error) from error
    bound.setblocking(False)  # noqa: FBT003 - the standard library's own call
    return bound


def _bind_error(host: str, port: int, error: OSError) -> BindError:
    match error.errno:
        case errno.EADDRINUSE:
            return PortInUseError(host, port)
        case errno.EACCES | errno.EPERM:
            return BindError(
                f"port {port} needs more rights than this user has; choose one above 1023:"
                " `port` under [http], or TICKD__HTTP__PORT"
            )
        case _:
            return BindError(
                f"cannot listen on {host} port {port}: {error.strerror};"
                " see `host` and `port` under [http]"
            )
