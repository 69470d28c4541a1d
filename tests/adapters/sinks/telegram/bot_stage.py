"""A bot with a responder that keeps what it was asked, on a server that speaks the Bot API."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from daemon.adapters.sinks.telegram.bot import Access, Bot, BotParts
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.adapters.sinks.telegram.commands import Request
from daemon.adapters.sinks.telegram.confirming import Confirmations
from daemon.core.alert_words import Words
from daemon.core.errors import RejectedError
from tests.adapters.sinks.telegram.bot_server import CHAT_ID, USER_ID, BotServer, asking

NOW_S = 1_800_000_000


class HeldClock:
    speed = 1.0

    def now_ms(self) -> int:
        return NOW_S * 1000


@dataclass
class Responder:
    """Answers with what it was asked."""

    answered: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    refuses: str = ""
    hangs: bool = False

    async def answer(self, request: Request) -> Words:
        if self.refuses:
            raise RejectedError(self.refuses)
        self.answered.append(request.text)
        if self.hangs:
            await asyncio.Event().wait()
        return Words(f"answer to {request.text}")

    async def preview(self, request: Request) -> Words:
        if self.refuses:
            raise RejectedError(self.refuses)
        return Words(f"{request.text}?")

    async def carry_out(self, request: Request) -> Words:
        self.done.append(request.text)
        if self.hangs:
            await asyncio.Event().wait()
        return Words(f"{request.text}: done")


@dataclass
class Stage:
    """One run of a bot. `told` are the lines of its log."""

    server: BotServer
    responder: Responder
    bot: Bot
    told: list[tuple[str, Mapping[str, object]]]

    @property
    def lines(self) -> list[str]:
        return [name for name, _ in self.told]

    @property
    def results(self) -> list[tuple[object, object]]:
        return [
            (fields["command"], fields["result"])
            for name, fields in self.told
            if name == "telegram_command"
        ]

    def button(self, which: str) -> str:
        """Return what the newest message's button says to the bot."""
        keyboard = self.server.sent[-1]["reply_markup"]["inline_keyboard"][0]
        (data,) = [each["callback_data"] for each in keyboard if each["text"].startswith(which)]
        assert len(data.encode()) <= 64, "Telegram takes no longer one"
        return str(data)


@asynccontextmanager
async def a_bot(
    server: BotServer, responder: Responder | None = None, *, life_s: float = 60.0
) -> AsyncIterator[Stage]:
    """Run a bot until left."""
    responder = responder or Responder()
    told: list[tuple[str, Mapping[str, object]]] = []
    numbers = count()
    async with asking(server) as api:
        chats: dict[int, Chat] = {}
        parts = BotParts(
            responder=responder,
            access=Access(users=frozenset({USER_ID}), chats=frozenset({CHAT_ID})),
            chat_of=lambda chat_id: chats.setdefault(chat_id, Chat(api, chat_id, str)),
            clock=HeldClock(),
            tell=lambda name, fields: told.append((name, fields)),
        )
        bot = Bot(api, parts, Confirmations(lambda: f"token{next(numbers)}", life_s))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(bot.run())
            try:
                yield Stage(server, responder, bot, told)
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


def said(
    text: str,
    *,
    update_id: int = 1,
    user_id: int = USER_ID,
    chat_id: int = CHAT_ID,
    at_s: int = NOW_S,
) -> dict[str, Any]:
    return {
        "update_id": update_id,
        "message": {
            "message_id": 1,
            "from": {"id": user_id, "is_bot": False},
            "chat": {"id": chat_id, "type": "private"},
            "date": at_s,
            "text": text,
        },
    }


def pressed(
    data: str, *, update_id: int = 2, user_id: int = USER_ID, chat_id: int = CHAT_ID
) -> dict[str, Any]:
    return {
        "update_id": update_id,
        "callback_query": {
            "id": f"q{update_id}",
            "from": {"id": user_id},
            "message": {"message_id": 1, "chat": {"id": chat_id}},
            "data": data,
        },
    }
