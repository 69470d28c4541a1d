"""`tickd alerts`: does a message arrive, and which chats does a Telegram bot know?

Both ask the world as the daemon would, without the daemon and without its state.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from daemon.adapters.sinks.telegram.api import BotApi
from daemon.app.channels import Channels, open_channels, telegram_api
from daemon.app.cli.terminal import Terminal
from daemon.app.config.problems import one_line
from daemon.app.config.settings import Config
from daemon.app.version import tickd_version
from daemon.core.alert_words import Words
from daemon.core.errors import FatalError, TickdError
from daemon.core.redaction import Redactor
from daemon.ports import Message

NONE_CONFIGURED = (
    "no channel is configured: see [alerts.telegram], [alerts.webhook] and [alerts.apprise]"
)


def send_test(terminal: Terminal, config: Config) -> bool:
    """Send one message to every channel; say which got it. Raises FatalError without channels."""
    channels = open_channels(config, Redactor(config.secret_values))
    if channels.webhook is None and not channels.messengers:
        raise FatalError(NONE_CONFIGURED)
    answers = asyncio.run(_send(channels))
    for name, problem in answers:
        terminal.say(f"fail  {name}: {problem}" if problem else f"ok    {name}: it arrived")
    return not any(problem for _, problem in answers)


def list_chats(terminal: Terminal, config: Config) -> bool:
    """List who wrote to the bot lately, or say that nobody did. Raises what Telegram answers."""
    api = telegram_api(config.alerts.telegram)
    if api is None:
        raise FatalError("alerts.telegram has no token: name a file in token_file")
    chats = asyncio.run(_chats(api))
    for chat_id, text in sorted(chats.items()):
        terminal.say(f"{chat_id:>16}  {text}")
    if not chats:
        terminal.say("nobody wrote to the bot lately: send it a message, and ask again")
    return bool(chats)


async def _send(channels: Channels) -> Sequence[tuple[str, str]]:
    words = Words("🔔 This is a test", (f"tickd {tickd_version()} can reach you here.",))
    message = Message(id="test", words=words)
    answers: list[tuple[str, str]] = []
    async with aclosing(channels):
        if channels.webhook is not None:
            answers.append(("webhook", await _problem(channels.webhook.ping())))
        for name, messenger, _ in channels.messengers:
            answers.append((name, await _problem(messenger.send(message))))
    return answers


async def _problem(sending: Any) -> str:  # noqa: ANN401 - any awaitable
    try:
        await sending
    except TickdError as error:
        return one_line(str(error))
    return ""


async def _chats(api: BotApi) -> dict[int, str]:
    """Look without an offset: what is seen here is still there for the daemon."""
    try:
        updates = await api.call("getUpdates", {"timeout": 0, "limit": 100})
    finally:
        await api.close()
    found: dict[int, str] = {}
    for update in updates if isinstance(updates, list) else ():
        for part in update.values() if isinstance(update, dict) else ():
            chat = part.get("chat") if isinstance(part, dict) else None
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                name = chat.get("title") or chat.get("username") or chat.get("first_name") or ""
                found[chat["id"]] = one_line(f"{chat.get('type', '')}  {name}")
    return found


def ask_telegram(config: Config) -> tuple[bool, str]:
    """Say whether Telegram knows the token and the chat, and in which words to tell it."""
    section = config.alerts.telegram
    api = telegram_api(section)
    if api is None:
        return True, ""
    return asyncio.run(_ask(api, section.chat_id))


async def _ask(api: BotApi, chat_id: int | None) -> tuple[bool, str]:
    try:
        me = await api.call("getMe", {})
        await api.call("getChat", {"chat_id": chat_id})
    except TickdError as error:
        return False, one_line(str(error))
    finally:
        await api.close()
    name = me.get("username") if isinstance(me, dict) else ""
    return True, one_line(f"the bot @{name} may write to chat {chat_id}")
