"""A chat on a server that speaks the Bot API: every text arrives, at the pace that is allowed."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings

from daemon.adapters.sinks.telegram import chat as chat_module
from daemon.adapters.sinks.telegram.api import BotApi
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.adapters.sinks.telegram.pace import Pace
from daemon.core.alert_words import Words, words_of
from daemon.core.alerts import alerts_of
from daemon.core.errors import FatalError, RateLimitedError, RejectedError, TransientError
from daemon.core.records import Journaled
from daemon.core.redaction import Redactor
from daemon.ports import Message
from tests.adapters.sinks.telegram.bot_server import (
    CHAT_ID,
    TOKEN,
    Answer,
    BotServer,
    asking,
    hang_up,
    refusal,
    saying,
    serving,
    too_many,
)
from tests.adapters.sinks.telegram.test_text import POISON
from tests.core.some_events import an_error
from tests.live.alert_stage import a_transition


def a_message(*lines: str, message_id: str = "1", is_urgent: bool = False) -> Message:
    return Message(id=message_id, words=Words("title", lines), is_urgent=is_urgent)


def a_chat(api: BotApi, chat_id: int = CHAT_ID, **settings: int) -> Chat:
    return Chat(api, chat_id, Redactor([TOKEN]).redact, **settings)


async def test_a_message_is_sent_to_its_chat() -> None:
    async with serving() as server, asking(server) as api:
        await a_chat(api, thread_id=9).send(a_message("body"))

    assert server.sent == [
        {
            "chat_id": CHAT_ID,
            "message_thread_id": 9,
            "disable_notification": False,
            "link_preview_options": {"is_disabled": True},
            "text": "title\nbody",
            "entities": [{"type": "bold", "offset": 0, "length": 5}],
        }
    ]


async def test_s3_an_error_in_the_marks_is_answered_with_plain_text() -> None:
    async with serving() as server, asking(server) as api:
        server.refuses_entities = True
        await a_chat(api).send(a_message("body"))

    assert server.texts == ["title\nbody"]
    assert "entities" not in server.sent[0]


@pytest.mark.may_block("hypothesis runs many examples on loops of their own")
@settings(max_examples=25)
@given(POISON, POISON)
def test_s3_an_event_of_any_text_arrives_unbroken(message: str, where: str) -> None:
    """At the first try, and with every letter that can be shown."""
    entry = Journaled(number=3, entry=a_transition(an_error(where=where, message=message)))
    (alert,) = alerts_of(entry)

    async def play() -> BotServer:
        async with serving() as server, asking(server) as api:
            await a_chat(api).send(Message(id="1", words=words_of(alert)))
        return server

    server = asyncio.run(play())

    (sent,) = server.sent
    assert [method for method, _ in server.calls] == ["sendMessage"]
    shown = {letter for letter in message[:1000] if letter.isalnum()}
    assert shown <= set(sent["text"])


async def test_s1_one_message_a_second() -> None:
    async with serving() as server, asking(server) as api:
        chat = a_chat(api)
        await chat.send(a_message())
        with pytest.raises(RateLimitedError) as raised:
            await chat.send(a_message(message_id="2"))

    assert 0 < raised.value.retry_after_s <= 1.0
    assert len(server.calls) == 1


async def test_s1_retry_after_is_kept_for_everybody() -> None:
    async with serving() as server, asking(server) as api:
        server.answers["sendMessage"] = [too_many(30)]
        chat = a_chat(api)
        with pytest.raises(RateLimitedError) as first:
            await chat.send(a_message())
        with pytest.raises(RateLimitedError) as second:
            await chat.send(a_message(message_id="2", is_urgent=True))

    assert first.value.retry_after_s == 30
    assert 29 < second.value.retry_after_s <= 30
    assert len(server.calls) == 1


async def test_a_long_message_goes_on_where_it_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.adapters.sinks.telegram.pace.MESSAGE_S", 0.0)
    long = a_message("x" * 4000, "y" * 4000)
    async with serving() as server, asking(server) as api:
        chat = a_chat(api)
        await chat.send(a_message(message_id="0"))
        server.answers["sendMessage"] = [saying(200, '{"ok":false}')]
        with pytest.raises(TransientError):
            await chat.send(long)
        await chat.send(long)

    assert [text[:3] for text in server.texts] == ["tit", "tit", "yyy"]


@pytest.mark.parametrize("answer", [saying(502, "<html>Bad Gateway</html>"), hang_up])
async def test_s2_a_server_in_trouble_is_a_transient_matter(answer: Answer) -> None:
    async with serving() as server, asking(server) as api:
        server.answers["sendMessage"] = [answer]
        with pytest.raises(TransientError):
            await a_chat(api).send(a_message())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(403, "Forbidden: bot was blocked by the user"), FatalError),
        (refusal(400, "Bad Request: chat not found"), FatalError),
        (refusal(400, "Bad Request: something new"), RejectedError),
    ],
)
async def test_s4_who_is_refused_for_good_says_so(answer: Answer, kind: type[Exception]) -> None:
    async with serving() as server, asking(server) as api:
        server.answers["sendMessage"] = [answer]
        with pytest.raises(kind):
            await a_chat(api).send(a_message())


async def test_s4_a_group_that_moved_is_followed() -> None:
    async with serving() as server, asking(server) as api:
        server.answers["sendMessage"] = [refusal(400, "upgraded", migrate_to_chat_id=-1001)]
        await a_chat(api, -5).send(a_message())

    assert [message["chat_id"] for message in server.sent] == [-1001]


async def test_q5_no_secret_is_sent() -> None:
    async with serving() as server, asking(server) as api:
        await a_chat(api).send(a_message(f"https://api.telegram.org/bot{TOKEN}/getMe"))

    assert TOKEN not in server.texts[0]
    assert "[redacted]" in server.texts[0]


async def test_memory_is_bounded_however_many_messages_break_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.adapters.sinks.telegram.pace.MESSAGE_S", 0.0)
    async with serving() as server, asking(server) as api:
        chat = a_chat(api)
        for number in range(30):
            server.answers["sendMessage"] = [saying(200, '{"ok":true,"result":1}'), hang_up]
            with pytest.raises(TransientError):
                await chat.send(a_message("x" * 4000, "y" * 4000, message_id=f"{number}"))

    assert len(chat._parts_sent) <= chat_module.UNFINISHED_MAX


def test_s1_a_group_gets_twenty_a_minute() -> None:
    pace, now_s, sent_s = Pace(is_group=True), 0.0, []
    for _ in range(100):
        now_s += pace.wait_s(now_s, is_urgent=False)
        pace.note(now_s, is_urgent=False)
        sent_s.append(now_s)

    assert all(later - earlier >= 60 for earlier, later in zip(sent_s, sent_s[20:], strict=False))
    assert all(later - earlier >= 1 for earlier, later in pairwise(sent_s))


def test_s1_an_urgent_message_goes_first() -> None:
    pace = Pace(is_group=False)
    pace.note(0.0, is_urgent=False)

    assert pace.wait_s(0.5, is_urgent=True) == 0.5
    assert pace.wait_s(1.0, is_urgent=False) > 0
    assert pace.wait_s(1.0, is_urgent=True) == 0
    pace.note(1.0, is_urgent=True)
    assert pace.wait_s(2.0, is_urgent=False) == 0
