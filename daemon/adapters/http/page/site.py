"""Answers everything that the page for people asks for: its files, its figures, its stream."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

from aiohttp import web

from daemon.adapters.http.answers import JSON, TEXT, Page, json_text
from daemon.adapters.http.page.recent import Recent
from daemon.core.redaction import Redactor
from daemon.ports import Status

PREFIX: Final = "/page/"
STREAMS_MAX = 8
STREAM_S_MAX = 600.0
"""A stream ends after so long: the browser opens another, and one that nobody reads is gone."""

WRITE_S_MAX = 5.0
BEAT_S = 1.0
TASKS_PER_BEAT = 200
"""With more tasks than this the figures come less than once a second."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self';"
    " img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KINDS = {
    "index.html": "text/html; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "charts.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
PLOTLY = "plotly.js"
STREAM = "text/event-stream; charset=utf-8"

Make = Callable[[web.BaseRequest], Awaitable[Page]]


class Site:
    """The page's answers. `plotly` is its script, where that library is installed.

    Call `load` before the first request: it reads files.
    """

    def __init__(
        self, status: Status, recent: Recent, redactor: Redactor, plotly: Path | None = None
    ) -> None:
        self._status = status
        self._recent = recent
        self._redactor = redactor
        self._plotly = plotly
        self._files: dict[str, Page] = {}
        self._streams = 0
        self._is_closing = asyncio.Event()
        self._by_path: Mapping[str, Make] = {
            f"{PREFIX}overview.json": self._overview,
            f"{PREFIX}candles.json": self._candles,
            f"{PREFIX}{PLOTLY}": self._plotly_script,
        }

    def load(self) -> None:
        """Read the files that the page is made of. Blocking."""
        folder = resources.files(__package__).joinpath("static")
        for name, kind in _KINDS.items():
            body = folder.joinpath(name).read_bytes()
            self._files[name] = Page(200, kind, body, {"Content-Security-Policy": _POLICY})

    def close(self) -> None:
        """Let every stream end."""
        self._is_closing.set()

    def wants(self, request: web.BaseRequest) -> bool:
        """Say whether a request is for the page: `/` is, where HTML is asked for."""
        if request.path == "/":
            return "text/html" in request.headers.get("Accept", "")
        return request.path.startswith(PREFIX)

    async def answer(self, request: web.BaseRequest) -> Page | None:
        """Return the answer to a request that it wants; None where `stream` has to answer."""
        if request.path == f"{PREFIX}stream":
            if request.method == "HEAD":
                return Page(200, STREAM, b"")  # an answer without a body takes nobody's place
            is_full = self._streams >= STREAMS_MAX
            return Page(503, TEXT, b"Too many are looking already.\n") if is_full else None
        make = self._by_path.get(request.path)
        if make is not None:
            return await make(request)
        name = "index.html" if request.path == "/" else request.path.removeprefix(PREFIX)
        return self._files.get(name) or Page(404, TEXT, b"The page has no such file.\n")

    async def stream(
        self, request: web.BaseRequest, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Tell what happens, as it happens, until the reader is gone or the time is over."""
        response = web.StreamResponse(headers={**headers, "Content-Type": STREAM})
        self._streams += 1
        try:
            await response.prepare(request)
            async with asyncio.timeout(STREAM_S_MAX):
                await self._tell(response)
        except (TimeoutError, ConnectionError):
            pass  # the browser asks again, if it is still there
        finally:
            self._streams -= 1
        return response

    async def _tell(self, response: web.StreamResponse) -> None:
        # What had happened before is in the overview, which the page asks for after this began.
        happened = max((each.number for each in self._recent.happenings()), default=0)
        logged = -1
        while not self._is_closing.is_set():
            snapshot = self._status.snapshot()
            parts = [_event("status", self._text(snapshot))]
            for each in self._recent.happenings(happened):
                parts.append(_event("happened", self._text(each.told)))
                happened = each.number
            for each in self._recent.lines(logged):
                parts.append(_event("log", self._text(each.told)))
                logged = each.number
            async with asyncio.timeout(WRITE_S_MAX):
                await response.write(b"".join(parts))
            beats = 1 + len(snapshot.tasks) // TASKS_PER_BEAT
            await _wait(self._is_closing, BEAT_S * beats)

    async def _overview(self, request: web.BaseRequest) -> Page:
        del request
        told = [each.told for each in self._recent.happenings()]
        return self._json(
            {
                "status": self._status.snapshot(),
                "closes": self._recent.closes,
                "happenings": told,
                "has_plotly": self._plotly is not None,
            }
        )

    async def _candles(self, request: web.BaseRequest) -> Page:
        symbol = request.rel_url.query.get("symbol", "")
        minutes = [list(candle) for candle in self._recent.minutes(symbol)]
        return self._json({"symbol": symbol, "minutes": minutes})

    async def _plotly_script(self, request: web.BaseRequest) -> Page:
        del request
        if self._plotly is None:
            return Page(404, TEXT, b"plotly is not installed: make research\n")
        body = await asyncio.to_thread(_zipped, self._plotly)
        return Page(
            200,
            "text/javascript; charset=utf-8",
            body,
            {"Content-Encoding": "gzip", "Cache-Control": "private, max-age=86400"},
        )

    def _json(self, value: object) -> Page:
        return Page(200, JSON, self._text(value).encode())

    def _text(self, value: object) -> str:
        return self._redactor.redact(json_text(value))


def plotly_script(package: Path) -> Path | None:
    """Return where the plotly package keeps its own script, None if it is not there."""
    script = package / "package_data" / "plotly.min.js"
    return script if script.is_file() else None


def _event(name: str, text: str) -> bytes:
    # JSON has no raw line ends, so one line of data is always whole.
    return f"event: {name}\ndata: {text}\n\n".encode()


def _zipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=1)


async def _wait(event: asyncio.Event, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        return
