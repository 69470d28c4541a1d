"""One client's socket: its subscriptions, its bounded outbox, and the requests it may send.

The pusher only ever appends to an outbox. Each socket has a writer of its own, so a client that
reads slowly delays nobody; once its outbox is full, its line is cut.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from daemon.simulation.server.counters import Counters
from daemon.simulation.server.limits import MessagePace
from daemon.simulation.server.streams import AnyStream, find_stream

STREAMS_PER_SOCKET_MAX = 1024
OUTBOX_MAX = 8192
PING_INTERVAL_S = 20.0
CLOSE_TIMEOUT_S = 1.0
REQUEST_BYTES_MAX = 64 * 1024
CLOSE_TOO_FAST = 1008
CLOSE_GOING_AWAY = 1001
CLOSE_ABNORMAL = 1006

INVALID_REQUEST = 2
INVALID_JSON = 3


class RequestError(Exception):
    """A socket's request is refused with Binance's error `code` and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Message:
    """One message of a stream, made into bytes once for all sockets that want it."""

    __slots__ = ("_combined", "plain", "stream_name")

    def __init__(self, stream_name: str, plain: bytes) -> None:
        self.stream_name = stream_name
        self.plain = plain
        self._combined: bytes | None = None

    @property
    def combined(self) -> bytes:
        """The message in its envelope, for sockets that asked for combined streams."""
        if self._combined is None:
            name = orjson.dumps(self.stream_name)
            self._combined = b'{"stream":%b,"data":%b}' % (name, self.plain)
        return self._combined

    def broken(self) -> "Message":
        """Return the message with its JSON cut off in the middle."""
        cut = Message(self.stream_name, self.plain[: len(self.plain) // 2])
        cut._combined = self.combined[: len(self.combined) // 2]
        return cut


class Socket:
    """A connected client and what it subscribed to, by stream name."""

    def __init__(
        self,
        response: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        counters: Counters,
        *,
        is_combined: bool = False,
    ) -> None:
        self.subscriptions: dict[str, AnyStream] = {}
        self.is_combined = is_combined
        self._response = response
        self._transport = transport
        self._counters = counters
        self._outbox: deque[bytes] = deque()
        self._has_mail = asyncio.Event()
        self._pace = MessagePace()
        self._end_code: int | None = None

    def push(self, message: Message) -> None:
        """Queue a message of a stream, unless the client has left it or the line is ending."""
        if self._end_code is None and message.stream_name in self.subscriptions:
            self._post(message.combined if self.is_combined else message.plain)
            self._counters.messages_pushed += 1

    def end(self, code: int) -> None:
        """End the connection with a close frame after what is queued; 1006: cut it at once."""
        if self._end_code is not None:
            return
        self._end_code = code
        if code == CLOSE_ABNORMAL:
            self._cut()
        self._has_mail.set()

    async def close(self, code: int, reason: bytes = b"") -> None:
        """End the connection with a close frame now; a client that does not take it is cut off."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._response.close(code=code, message=reason)
        except TimeoutError:
            self._cut()

    async def write_forever(self) -> None:
        """Send what is in the outbox, until the line ends."""
        try:
            while self._end_code != CLOSE_ABNORMAL:
                await self._has_mail.wait()
                self._has_mail.clear()
                while self._outbox:
                    await self._response.send_frame(self._outbox.popleft(), WSMsgType.TEXT)
                if self._end_code is not None:
                    await self.close(self._end_code)
                    return
        except ConnectionError:
            self.end(CLOSE_ABNORMAL)

    def _cut(self) -> None:
        self._outbox.clear()
        if self._transport is not None:
            self._transport.abort()

    def _post(self, body: bytes) -> None:
        """Queue bytes as one text frame; a client whose outbox is full is cut off."""
        if len(self._outbox) < OUTBOX_MAX:
            self._outbox.append(body)
            self._has_mail.set()
            return
        self._counters.sockets_cut += 1
        self.end(CLOSE_ABNORMAL)

    async def read_forever(self, names: Mapping[str, str]) -> None:
        """Answer the client's requests until it leaves or sends too fast."""
        loop = asyncio.get_running_loop()
        async for frame in self._response:
            if self._pace.too_fast(loop.time()):
                self.end(CLOSE_TOO_FAST)
            elif frame.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                self._counters.messages_received += 1
                self._post(orjson.dumps(self.answer(frame.data, names)))

    def answer(self, text: str | bytes, names: Mapping[str, str]) -> dict[str, Any]:
        """Carry out one request and return the answer; `names` are the symbols by name."""
        request_id: object = None
        try:
            request = _decode(text)
            request_id = request.get("id")
            return {"result": self._carry_out(request, names), "id": request_id}
        except RequestError as error:
            return {"error": {"code": error.code, "msg": str(error)}, "id": request_id}

    def subscribe(self, streams: Iterable[str], names: Mapping[str, str]) -> None:
        """Add streams. Raises RequestError if one is unknown, or there are too many."""
        found = {text: find_stream(text, names) for text in streams}
        if unknown := [text for text, stream in found.items() if stream is None]:
            raise RequestError(INVALID_REQUEST, f"Invalid request: unknown stream {unknown[0]}")
        if len(self.subscriptions.keys() | found.keys()) > STREAMS_PER_SOCKET_MAX:
            raise RequestError(
                INVALID_REQUEST, f"Invalid request: over {STREAMS_PER_SOCKET_MAX} streams"
            )
        self.subscriptions |= {text: stream for text, stream in found.items() if stream}

    def _carry_out(self, request: Mapping[str, Any], names: Mapping[str, str]) -> object:
        parameters = request.get("params", [])
        match request.get("method"):
            case "SUBSCRIBE":
                self.subscribe(_texts(parameters), names)
                return None
            case "UNSUBSCRIBE":
                for text in _texts(parameters):
                    self.subscriptions.pop(text, None)
                return None
            case "LIST_SUBSCRIPTIONS":
                return list(self.subscriptions)
            case "SET_PROPERTY":
                self.is_combined = _combined_switch(parameters)
                return None
            case "GET_PROPERTY":
                return self.is_combined
            case other:
                raise RequestError(INVALID_REQUEST, f"Invalid request: unknown method {other!r}")


def _decode(text: str | bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestError(INVALID_JSON, f"Invalid JSON: {error}") from None
    if not isinstance(request, dict):
        raise RequestError(INVALID_REQUEST, "Invalid request: not an object")
    return request


def _texts(parameters: object) -> list[str]:
    if not isinstance(parameters, list) or not all(isinstance(item, str) for item in parameters):
        raise RequestError(INVALID_REQUEST, "Invalid request: params must be an array of strings")
    return parameters


def _combined_switch(parameters: object) -> bool:
    match parameters:
        case ["combined", bool() as switch]:
            return switch
        case _:
            raise RequestError(0, "Unknown property")
