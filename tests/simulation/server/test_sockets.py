"""What a client may ask on its socket, and what happens to one that misbehaves."""

import asyncio
from typing import Any, cast

import aiohttp
import orjson
import pytest

from daemon.simulation.faults import (
    BrokenFrame,
    CloseSocket,
    Effect,
    Fault,
    FaultPlan,
    SilentSocket,
    Status,
)
from daemon.simulation.server import app, sockets
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress
from daemon.simulation.server.sockets import Message
from tests.simulation.server.held_clock import HeldClock

Line = aiohttp.ClientWebSocketResponse
CANDLES = "btcusdt@kline_1m"


@pytest.fixture
async def line(session: aiohttp.ClientSession, address: SandboxAddress) -> Line:
    return await session.ws_connect(f"{address.ws_url}/0")


async def ask(line: Line, method: str, *parameters: object, request_id: object = 1) -> Any:
    """Send a request and return its answer; pushes in between are passed over."""
    body = {"method": method, "params": list(parameters), "id": request_id}
    await line.send_str(orjson.dumps(body).decode())
    while True:
        message = orjson.loads(await line.receive_str(timeout=5))
        if "id" in message:
            return message


async def next_push(line: Line) -> Any:
    while True:
        message = orjson.loads(await line.receive_str(timeout=5))
        if "id" not in message:
            return message


def a_plan(effect: Effect, path: str = CANDLES) -> FaultPlan:
    return FaultPlan(faults=(Fault(effect=effect, path=path),))


async def test_subscribe_list_and_unsubscribe(line: Line) -> None:
    assert await ask(line, "SUBSCRIBE", CANDLES, "ethusdt@trade") == {"result": None, "id": 1}
    listed = await ask(line, "LIST_SUBSCRIPTIONS", request_id="x")
    await ask(line, "UNSUBSCRIBE", CANDLES)

    assert listed == {"result": [CANDLES, "ethusdt@trade"], "id": "x"}
    assert (await ask(line, "LIST_SUBSCRIPTIONS"))["result"] == ["ethusdt@trade"]


@pytest.mark.parametrize(
    ("method", "parameters", "code"),
    [
        ("SUBSCRIBE", ["nopeusdt@trade"], 2),
        ("SUBSCRIBE", [1], 2),
        ("SET_PROPERTY", ["colour", "red"], 0),
        ("DANCE", [], 2),
    ],
)
async def test_a_bad_request_is_refused_and_the_line_stays(
    line: Line, method: str, parameters: list[Any], code: int
) -> None:
    refused = await ask(line, method, *parameters)

    assert refused["error"]["code"] == code
    assert (await ask(line, "LIST_SUBSCRIPTIONS"))["result"] == []


@pytest.mark.parametrize(("text", "code"), [("{", 3), ("[]", 2)])
async def test_broken_json_is_refused(line: Line, text: str, code: int) -> None:
    await line.send_str(text)

    assert orjson.loads(await line.receive_str())["error"]["code"] == code


async def test_too_many_streams_are_refused(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "STREAMS_PER_SOCKET_MAX", 1)

    assert (await ask(line, "SUBSCRIBE", CANDLES))["result"] is None
    assert (await ask(line, "SUBSCRIBE", "ethusdt@trade"))["error"]["code"] == 2


async def test_a_client_that_sends_too_fast_is_thrown_out(line: Line) -> None:
    for _ in range(6):
        await line.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')

    frames = [await line.receive(timeout=5) for _ in range(6)]

    assert [frame.type for frame in frames] == [aiohttp.WSMsgType.TEXT] * 5 + [
        aiohttp.WSMsgType.CLOSE
    ]
    assert frames[-1].data == 1008


async def test_streams_named_in_the_url_come_combined_or_plain(
    session: aiohttp.ClientSession, address: SandboxAddress
) -> None:
    root = address.ws_url.removesuffix("/stream/ws")

    combined = await session.ws_connect(f"{root}/stream?streams={CANDLES}/ethusdt@bookTicker")
    plain = await session.ws_connect(f"{root}/ws/{CANDLES}")

    assert {(await next_push(combined))["stream"] for _ in range(2)} == {
        CANDLES,
        "ethusdt@bookTicker",
    }
    assert (await next_push(plain))["e"] == "kline"


async def test_a_plain_line_can_be_switched_to_combined(line: Line) -> None:
    await ask(line, "SUBSCRIBE", CANDLES)
    await ask(line, "SET_PROPERTY", "combined", True)

    assert (await ask(line, "GET_PROPERTY", "combined"))["result"] is True
    assert (await next_push(line))["stream"] == CANDLES


