"""One chat that messages go to, at the pace that Telegram allows."""

import asyncio
from collections.abc import Callable

from daemon.adapters.sinks.telegram.api import BotApi, EntitiesError, MovedError
from daemon.adapters.sinks.telegram.pace import Pace
from daemon.adapters.sinks.telegram.text import Chunk, chunks_of
from daemon.core.alert_words import Words
from daemon.core.errors import RateLimitedError
from daemon.ports import Message

UNFINISHED_MAX = 8
"""Long messages of which only some parts have arrived; both lanes and a test make three."""


class Chat:
    """Sends to `chat_id`, in the topic `thread_id` of it if there is one.

    `redact` takes secrets out of every text, as the last thing before it leaves.
    """

    def __init__(
        self,
        api: BotApi,
        chat_id: int,
        redact: Callable[[str], str],
        *,
        thread_id: int | None = None,
    ) -> None:
        self._api = api
        self.chat_id = chat_id
        self._thread_id = thread_id
        self._redact = redact
        # Groups and channels have negative ids.
        self._pace = Pace(is_group=chat_id < 0)
        self._parts_sent: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Chat({self.chat_id})"

    async def send(self, message: Message) -> None:
        """Send a message, in parts where it is long; a part that has arrived is not sent again.

        Raises RateLimitedError where it has to wait, also for its own pace; TransientError,
        RejectedError, FatalError.
        """
        words = message.words
        clean = Words(self._redact(words.title), tuple(self._redact(line) for line in words.lines))
        chunks = chunks_of(clean)
        for index in range(self._parts_sent.get(message.id, 0), len(chunks)):
            await self._send_chunk(chunks[index], message)
            self._note_part(message.id, index + 1)
        self._parts_sent.pop(message.id, None)

    def _note_part(self, message_id: str, count: int) -> None:
        self._parts_sent[message_id] = count
        while len(self._parts_sent) > UNFINISHED_MAX:
            self._parts_sent.pop(next(iter(self._parts_sent)))

    async def _send_chunk(self, chunk: Chunk, message: Message) -> None:
        now_s = asyncio.get_running_loop().time()
        wait_s = self._pace.wait_s(now_s, is_urgent=message.is_urgent)
        if wait_s > 0:
            raise RateLimitedError("one message a second to a chat", wait_s)
        self._pace.note(now_s, is_urgent=message.is_urgent)
        try:
            await self._post(chunk.params(), message)
        except EntitiesError:
            # At once, whatever the pace: waiting first would begin with the marks again.
            await self._post({"text": chunk.text}, message)

    async def _post(self, text: dict[str, object], message: Message) -> None:
        try:
            await self._api.call("sendMessage", self._address(message) | text)
        except RateLimitedError as error:
            self._pace.block(asyncio.get_running_loop().time() + error.retry_after_s)
            raise
        except MovedError as error:
            self.chat_id = error.chat_id
            await self._api.call("sendMessage", self._address(message) | text)

    def _address(self, message: Message) -> dict[str, object]:
        thread = {} if self._thread_id is None else {"message_thread_id": self._thread_id}
        return {
            "chat_id": self.chat_id,
            "disable_notification": message.is_silent,
            "link_preview_options": {"is_disabled": True},
        } | thread
