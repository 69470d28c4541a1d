"""The server over real sockets: harmless, on loopback, and deaf to nobody because of somebody."""

import asyncio
import logging
import resource
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from daemon.adapters.http import server as server_module
from daemon.adapters.http.errors import BindError, PortInUseError, PublicAddressError
from daemon.adapters.http.server import HttpServer
from tests.adapters.http.http_stage import (
    Client,
    SetStatus,
    SomeMetrics,
    server_connections,
    serving,
)

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
    monkeypatch.setattr(server_module, "CONNECTION_S_MAX", 2.0)
    async with serving() as client:
        client.metrics.size = 20_000_000
        slow = socket.create_connection(client.http.address)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in range(10):
            async with asyncio.timeout(30.0):
                assert (await client.get("/livez"))[0] == 200

        async with asyncio.timeout(20.0):
            while server_connections(client):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.05)
        slow.close()


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Let this process hold both ends of more connections than a shell allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_many_files")
async def test_q15_half_open_connections_take_nobodys_place() -> None:
    async with serving() as client:
        half_open = []
        for _ in range(1000):
            reader, writer = await client.opened()
            writer.write(b"GET /livez HTTP/1.1\r\nHost: local")
            half_open.append((reader, writer))
        async with asyncio.timeout(30.0):
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