async def test_a_closed_candle_is_marked(line: Line, clock: HeldClock) -> None:
    await ask(line, "SUBSCRIBE", CANDLES)
    forming = (await next_push(line))["k"]
    clock.at_ms += 60_000

    pushes = [(await next_push(line))["k"]]
    while pushes[-1]["t"] == forming["t"]:
        pushes.append((await next_push(line))["k"])

    assert not forming["x"]
    assert [push["x"] for push in pushes[-2:]] == [True, False]
    assert pushes[-2]["t"] == forming["t"]


async def a_stalled_client(address: SandboxAddress) -> asyncio.StreamWriter:
    """Shake hands, and read nothing from then on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    cast(asyncio.Transport, writer.transport).pause_reading()
    return writer


async def flood(server: SandboxServer, megabytes: int) -> None:
    """Push that much to the one client that is there."""
    (socket,) = server._pusher.sockets
    socket.subscribe([CANDLES], server._names)
    for _ in range(megabytes):
        socket.push(Message(CANDLES, b"x" * 1_000_000))
        await asyncio.sleep(0)


async def test_a_slow_reader_is_cut_off_and_others_are_served(
    session: aiohttp.ClientSession,
    address: SandboxAddress,
    server: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "OUTBOX_MAX", 50)
    stalled = await a_stalled_client(address)

    await flood(server, megabytes=100)

    assert server.counters.sockets_cut == 1
    other = await session.ws_connect(f"{address.root_url}/ws/{CANDLES}")
    assert (await next_push(other))["e"] == "kline"
    stalled.close()


async def test_a_stalled_client_does_not_hold_up_the_stop(
    address: SandboxAddress, server: SandboxServer
) -> None:
    stalled = await a_stalled_client(address)
    await flood(server, megabytes=40)

    async with asyncio.timeout(10):
        await server.stop()

    assert server.counters.sockets_open == 0
    stalled.close()


async def test_a_silent_socket_answers_requests_and_pushes_nothing(
    line: Line, server: SandboxServer
) -> None:
    server.faults = a_plan(SilentSocket())
    await ask(line, "SUBSCRIBE", CANDLES)

    with pytest.raises(TimeoutError):
        await line.receive(timeout=0.1)
    assert (await ask(line, "LIST_SUBSCRIPTIONS"))["result"] == [CANDLES]

    server.faults = FaultPlan()
    assert (await next_push(line))["e"] == "kline"


async def test_a_broken_frame_is_no_json(line: Line, server: SandboxServer) -> None:
    await ask(line, "SUBSCRIBE", CANDLES)
    await next_push(line)
    server.faults = a_plan(BrokenFrame())

    text = await line.receive_str(timeout=5)
    while text.endswith("}}"):
        text = await line.receive_str(timeout=5)

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(text)


@pytest.mark.parametrize(("code", "seen"), [(1001, 1001), (1006, 1006)])
async def test_a_planned_close_ends_the_line(
    line: Line, server: SandboxServer, code: int, seen: int
) -> None:
    await ask(line, "SUBSCRIBE", CANDLES)
    server.faults = a_plan(CloseSocket(code=code))

    async with asyncio.timeout(5):
        async for _ in line:
            pass

    assert line.close_code == seen


async def test_a_planned_status_refuses_the_handshake(
    session: aiohttp.ClientSession, address: SandboxAddress, server: SandboxServer
) -> None:
    server.faults = a_plan(Status(status=503), path="/stream/*")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(f"{address.ws_url}/0")

    assert refused.value.status == 503


async def test_the_server_pings(
    session: aiohttp.ClientSession, address: SandboxAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PING_INTERVAL_S", 0.05)

    quiet = await session.ws_connect(f"{address.ws_url}/0", autoping=False)

    assert (await quiet.receive(timeout=5)).type is aiohttp.WSMsgType.PING


async def test_stopping_says_goodbye(line: Line, server: SandboxServer) -> None:
    await ask(line, "LIST_SUBSCRIPTIONS")

    async with asyncio.TaskGroup() as group:
        goodbye = group.create_task(line.receive(timeout=5))
        await server.stop()

    assert goodbye.result().data == 1001
    assert server.counters.sockets_open == 0


def test_a_message_in_its_envelope_is_json() -> None:
    message = Message(CANDLES, b'{"e":"kline"}')

    assert orjson.loads(message.combined) == {"stream": CANDLES, "data": {"e": "kline"}}
