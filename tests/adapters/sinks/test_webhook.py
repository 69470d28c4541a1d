"""The webhook: each transition is posted, signed, in order, at least once, and without secrets."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from daemon.adapters.sinks.webhook import Target, WebhookAlertSink, sign
from daemon.core.alerts import AlertFilter, level_of
from daemon.core.candles import Candle
from daemon.core.errors import RateLimitedError, TransientError
from daemon.core.events import Transition
from daemon.core.fields import flat_fields, log_name
from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    Journaled,
    JournalEntry,
    RunEntry,
    StopEntry,
    TransitionEntry,
)
from daemon.core.redaction import Redactor
from tests.core.some_events import AT_MS, KEY, an_error, an_opened, every_transition

SECRET = "a-very-secret-webhook-key"
NOW_MS = 1_800_000_000_500


class WallClock:
    speed = 1.0

    def now_ms(self) -> int:
        return NOW_MS


class Receiver:
    """A program of the user's, which answers as told."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[web.StreamResponse | Callable[[web.BaseRequest], Awaitable[Any]]] = []

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, web.StreamResponse):
                return answer
            await answer(request)
        self.posts.append(json.loads(body))
        return web.Response(status=204)


@asynccontextmanager
async def listening(**settings: Any) -> AsyncIterator[tuple[Receiver, WebhookAlertSink]]:
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    redactor = settings.pop("redactor", Redactor([SECRET]))
    target = Target(
        url=f"http://127.0.0.1:{port}/hook/{SECRET}",
        secret=settings.pop("secret", SECRET),
        timeout_s=settings.pop("timeout_s", 5.0),
    )
    sink = WebhookAlertSink(target, WallClock(), redactor, settings.pop("wanted", None))
    try:
        yield receiver, sink
    finally:
        await sink.close()
        await runner.cleanup()


def entries(*events: Transition, per_entry: int = 1) -> list[Journaled]:
    return [
        Journaled(
            number=number,
            entry=TransitionEntry(
                key=KEY, events=tuple(events[start : start + per_entry]), at_ms=0
            ),
        )
        for number, start in enumerate(range(0, len(events), per_entry), start=1)
    ]


async def test_every_transition_is_posted_in_order() -> None:
    async with listening() as (receiver, sink):
        await sink.deliver(entries(*every_transition(), per_entry=2))

    assert receiver.posts == [
        {
            "number": index // 2 + 1,
            "id": event.id,
            "event": log_name(event),
            "level": level_of(event),
            "at_ms": AT_MS,
            "fields": flat_fields(event),
        }
        for index, event in enumerate(every_transition())
    ]


async def test_other_entries_are_passed_over() -> None:
    candle = Candle(timestamp=0, open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0)
    async with listening() as (receiver, sink):
        await sink.deliver([Journaled(number=1, entry=CandleEntry(symbol="X", candle=candle))])

    assert receiver.requests == []


async def test_start_stop_and_commands_are_posted_too() -> None:
    told: list[JournalEntry] = [
        RunEntry(version="1", config_hash="x", at_ms=1),
        CommandEntry(command="pause", target="BTC/USDT", origin="cli", at_ms=2),
        StopEntry(open_count=3, at_ms=4),
    ]
    async with listening() as (receiver, sink):
        await sink.deliver([Journaled(number=n, entry=entry) for n, entry in enumerate(told, 1)])

    assert [(post["event"], post["id"]) for post in receiver.posts] == [
        ("started", "started-1"),
        ("command", "command-2"),
        ("stopped", "stopped-3"),
    ]


async def test_only_what_is_wanted_is_posted() -> None:
    async with listening(wanted=AlertFilter(kinds=frozenset({"exit"}))) as (receiver, sink):
        batch = entries(*every_transition())
        await sink.deliver(batch)
        wanted = [sink.wants(entry) for entry in batch]

    assert [post["event"] for post in receiver.posts] == ["exit"]
    assert wanted == [False] * 8 + [True]


async def test_a_post_is_signed_over_its_time_and_body() -> None:
    async with listening() as (receiver, sink):
        await sink.deliver(entries(an_opened()))

    headers, body = receiver.requests[0]
    timestamp = headers["Tickd-Timestamp"]
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    assert timestamp == "1800000000"
    assert headers["Tickd-Signature"] == f"sha256={expected.hexdigest()}"
    assert headers["Tickd-Event-Id"] == "e2"
    assert headers["Tickd-Event-Kind"] == "signal_opened"
    assert headers["Content-Type"] == "application/json"


async def test_without_a_secret_nothing_is_signed() -> None:
    async with listening(secret=None) as (receiver, sink):
        await sink.deliver(entries(an_opened()))

    assert "Tickd-Signature" not in receiver.requests[0][0]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 502, 503])
