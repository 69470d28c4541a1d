"""Takes commands from a chat by long polling, from those alone who may give them.

An update is confirmed to Telegram before it is dealt with: whatever ends the process, none comes
a second time. A change is carried out by a button only, which works once and in this process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from daemon.adapters.sinks.telegram.api import BotApi, ConflictError
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.adapters.sinks.telegram.commands import COMMANDS, Request, Responder, help_words, parse
from daemon.adapters.sinks.telegram.confirming import Confirmations
from daemon.adapters.sinks.telegram.updates import (
    Pressed,
    Said,
    Update,
    read_update,
    update_id_of,
)
from daemon.core.alert_words import Words
from daemon.core.errors import FatalError, RateLimitedError, TickdError
from daemon.ports import Clock

POLL_S = 50
UPDATES_MAX = 20
STALE_S = 600
"""A text that waited longer, while nobody polled, is not what its writer wants now."""
STRANGERS_TOLD_EVERY = 100
BACKOFF_S = (1.0, 2.0, 5.0, 15.0, 60.0)
CONFLICT_S = (30.0, 60.0, 120.0, 300.0)

Tell = Callable[[str, Mapping[str, object]], None]
"""Writes a line of the log: what happened, and its fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may command, and where."""

    users: frozenset[int]
    chats: frozenset[int]

    def allows(self, update: Update) -> bool:
        """Say whether this is a person and a chat of ours."""
        return update.user_id in self.users and update.chat_id in self.chats


@dataclass(frozen=True, slots=True, kw_only=True)
class BotParts:
    """What a bot works with: `chat_of` gives the chat of an id, `clock` is the world's."""

    responder: Responder
    access: Access
    chat_of: Callable[[int], Chat]
    clock: Clock
    tell: Tell


