"""One message that shows how the daemon stands: it is edited, never sent anew while it is there.

Its time is a heartbeat: a card that stands still tells of a daemon that does.
"""

import asyncio
from collections.abc import Callable

from daemon.adapters.sinks.telegram.api import BotApi
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.core.alert_words import Words
from daemon.core.errors import FatalError, RateLimitedError, RejectedError, TransientError

UNCHANGED = "not modified"


class Card:
    """Keeps the card in `chat`. It is pinned, and found again by that after a restart.

    Whatever `render` gives, its title begins with `title`.
    """

    def __init__(self, api: BotApi, chat: Chat, title: str, render: Callable[[], Words]) -> None:
        self._api = api
        self._chat = chat
        self._title = title
        self._render = render
        self._message_id = 0

    async def run(self, interval_s: float) -> None:
        """Edit it every so many seconds, until cancelled or refused for good."""
        while True:
            wait_s = interval_s
            try:
                await self.show()
            except RateLimitedError as error:
                wait_s = max(interval_s, error.retry_after_s)
            except TransientError:
                pass
            except (RejectedError, FatalError):
                return
            await asyncio.sleep(wait_s)

    async def show(self) -> None:
        """Put the newest words on the card. Raises what the chat raises."""
        words = self._render()
        if not self._message_id:
            self._message_id = await self._find()
        if self._message_id:
            try:
                await self._chat.edit(self._message_id, words)
            except RejectedError as error:
                if UNCHANGED in str(error):
                    return
                self._message_id = 0
            else:
                return
        self._message_id = await self._chat.reply(words, {"disable_notification": True})
        await self._pin()

    async def end(self, words: Words) -> None:
        """Leave last words on the card, if there is one: it must not say that all is well."""
        if self._message_id:
            await self._chat.edit(self._message_id, words)

    async def _find(self) -> int:
        """Return the id of the card of an earlier run, 0 where there is none."""
        told = await self._api.call("getChat", {"chat_id": self._chat.chat_id})
        pinned = told.get("pinned_message") if isinstance(told, dict) else None
        if not isinstance(pinned, dict) or not str(pinned.get("text", "")).startswith(self._title):
            return 0
        message_id = pinned.get("message_id")
        return message_id if isinstance(message_id, int) else 0

    async def _pin(self) -> None:
        params = {"chat_id": self._chat.chat_id, "message_id": self._message_id}
        try:
            await self._api.call("pinChatMessage", params | {"disable_notification": True})
        except (RejectedError, FatalError):
            # In a group it takes a right that the bot may not have; then a restart makes a new one.
            return
