"""The pages over real sockets: true, harmless, and deaf to nobody because of somebody."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

import pytest

from daemon.adapters.http import server as server_module
from daemon.adapters.http.errors import BindError, PortInUseError, PublicAddressError
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


async def test_the_index_lists_the_pages() -> None:
    async with serving() as client:
        status, _, body = await client.get("/")
        pages = [word for word in body.decode().split() if word.startswith("/")]
        found = [(await client.get(page))[0] for page in pages]

    assert status == 200
    assert pages == ["/livez", "/readyz", "/status", "/metrics"]
    assert found == [200] * 4


async def test_status_is_everything_as_json() -> None:
    async with serving() as client:
        code, headers, body = await client.get("/status?pretty=1")
        expected = json.loads(json.dumps(asdict(client.status.snapshot())))

    assert (code, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == expected


async def test_l9_live_says_whether_the_loop_answers() -> None:
    async with serving() as client:
        live = await client.get("/livez")
        client.status.now = a_status(is_live=False)
        dead = await client.get("/livez")

    assert (live[0], live[2]) == (200, b'{"live":true}')
    assert (dead[0], dead[2]) == (503, b'{"live":false}')


async def test_ready_tells_how_each_task_stands() -> None:
    async with serving() as client:
        code, _, body = await client.get("/readyz")

    assert code == 200
    assert json.loads(body) == {
        "ready": True,
        "reasons": [],
        "tasks": [
            {
                "symbol": "BTC/USDT",
                "strategy": "breakout",
                "ready": True,
                "reason": "",
                "condition": "running",
                "state": "active",
                "data_age_s": 0.5,
                "tick_age_s": 0.25,
                "last_decision_ms": 1_700_000_000_000,
            }
        ],
    }


@pytest.mark.parametrize(
    "status",
    [
        a_status(a_task(), is_ready=False, reasons=("recovering",)),
        a_status(a_task(), a_task("ETH/USDT", is_ready=False, reason="price is 90 s old")),
    ],
    ids=["the daemon says so", "one task says so, whatever the daemon thinks"],
)
async def test_l9_ready_is_never_said_while_anything_is_stale(status: DaemonStatus) -> None:
    async with serving() as client:
        client.status.now = status
        code, _, body = await client.get("/readyz")

    assert code == 503
    assert json.loads(body)["ready"] is False


async def test_l9_a_status_that_breaks_is_no_good_news() -> None:
    async with serving() as client:
        client.status.now = None
        answers = [await client.get(page) for page in ("/livez", "/readyz", "/status")]

    assert [answer[0] for answer in answers] == [500] * 3


async def test_metrics_are_rendered_for_the_scraper() -> None:
    async with serving() as client:
        code, headers, body = await client.get("/metrics")

    assert code == 200
    assert headers["Content-Type"] == SomeMetrics.content_type
    assert body.startswith(b"tasks 1 ")


async def test_s5_scrapers_that_come_together_share_one_rendering() -> None:
    async with serving() as client, asyncio.TaskGroup() as group:
        scrapes = [group.create_task(client.get("/metrics")) for _ in range(10)]
        await asyncio.wait(scrapes)

        assert client.metrics.renderings == 1
        assert {scrape.result()[0] for scrape in scrapes} == {200}


async def test_head_says_the_same_without_a_body() -> None:
    async with serving() as client:
        get = await client.get("/livez")
        head = await client.get("/livez", method="HEAD")

    assert (head[0], head[2]) == (200, b"")
    assert head[1]["Content-Length"] == get[1]["Content-Length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_nothing_can_be_changed(method: str) -> None:
    async with serving() as client:
        code, headers, _ = await client.get("/status", method=method)

    assert (code, headers["Allow"]) == (405, "GET, HEAD")


async def test_other_paths_are_not_there() -> None:
    async with serving() as client:
        codes = [
            (await client.get(path))[0]
            for path in ("/x", "/../etc/passwd", "/status/", "//status", "/%2e%2e/status", "*")
        ]

    assert set(codes) <= {400, 404}


async def test_every_answer_is_harmless_in_a_browser() -> None:
    async with serving() as client:
        answers = [
            await client.get("/"),
            await client.get("/status"),
            await client.get("/nothing"),
            await client.get("/", Host="evil.example"),
        ]

    for _, headers, _ in answers:
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert headers["Server"] == "tickd"
        assert headers["Connection"] == "close"
        assert "Access-Control-Allow-Origin" not in headers


# -- Who may ask -----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
async def test_q7_a_foreign_name_gets_no_page(host: str) -> None:
    async with serving() as client:
        for page in ("/metrics", "/status", "/readyz", "/livez", "/"):
            code, _, body = await client.get(page, Host=host)
            assert code == 421
            assert b"BTC" not in body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]", "tickd.example:443"])
async def test_its_own_names_get_pages(host: str) -> None:
    async with serving(allowed_hosts=("tickd.example",)) as client:
        code, _, _ = await client.get("/status", Host=host)

    assert code == 200


async def test_q7_no_name_or_two_names_get_no_page() -> None:
    async with serving() as client:
        none = await client.send(b"GET /status HTTP/1.0\r\n\r\n")
        two = await client.send(b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n")

    for answer in (none, two):
        assert answer.split()[1] in (b"400", b"421")
        assert b"BTC" not in answer


async def test_q7_a_page_from_elsewhere_may_not_ask() -> None:
    async with serving() as client:
        foreign = await client.get("/status", Origin="http://evil.example")
        own = await client.get("/status", Origin="http://localhost:8420")

    assert (foreign[0], own[0]) == (403, 200)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
async def test_q6_an_address_that_others_can_reach_is_refused(host: str) -> None:
    http = HttpServer(SetStatus(), SomeMetrics())

    with pytest.raises(PublicAddressError, match="allow_remote"):
        await http.start(host, 0)
    await http.stop()


async def test_q6_unless_somebody_wants_it() -> None:
    http = HttpServer(SetStatus(), SomeMetrics(), allow_remote=True)
    await http.start("0.0.0.0", 0)

    client = Client(http, SetStatus(), SomeMetrics())
    http.address = ("127.0.0.1", http.address[1])
    assert (await client.get("/livez"))[0] == 200
    assert (await client.get("/livez", Host="evil.example"))[0] == 421
    await http.stop()


async def test_the_default_is_loopback() -> None:
    http = HttpServer(SetStatus(), SomeMetrics())
    await http.start(port=0)

    assert http.address[0] == "127.0.0.1"
    assert http.url == f"http://127.0.0.1:{http.address[1]}"
    await http.stop()


# -- What goes wrong at the start ------------------------------------------------------------------


async def test_s6_a_port_in_use_is_named_with_its_remedy() -> None:
    async with serving() as client:
        host, port = client.http.address
        second = HttpServer(SetStatus(), SomeMetrics())
        with pytest.raises(PortInUseError) as raised:
            await second.start(host, port)
        await second.stop()

    text = str(raised.value)
    assert f"port {port} on 127.0.0.1 is in use" in text
    assert "TICKD__HTTP__PORT" in text


async def test_a_port_can_be_taken_again_at_once() -> None:
    async with serving() as client:
        address = client.http.address
        await client.get("/")
    again = HttpServer(SetStatus(), SomeMetrics())

    await again.start(*address)

    await again.stop()


@pytest.mark.parametrize("host", ["no such host", "203.0.113.77"])
async def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    http = HttpServer(SetStatus(), SomeMetrics(), allow_remote=True)

    with pytest.raises(BindError, match=host):
        await http.start(host, 0)
    await http.stop()


# -- Rude clients ----------------------------------------------------------------------------------


async def test_s5_a_scraper_that_does_not_read_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "CONNECTION_S_MAX", 0.3)
    async with serving() as client:
        client.metrics.size = 20_000_000
        slow = socket.create_connection(client.http.address)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(10):
            async with asyncio.timeout(1.0):
                assert (await client.get("/livez"))[0] == 200

        await asyncio.sleep(0.5)

        assert server_connections(client) == 0, "its time is over"
        slow.close()


async def test_q15_half_open_connections_take_nobodys_place() -> None:
    async with serving() as client:
        half_open = []
        for _ in range(300):
            reader, writer = await client.opened()
            writer.write(b"GET /livez HTTP/1.1\r\nHost: local")
            half_open.append((reader, writer))
        async with asyncio.timeout(5.0):
            code, _, _ = await client.get("/livez")

        assert code == 200
        assert server_connections(client) <= server_module.CONNECTIONS_MAX
        for _, writer in half_open:
            writer.close()


async def test_q15_a_silent_connection_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CONNECTION_S_MAX", 0.05)
    async with serving() as client:
        reader, writer = await client.opened()
        async with asyncio.timeout(5.0):
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Length: 5\r\n\r\n0\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"
        ),
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX\x00: a\r\n\r\n",
        b"\r\n" * 1000,
    ],
    ids=range(9),
)
async def test_q14_nonsense_gets_nothing_and_hurts_nobody(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTION_S_MAX", 0.3)
    async with serving() as client:
        try:
            answer = await client.send(request_bytes)
        except ConnectionError:
            answer = b""

        assert b"BTC" not in answer
        assert b"Traceback" not in answer
        assert answer == b"" or answer.split()[1].startswith(b"4")
        assert (await client.get("/livez"))[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_second_request_on_one_connection_is_not_answered() -> None:
    one = b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with serving() as client:
        answer = await client.send(one * 3)

    assert answer.count(b"HTTP/1.1 ") == 1


async def test_stopping_does_not_wait_for_the_slow() -> None:
    async with serving() as client:
        _, writer = await client.opened()
        writer.write(b"GET /livez HTTP/1.1\r\n")
        async with asyncio.timeout(5.0):
            await client.http.stop()
        with pytest.raises(OSError):  # noqa: PT011 - refused, in the words of either loop
            await client.opened()
        writer.close()


def server_connections(client: Client) -> int:
    runner = client.http._runner
    assert runner is not None
    assert runner.server is not None
    return len(runner.server.connections)


# -- Secrets ---------------------------------------------------------------------------------------


async def test_q5_no_page_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    reason = f"TransientError: GET https://x.example/?key={CANARY} and half \ud800"
    async with serving() as client:
        client.status.now = a_status(
            a_task(reason=reason, is_ready=False), reasons=(reason,), exchange=CANARY
        )
        bodies = [(await client.get(page))[2] for page in client.http._pages.by_path]
        echoed = await client.get(f"/{CANARY}", **{"X-Key": CANARY})
        client.status.now = None
        failed = await client.get("/status")

    for body in (*bodies, echoed[2], failed[2]):
        assert CANARY.encode() not in body
    assert sum(b"[redacted]" in body for body in bodies) == 4


async def test_what_breaks_is_logged_once_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as client:
        client.status.now = None
        code, _, body = await client.get("/status")

    assert (code, body) == (500, b"Something went wrong; the log says what.\n")
    assert [record.message for record in caplog.records] == ["http_failed: /status"]
