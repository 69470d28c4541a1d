"""The Telegram bot of a served daemon: wired to its status, control, journal and log."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from daemon.adapters.clock import WallClock, wall_ms
from daemon.adapters.sinks.telegram.bot import Access, Bot, BotParts
from daemon.adapters.sinks.telegram.card import Card
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.adapters.sinks.telegram.confirming import Confirmations
from daemon.app.config.alert_sections import TelegramSection
from daemon.app.config.settings import Config
from daemon.app.outlets import Voices
from daemon.app.state_folder import state_folder
from daemon.app.telegram_responder import TelegramResponder
from daemon.app.telegram_words import CARD_TITLE, card_words, farewell_words
from daemon.app.wiring import Daemon
from daemon.core.errors import TickdError
from daemon.ports import Control

TOKEN_BYTES = 12
LAST_WORDS_S = 3.0


@asynccontextmanager
async def open_bot(
    config: Config, daemon: Daemon, control: Control, voices: Voices
) -> AsyncIterator[None]:
    """Take commands and keep the card, where that is wanted, until left.

    Neither is part of what the daemon needs: a bug in them ends them, and is told.
    """
    section, api, chat = config.alerts.telegram, voices.channels.api, voices.channels.chat
    work: list[tuple[str, Coroutine[object, object, None]]] = []
    if api is not None and chat is not None and section.users:
        work.append(("commands", bot_of(config, daemon, control, voices).run()))
    card: Card | None = None
    if api is not None and chat is not None and section.card:
        title = f"{CARD_TITLE}: "
        card = Card(api, chat, title, lambda: card_words(daemon.status.snapshot(), wall_ms()))
        work.append(("card", card.run(section.card_interval_s)))
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(each, name=f"telegram-{name}") for name, each in work]
    for task in tasks:
        task.add_done_callback(partial(_tell_end, voices))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if card is not None:
            with suppress(TickdError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await card.end(farewell_words(wall_ms()))


def bot_of(config: Config, daemon: Daemon, control: Control, voices: Voices) -> Bot:
    """Return the bot that takes commands; its token and its chat are configured."""
    section, api, alert_chat = config.alerts.telegram, voices.channels.api, voices.channels.chat
    assert api is not None, "there is a token"
    assert alert_chat is not None, "there is a chat"
    chats = {
        chat_id: alert_chat
        if chat_id == section.chat_id
        else Chat(api, chat_id, voices.outlets.redactor.redact)
        for chat_id in _chats_of(section)
    }
    journal = daemon.world.journal
    responder = TelegramResponder(daemon.status, control, journal, state_folder(config))
    parts = BotParts(
        responder=responder,
        access=Access(users=frozenset(section.users), chats=frozenset(chats)),
        chat_of=chats.__getitem__,
        clock=WallClock(),
        tell=partial(_tell, voices),
    )
    make_token = partial(secrets.token_urlsafe, TOKEN_BYTES)
    bot = Bot(api, parts, Confirmations(make_token, section.confirm_timeout_s))
    responder.strangers = lambda: bot.strangers
    return bot


def _chats_of(section: TelegramSection) -> tuple[int, ...]:
    if section.command_chats:
        return section.command_chats
    return () if section.chat_id is None else (section.chat_id,)


def _tell(voices: Voices, name: str, fields: Mapping[str, object]) -> None:
    log = voices.logging.log
    is_usual = name in ("telegram_command", "telegram_commands_back")
    (log.info if is_usual else log.warning)(name, **fields)


def _tell_end(voices: Voices, task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        voices.logging.log.error("telegram_ended", part=task.get_name(), message=repr(error))