async def test_any_other_answer_means_that_it_comes_again(status: int) -> None:
    async with listening() as (receiver, sink):
        headers = {"Location": "http://127.0.0.1:9/"} if status == 301 else {}
        receiver.answers = [web.Response(status=status, headers=headers)]
        with pytest.raises(TransientError, match=f"127.0.0.1 answered {status}"):
            await sink.deliver(entries(an_opened()))
        await sink.deliver(entries(an_opened()))

    assert len(receiver.posts) == 1


@pytest.mark.parametrize(
    ("status", "retry_after", "wait_s"),
    [
        (429, "7", 7.0),
        (429, "", 5.0),
        (429, "soon", 5.0),
        (429, "99999999", 3600.0),
        (429, "Fri, 15 Jan 2027 08:00:30 GMT", 29.5),
        (429, "Fri, 15 Jan 2021 08:00:30 GMT", 0.0),
        (503, "3", 3.0),
    ],
)
async def test_a_busy_receiver_says_how_long_to_wait(
    status: int, retry_after: str, wait_s: float
) -> None:
    async with listening() as (receiver, sink):
        receiver.answers = [web.Response(status=status, headers={"Retry-After": retry_after})]
        with pytest.raises(RateLimitedError) as raised:
            await sink.deliver(entries(an_opened()))

    assert raised.value.retry_after_s == wait_s


async def test_what_got_through_is_not_posted_again() -> None:
    async with listening() as (receiver, sink):
        batch = entries(*every_transition(), per_entry=4)
        receiver.answers = [web.Response(status=status) for status in [204] * 6 + [500]]
        with pytest.raises(TransientError):
            await sink.deliver(batch)
        await sink.deliver(batch)

    ids = [json.loads(body)["id"] for _, body in receiver.requests]
    assert ids == ["e1", "e2", "e3", "e4", "e5", "e6", "e7", "e7", "e8", "e9"]


async def test_a_receiver_that_hangs_is_given_up() -> None:
    async def hang(_: web.BaseRequest) -> None:
        await asyncio.Event().wait()

    async with listening(timeout_s=0.05) as (receiver, sink):
        receiver.answers = [hang]
        with pytest.raises(TransientError, match="TimeoutError"):
            await sink.deliver(entries(an_opened()))


async def test_a_receiver_that_hangs_up_in_the_middle_gets_it_again() -> None:
    async def hang_up(request: web.BaseRequest) -> None:
        assert request.transport is not None
        request.transport.abort()

    async with listening() as (receiver, sink):
        receiver.answers = [hang_up]
        with pytest.raises(TransientError):
            await sink.deliver(entries(an_opened()))
        await sink.deliver(entries(an_opened()))

    assert [post["id"] for post in receiver.posts][-1] == "e2"


async def test_nobody_there_is_a_transient_matter() -> None:
    sink = WebhookAlertSink(Target(url="http://127.0.0.1:9/x"), WallClock(), Redactor())

    with pytest.raises(TransientError, match=r"127\.0\.0\.1"):
        await sink.deliver(entries(an_opened()))
    await sink.close()


async def test_q5_no_secret_is_posted_or_told() -> None:
    async with listening() as (receiver, sink):
        receiver.answers = [web.Response(status=500, text=SECRET)]
        with pytest.raises(TransientError) as raised:
            await sink.deliver(entries(an_error(message=f"GET /?signature={SECRET}")))
        await sink.deliver(entries(an_error(message=f"GET /?signature={SECRET}")))

    told = [*map(str, (raised.value, raised.value.__cause__)), repr(sink)]
    for _, body in receiver.requests:
        assert SECRET.encode() not in body
        assert b"[redacted]" in body
    assert not any(SECRET in text for text in told)


async def test_a_half_of_a_character_can_be_posted() -> None:
    async with listening() as (receiver, sink):
        await sink.deliver(entries(an_error(message="half \ud800")))

    assert receiver.posts[0]["fields"]["message"] == "half ?"


def the_documented_check() -> Callable[..., bool]:
    """Return the function that the documentation gives to receivers."""
    page = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(code, scope)
    scope["time"] = SimpleNamespace(time=lambda: NOW_MS / 1000)
    check: Callable[..., bool] = scope["is_genuine"]
    return check


async def test_the_documented_check_accepts_a_post_and_nothing_else() -> None:
    is_genuine = the_documented_check()
    async with listening() as (receiver, sink):
        await sink.deliver(entries(an_opened()))
        await sink.ping()

    for headers, body in receiver.requests:
        then = str(NOW_MS // 1000 - 301)
        signature = sign(SECRET.encode(), then, body)
        old = {**headers, "Tickd-Timestamp": then, "Tickd-Signature": signature}
        assert is_genuine(SECRET.encode(), headers, body)
        assert not is_genuine(SECRET.encode(), headers, body + b" ")
        assert not is_genuine(b"another", headers, body)
        assert not is_genuine(SECRET.encode(), old, body)
