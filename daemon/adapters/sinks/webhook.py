"""Posts each transition to a URL, signed, in order and at least once: for programs of one's own.

A post is JSON: `number` (of the journal entry), `id` (the same for a repeat), `event` (its fixed
name), `at_ms` and `fields`. Its headers tell who sent it and when:

- `Tickd-Event-Id`: the id again, for receivers that look at headers only
- `Tickd-Timestamp`: unix seconds of the sending; a receiver refuses what is old
- `Tickd-Signature`: `sha256=` and the HMAC-SHA256, in hex, of timestamp, "." and body
"""

import hmac
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

import aiohttp
import orjson
from yarl import URL

from daemon.core.errors import RateLimitedError, TransientError
from daemon.core.events import Transition
from daemon.core.fields import flat_fields, log_name
from daemon.core.records import Journaled, TransitionEntry
from daemon.core.redaction import Redactor
from daemon.ports import Clock

RETRY_AFTER_S = 5.0
"""Where a busy receiver does not say how long to wait."""

RETRY_AFTER_S_MAX = 3600.0


class WebhookAlertSink:
    """Delivers to `url`; any answer but 2xx means that the post comes again.

    `clock` tells the time of the world, also in the sandbox: receivers compare it with theirs.
    """

    name = "webhook"

    def __init__(
        self,
        url: str,
        secret: str | None,
        clock: Clock,
        redactor: Redactor,
        *,
        timeout_s: float = 10.0,
    ) -> None:
        self._url = URL(url)
        self._secret = secret.encode("utf-8") if secret else None
        self._clock = clock
        self._redactor = redactor
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._done = (0, 0)

    def __repr__(self) -> str:
        # The path of a webhook is often its password.
        return f"WebhookAlertSink({self._url.host})"

    async def deliver(self, entries: Sequence[Journaled]) -> None:
        """Post every transition. Raises TransientError at the first that does not get through.

        What got through before that is not posted again when the same entries come back.
        """
        for place, event in _transitions(entries):
            if place > self._done:
                await self._post(place[0], event)
                self._done = place

    async def close(self) -> None:
        """Give the connection back."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, number: int, event: Transition) -> None:
        body = self._body(number, event)
        try:
            async with self._opened().post(
                self._url, data=body, headers=self._headers(event.id, body), allow_redirects=False
            ) as answer:
                # The body of the answer is nobody's business, and could be endless.
                status, retry_after = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientError(f"{self._url.host}: {type(error).__name__}") from error
        if 200 <= status < 300:
            return
        if status == 429 or (status == 503 and retry_after):
            wait_s = self._wait_s(retry_after)
            raise RateLimitedError(f"{self._url.host} answered {status}", wait_s)
        raise TransientError(f"{self._url.host} answered {status}")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session

    def _body(self, number: int, event: Transition) -> bytes:
        return orjson.dumps(
            {
                "number": number,
                "id": event.id,
                "event": log_name(event),
                "at_ms": event.at_ms,
                "fields": self._redactor.scrub(flat_fields(event)),
            }
        )

    def _headers(self, event_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(self._clock.now_ms() // 1000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "tickd",
            "Tickd-Event-Id": event_id,
            "Tickd-Timestamp": timestamp,
        }
        if self._secret is not None:
            headers["Tickd-Signature"] = sign(self._secret, timestamp, body)
        return headers

    def _wait_s(self, retry_after: str) -> float:
        return min(max(self._seconds(retry_after), 0.0), RETRY_AFTER_S_MAX)

    def _seconds(self, retry_after: str) -> float:
        if retry_after.isascii() and retry_after.isdigit():
            return float(retry_after)
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return RETRY_AFTER_S
        return until.timestamp() - self._clock.now_ms() / 1000


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the signature of a post, as a receiver recomputes it."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, "sha256").hexdigest()


def _transitions(entries: Sequence[Journaled]) -> Iterator[tuple[tuple[int, int], Transition]]:
    for journaled in entries:
        if isinstance(journaled.entry, TransitionEntry):
            for position, event in enumerate(journaled.entry.events, start=1):
                yield (journaled.number, position), event
