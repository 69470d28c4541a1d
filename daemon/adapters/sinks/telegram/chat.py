"""One chat that messages go to, at the pace that Telegram allows."""

import asyncio
from collections.abc import Callable, Mapping

from daemon.adapters.sinks.telegram.api import BotApi, EntitiesError, MovedError
from daemon.adapters.sinks.telegram.pace import Pace
from daemon.adapters.sinks.telegram.text import Chunk, chunks_of
from daemon.core.alert_words import Words
from daemon.core.errors import RateLimitedError
from daemon.ports import Message

UNFINISHED_MAX = 8
"""Long messages of which only some parts have arrived; both lanes and a test make three."""

REPLY_TRIES_MAX = 5
REPLY_WAIT_S_MAX = 60.0
"""Nobody waits longer for an answer to a command."""

Params = Mapping[str, object]


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
        chunks = self._chunks_of(message.words)
        how = {"disable_notification": message.is_silent}
        for index in range(self._parts_sent.get(message.id, 0), len(chunks)):
            await self._send_chunk(chunks[index], how, is_urgent=message.is_urgent)
            self._note_part(message.id, index + 1)
        self._parts_sent.pop(message.id, None)

    async def reply(self, words: Words, more: Params | None = None) -> int:
        """Send an answer as soon as the pace allows; return the id of its last part.

        `more` are parameters of that part. Raises what `send` does after some tries.
        """
        *first, last = self._chunks_of(words)
        for chunk in first:
            await self._patiently(chunk, {})
        return await self._patiently(last, more or {})

    async def edit(self, message_id: int, words: Words) -> None:
        """Put other words, and no buttons, into a message that was sent before."""
        chunk = self._chunks_of(words)[0]
        params = {"chat_id": self.chat_id, "message_id": message_id, **_PLAIN}
        try:
            await self._api.call("editMessageText", params | chunk.params())
        except EntitiesError:
            await self._api.call("editMessageText", params | {"text": chunk.text})

    def _chunks_of(self, words: Words) -> tuple[Chunk, ...]:
        clean = tuple(self._redact(line) for line in words.lines)
        return chunks_of(Words(self._redact(words.title), clean))

    def _note_part(self, message_id: str, count: int) -> None:
        self._parts_sent[message_id] = count
        while len(self._parts_sent) > UNFINISHED_MAX:
            self._parts_sent.pop(next(iter(self._parts_sent)))

    async def _patiently(self, chunk: Chunk, more: Params) -> int:
        for _ in range(REPLY_TRIES_MAX - 1):
            try:
                return await self._send_chunk(chunk, more, is_urgent=True)
            except RateLimitedError as error:
                await asyncio.sleep(min(error.retry_after_s, REPLY_WAIT_S_MAX))
        return await self._send_chunk(chunk, more, is_urgent=True)

    async def _send_chunk(self, chunk: Chunk, more: Params, *, is_urgent: bool) -> int:
        now_s = asyncio.get_running_loop().time()
        wait_s = self._pace.wait_s(now_s, is_urgent=is_urgent)
        if wait_s > 0:
            raise RateLimitedError("one message a second to a chat", wait_s)
        self._pace.note(now_s, is_urgent=is_urgent)
        try:
            return await self._post({**more, **chunk.params()})
        except EntitiesError:
            # At once, whatever the pace: waiting first would begin with the marks again.
            return await self._post({**more, "text": chunk.text})

    async def _post(self, params: Params) -> int:
        try:
            sent = await self._api.call("sendMessage", {**self._address(), **params})
        except RateLimitedError as error:
            self._pace.block(asyncio.get_running_loop().time() + error.retry_after_s)
            raise
        except MovedError as error:
            self.chat_id = error.chat_id
            sent = await self._api.call("sendMessage", {**self._address(), **params})
        message_id = sent.get("message_id") if isinstance(sent, dict) else None
        return message_id if isinstance(message_id, int) else 0

    def _address(self) -> dict[str, object]:
        thread = {} if self._thread_id is None else {"message_thread_id": self._thread_id}
        return {"chat_id": self.chat_id, **thread, **_PLAIN}


_PLAIN: Params = {"link_preview_options": {"is_disabled": True}}
