"""A server that speaks Telegram's Bot API on loopback, as strict about texts as the real one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import Any

import orjson
from aiohttp import web

from daemon.adapters.sinks.telegram.api import BotApi

TOKEN = "123456:" + "AAtestTokenOfNobody_x9Zq7Lm"
CHAT_ID = 42
USER_ID = 7

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def saying(status: int, text: str, **headers: str) -> Answer:
    """Return an answer of these words."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


def refusal(status: int, description: str, **parameters: object) -> Answer:
    """Return an error as Telegram tells it."""
    told = {"ok": False, "error_code": status, "description": description}
    if parameters:
        told["parameters"] = parameters
    return saying(status, orjson.dumps(told).decode())


def too_many(retry_after: int) -> Answer:
    return refusal(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


@dataclass
class BotServer:
    """Keeps what was sent; `answers` go first, one a request, by method ("*" for any)."""

    url: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    edited: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    always: Answer | None = None
    refuses_entities: bool = False

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        _, bot, method = request.path.split("/")
        body = await request.read()
        params = orjson.loads(body)
        self.calls.append((method, params))
        if bot != f"bot{TOKEN}":
            return await refusal(401, "Unauthorized")(request)
        planned = self.answers.get(method) or self.answers.get("*")
        answer = planned.pop(0) if planned else self.always
        return await (answer or self._answer(method, params))(request)

    def _answer(self, method: str, params: dict[str, Any]) -> Answer:
        match method:
            case "getMe":
                return _ok({"id": 1, "is_bot": True, "username": "tickd_test_bot"})
            case "sendMessage":
                return self._send(params)
            case "editMessageText":
                self.edited.append(params)
                return _ok({"message_id": params["message_id"]})
            case "getUpdates":
                return partial(self._poll, params)
            case "answerCallbackQuery" | "setMyCommands" | "getChat" | "pinChatMessage":
                return _ok(True)
            case _:
                return refusal(404, "Not Found")

    def _send(self, params: dict[str, Any]) -> Answer:
        text = params["text"]
        if problem := fault_of(text, params.get("entities", [])):
            return refusal(400, f"Bad Request: {problem}")
        if self.refuses_entities and params.get("entities"):
            return refusal(400, "Bad Request: can't parse entities")
        self.sent.append(params)
        return _ok({"message_id": len(self.sent), "chat": {"id": params["chat_id"]}})

    async def _poll(self, params: dict[str, Any], request: web.BaseRequest) -> web.StreamResponse:
        offset = params.get("offset", 0)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            self.news.clear()
            try:
                async with asyncio.timeout(min(params.get("timeout", 0), 0.5)):
                    await self.news.wait()
            except TimeoutError:
                pass
        news = [update for update in self.updates if update["update_id"] >= offset]
        return await _ok(news)(request)

    def push(self, update: dict[str, Any]) -> None:
        self.updates.append(update)
        self.news.set()


def fault_of(text: object, entities: list[dict[str, Any]]) -> str:
    """Say what Telegram would refuse a text for, or nothing."""
    if not isinstance(text, str) or not text.strip():
        return "message text is empty"
    # JSON cannot even carry half a character; the length is in UTF-16 units.
    units = len(text.encode("utf-16-le")) // 2
    if units > 4096:
        return "message is too long"
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if start < 0 or entity["length"] < 1 or end > units:
            return "can't parse entities: wrong bounds"
        encoded = text.encode("utf-16-le")
        try:
            encoded[2 * start : 2 * end].decode("utf-16-le")
        except UnicodeDecodeError:
            return "can't parse entities: half a character"
    return ""


def _ok(result: object) -> Answer:
    return saying(200, orjson.dumps({"ok": True, "result": result}).decode())


@asynccontextmanager
async def serving() -> AsyncIterator[BotServer]:
    server = BotServer()
    runner = web.ServerRunner(web.Server(server.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


@contextmanager
def serving_apart() -> Iterator[BotServer]:
    """Serve from a thread, for what runs an event loop of its own."""
    loop = asyncio.new_event_loop()
    started: Future[BotServer] = Future()
    ending = asyncio.Event()

    async def serve() -> None:
        async with serving() as server:
            started.set_result(server)
            await ending.wait()

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield started.result(10)
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(10)
        loop.close()


@asynccontextmanager
async def asking(server: BotServer, *, timeout_s: float = 5.0) -> AsyncIterator[BotApi]:
    api = BotApi(TOKEN, server.url, timeout_s=timeout_s)
    try:
        yield api
    finally:
        await api.close()
