"""Calls of Telegram's Bot API: one request, one answer, one of our errors.

The token is part of every address. So no error ever carries an address, nor the library's error
that may hold one.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from yarl import URL

from daemon.core.errors import FatalError, RateLimitedError, RejectedError, TransientError
from daemon.core.plain_text import without_controls

ANSWER_BYTES_MAX = 4 * 1024 * 1024
RETRY_AFTER_S = 5.0
"""Where a busy server does not say how long to wait."""
RETRY_AFTER_S_MAX = 3600.0
DESCRIPTION_LENGTH_MAX = 200

Json = Mapping[str, Any]


class EntitiesError(RejectedError):
    """The marks of a text (what is bold, what is a link) are wrong; the plain text may pass."""


class ConflictError(TransientError):
    """Another program polls with the same token."""


class MovedError(RejectedError):
    """A group has become a supergroup: its chat has another id from now on."""

    def __init__(self, message: str, chat_id: int) -> None:
        super().__init__(message)
        self.chat_id = chat_id


class BotApi:
    """Asks the server at `base_url` in the name of the bot of `token`."""

    def __init__(self, token: str, base_url: str, *, timeout_s: float = 10.0) -> None:
        self._base = URL(base_url)
        self._token = token
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"BotApi({self._base.host})"

    def change_token(self, token: str) -> None:
        """Ask in the name of this token from now on."""
        self._token = token

    async def call(self, method: str, params: Json, *, wait_s: float = 0.0) -> Any:  # noqa: ANN401 - JSON
        """Return the result of `method`; the server may take `wait_s` on top of the time-out.

        Raises RateLimitedError, ConflictError and other TransientErrors, EntitiesError,
        MovedError and other RejectedErrors, and FatalError where the token or the chat is no good.
        """
        status, body = await self._post(method, params, self._timeout_s + wait_s)
        answer = _parsed(body)
        if status == 200 and answer.get("ok") is True and "result" in answer:
            return answer["result"]
        raise self._error_of(status, answer)

    async def close(self) -> None:
        """Give the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, method: str, params: Json, timeout_s: float) -> tuple[int, bytes]:
        try:
            async with self._opened().post(
                self._base / f"bot{self._token}" / method,
                data=orjson.dumps(params),
                headers={"Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
            ) as answer:
                return answer.status, await _bounded(answer.content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            name = type(error).__name__
        # Outside the handler, so that the library's error is not even kept as the context.
        raise TransientError(f"Telegram at {self._base.host} cannot be reached: {name}")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session

    def _error_of(self, status: int, answer: Json) -> Exception:
        words = self._words(answer)
        text = f"Telegram answered {status}{f': {words}' if words else ''}"
        parameters = answer.get("parameters")
        given = parameters if isinstance(parameters, dict) else {}
        match status:
            case 429:
                return RateLimitedError(text, _seconds(given.get("retry_after")))
            case 401 | 404:
                return FatalError(f"Telegram does not know the token ({status}): ask @BotFather")
            case 403:
                return FatalError(
                    f"{text}. Write to the bot, or let it into the group, and restart"
                )
            case 409:
                return ConflictError(text)
            case 400:
                return _bad_request(text, words.lower(), given.get("migrate_to_chat_id"))
            case _ if 400 < status < 500:
                return RejectedError(text)
            case _:
                return TransientError(text)

    def _words(self, answer: Json) -> str:
        words = " ".join(without_controls(str(answer.get("description") or "")).split())
        return words.replace(self._token, "[redacted]")[:DESCRIPTION_LENGTH_MAX]


def _bad_request(text: str, words: str, moved_to: object) -> Exception:
    if isinstance(moved_to, int):
        return MovedError(text, moved_to)
    if "entit" in words:
        return EntitiesError(text)
    if "chat not found" in words:
        return FatalError(f"{text}. Write to the bot first, or correct chat_id")
    return RejectedError(text)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return RETRY_AFTER_S
    return min(float(value), RETRY_AFTER_S_MAX)


def _parsed(body: bytes) -> Json:
    """Return the answer, or an empty one for what is none (a proxy's page)."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """Read an answer, but no endless one. Raises ValueError."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is too long")
    return bytes(body)
