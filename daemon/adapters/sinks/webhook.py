"""Posts each alert to a URL, signed, in order and at least once: for programs of one's own.

A post is JSON: `number` (of the journal entry), `id` (the same for a repeat), `event` (its fixed
name), `level`, `at_ms` and `fields`. Its headers tell who sent it and when:

- `Tickd-Event-Id`: the id again, for receivers that look at headers only
- `Tickd-Event-Kind`: the name again
- `Tickd-Timestamp`: unix seconds of the sending; a receiver refuses what is old
- `Tickd-Signature`: `sha256=` and the HMAC-SHA256, in hex, of timestamp, "." and body
"""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import aiohttp
import orjson
from yarl import URL

from daemon.core.alerts import Alert, AlertFilter, Place, alerts_of, is_alert
from daemon.core.errors import RateLimitedError, TransientError
from daemon.core.records import Journaled
from daemon.core.redaction import Redactor
from daemon.ports import Clock

RETRY_AFTER_S = 5.0
"""Where a busy receiver does not say how long to wait."""

RETRY_AFTER_S_MAX = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where posts go, by which secret they are signed (None: not at all), how long they may take.

    The path of a webhook is often its password.
    """

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0


class WebhookAlertSink:
    """Delivers to `target`; any answer but 2xx means that the post comes again.

    `clock` tells the time of the world, also in the sandbox: receivers compare it with theirs.
    """

    name = "webhook"

    def __init__(
        self, target: Target, clock: Clock, redactor: Redactor, wanted: AlertFilter | None = None
    ) -> None:
        self._url = URL(target.url)
        self._secret = target.secret.encode("utf-8") if target.secret else None
        self._clock = clock
        self._redactor = redactor
        self._timeout = aiohttp.ClientTimeout(total=target.timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._filter = wanted or AlertFilter()
        self._done: Place = (0, 0)

    def __repr__(self) -> str:
        return f"WebhookAlertSink({self._url.host})"

    def change_secret(self, secret: str | None) -> None:
        """Sign with this from now on."""
        self._secret = secret.encode("utf-8") if secret else None

    def wants(self, journaled: Journaled) -> bool:
        """Say whether an entry holds anything to post."""
        return is_alert(journaled.entry) and any(True for _ in self._wanted([journaled]))

    async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> None:  # noqa: ARG002
        """Post every alert. Raises TransientError at the first that does not get through.

        What got through before that is not posted again when the same entries come back.
        """
        for alert in self._wanted(entries):
            if alert.place > self._done:
                await self._post(alert)
                self._done = alert.place

    async def ping(self) -> None:
        """Post a test, signed as all others: kind `test`, number 0. Raises TransientError."""
        body = orjson.dumps({"number": 0, "id": "test", "event": "test", "fields": {}})
        await self._send("test", "test", body)

    def _wanted(self, entries: Sequence[Journaled]) -> Iterator[Alert]:
        for journaled in entries:
            yield from filter(self._filter.wants, alerts_of(journaled))

    async def close(self) -> None:
        """Give the connection back."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, alert: Alert) -> None:
        await self._send(alert.id, alert.kind, self._body(alert))

    async def _send(self, event_id: str, kind: str, body: bytes) -> None:
        headers = self._headers(event_id, kind, body)
        try:
            async with self._opened().post(
                self._url, data=body, headers=headers, allow_redirects=False
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

    def _body(self, alert: Alert) -> bytes:
        return orjson.dumps(
            {
                "number": alert.number,
                "id": alert.id,
                "event": alert.kind,
                "level": alert.level,
                "at_ms": alert.at_ms,
                "fields": self._redactor.scrub(alert.fields),
            }
        )

    def _headers(self, event_id: str, kind: str, body: bytes) -> dict[str, str]:
        timestamp = str(self._clock.now_ms() // 1000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "tickd",
            "Tickd-Event-Id": event_id,
            "Tickd-Event-Kind": kind,
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