class Bot:
    """Polls until cancelled, or until Telegram does not know the token any more."""

    def __init__(self, api: BotApi, parts: BotParts, confirmations: Confirmations) -> None:
        self._api = api
        self._parts = parts
        self._confirmations = confirmations
        self._name = ""
        self._offset = 0
        self._failures = 0
        self.strangers = 0

    async def run(self) -> None:
        """Take commands. Troubles are told once, and end no sooner than they end."""
        while True:
            try:
                if not self._name:
                    await self._introduce()
                updates = await self._poll()
            except FatalError as error:
                self._parts.tell("telegram_commands_off", {"message": str(error)})
                return
            except TickdError as error:
                await self._wait_after(error)
            else:
                self._recovered()
                for update in updates:
                    await self._take(update)

    async def _introduce(self) -> None:
        me = await self._api.call("getMe", {})
        name = me.get("username") if isinstance(me, dict) else None
        menu = [{"command": each.name, "description": each.help} for each in COMMANDS]
        await self._api.call("setMyCommands", {"commands": menu})
        self._name = name if isinstance(name, str) else "unknown"

    async def _poll(self) -> list[Update]:
        told = await self._updates(self._offset, POLL_S)
        numbers = [number for each in told if (number := update_id_of(each)) is not None]
        if not numbers:
            return []
        offset = max(numbers) + 1
        # Telling the next number is the receipt: what is not receipted comes again, also after
        # a crash in the middle of what it asked for.
        await self._updates(offset, 0)
        self._offset = offset
        return [update for each in told if (update := read_update(each)) is not None]

    async def _updates(self, offset: int, wait_s: int) -> list[object]:
        params = {
            "offset": offset,
            "timeout": wait_s,
            "limit": UPDATES_MAX if wait_s else 1,
            "allowed_updates": ["message", "callback_query"],
        }
        told = await self._api.call("getUpdates", params, wait_s=wait_s)
        return told if isinstance(told, list) else []

    async def _take(self, update: Update) -> None:
        if not self._parts.access.allows(update):
            self._note_stranger(update)
            return
        try:
            if isinstance(update, Said):
                await self._heard(update)
            else:
                await self._pressed(update)
        except FatalError as error:
            # Of this chat, or of what was asked: other commands still come.
            self._parts.tell("telegram_reply_failed", {"message": str(error)})
        except TickdError as error:
            self._parts.tell("telegram_reply_failed", {"message": str(error)})

    def _note_stranger(self, update: Update) -> None:
        self.strangers += 1
        if self.strangers % STRANGERS_TOLD_EVERY == 1:
            fields = {"user": update.user_id, "chat": update.chat_id, "count": self.strangers}
            self._parts.tell("telegram_stranger", fields)

    async def _heard(self, said: Said) -> None:
        parsed = parse(said.text, self._name)
        if parsed is None:
            return
        command, arguments = parsed
        request = Request(
            command=command, arguments=arguments, user_id=said.user_id, chat_id=said.chat_id
        )
        age_s = self._parts.clock.now_ms() / 1000 - said.at_s
        if age_s > STALE_S:
            self._audit(request, f"passed over: {age_s:.0f} s old")
            return
        chat = self._parts.chat_of(said.chat_id)
        if command.name == "help":
            self._audit(request, "answered")
            await chat.reply(help_words())
        elif not command.is_change:
            await chat.reply(await self._asked(request, self._parts.responder.answer, "answered"))
        else:
            await self._ask_back(request, chat)

    async def _ask_back(self, request: Request, chat: Chat) -> None:
        try:
            words = await self._parts.responder.preview(request)
        except TickdError as error:
            self._audit(request, f"refused: {error}")
            await chat.reply(Words("That cannot be done", (str(error),)))
            return
        self._audit(request, "asked back")
        token = self._confirmations.ask(request, asyncio.get_running_loop().time())
        yes = {"text": f"Yes, {request.command.name}", "callback_data": f"y{token}"}
        no = {"text": "No", "callback_data": f"n{token}"}
        await chat.reply(words, {"reply_markup": {"inline_keyboard": [[yes, no]]}})

    async def _pressed(self, pressed: Pressed) -> None:
        answer, token = pressed.data[:1], pressed.data[1:]
        now_s = asyncio.get_running_loop().time()
        request = self._confirmations.take(token, pressed.user_id, pressed.chat_id, now_s)
        if request is None:
            fields = {"user": pressed.user_id, "chat": pressed.chat_id}
            self._parts.tell("telegram_button_expired", fields)
            await self._acknowledge(pressed, "This button is worth nothing any more. Ask again.")
            return
        if answer != "y":
            self._audit(request, "taken back")
            words = Words(f"{request.text}: not done")
        else:
            # Done before the button is answered: a slow answer delays nothing that matters.
            words = await self._asked(request, self._parts.responder.carry_out, "carried out")
        await self._acknowledge(pressed, "")
        await self._parts.chat_of(pressed.chat_id).edit(pressed.message_id, words)

    async def _asked(
        self, request: Request, ask: Callable[[Request], Awaitable[Words]], done: str
    ) -> Words:
        try:
            words = await ask(request)
        except TickdError as error:
            self._audit(request, f"refused: {error}")
            return Words("That cannot be done", (str(error),))
        self._audit(request, done)
        return words

    async def _acknowledge(self, pressed: Pressed, text: str) -> None:
        """Stop the button's spinning. Late answers are refused; that is no trouble."""
        params = {"callback_query_id": pressed.query_id, "text": text}
        try:
            await self._api.call("answerCallbackQuery", params)
        except TickdError:
            return

    def _audit(self, request: Request, result: str) -> None:
        fields = {"command": request.text, "identity": request.identity, "result": result}
        self._parts.tell("telegram_command", fields)

    async def _wait_after(self, error: TickdError) -> None:
        is_conflict = isinstance(error, ConflictError)
        steps = CONFLICT_S if is_conflict else BACKOFF_S
        if self._failures == 0:
            other = "another program polls with this token; stop one of the two"
            message = f"{other} ({error})" if is_conflict else str(error)
            self._parts.tell("telegram_commands_wait", {"message": message})
        wait_s = steps[min(self._failures, len(steps) - 1)]
        if isinstance(error, RateLimitedError):
            wait_s = max(wait_s, error.retry_after_s)
        self._failures += 1
        await asyncio.sleep(wait_s)

    def _recovered(self) -> None:
        if self._failures:
            fields = {"message": f"commands are taken again, after {self._failures} failed polls"}
            self._parts.tell("telegram_commands_back", fields)
        self._failures = 0
