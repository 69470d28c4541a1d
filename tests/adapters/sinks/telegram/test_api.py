"""The Bot API: each answer becomes one of our errors, and none of them holds the token."""

import traceback

import pytest

from daemon.adapters.sinks.telegram.api import BotApi, ConflictError, EntitiesError, MovedError
from daemon.core.errors import FatalError, RateLimitedError, RejectedError, TransientError
from tests.adapters.sinks.telegram.bot_server import (
    TOKEN,
    Answer,
    asking,
    hang,
    hang_up,
    refusal,
    saying,
    serving,
    too_many,
)

HTML = saying(502, "<html><h1>502 Bad Gateway</h1></html>")


async def test_an_answer_is_its_result() -> None:
    async with serving() as server, asking(server) as api:
        me = await api.call("getMe", {})

    assert me["username"] == "tickd_test_bot"


async def test_a_token_can_be_changed_while_it_runs() -> None:
    async with serving() as server, asking(server) as api:
        api.change_token("999:anotherTokenOfNobody")
        with pytest.raises(FatalError):
            await api.call("getMe", {})
        api.change_token(TOKEN)
        assert await api.call("getMe", {})


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (refusal(401, "Unauthorized"), FatalError, "does not know the token"),
        (refusal(404, "Not Found"), FatalError, "does not know the token"),
        (refusal(403, "Forbidden: bot was blocked by the user"), FatalError, "was blocked"),
        (refusal(400, "Bad Request: chat not found"), FatalError, "correct chat_id"),
        (refusal(400, "Bad Request: can't parse entities: x"), EntitiesError, "entities"),
        (refusal(400, "Bad Request: message text is empty"), RejectedError, "empty"),
        (refusal(409, "Conflict: terminated by other getUpdates"), ConflictError, "Conflict"),
        (refusal(500, "Internal"), TransientError, "500"),
        (HTML, TransientError, "answered 502"),
        (saying(200, "[1, 2"), TransientError, "answered 200"),
        (saying(200, '{"ok": true}'), TransientError, "answered 200"),
        (saying(302, "", Location="http://[::1]:9/"), TransientError, "302"),
        (hang, TransientError, "TimeoutError"),
        (hang_up, TransientError, "ServerDisconnectedError"),
    ],
)
async def test_s4_every_refusal_says_what_to_do(
    answer: Answer, kind: type[Exception], told: str
) -> None:
    async with serving() as server, asking(server, timeout_s=0.3) as api:
        server.answers["getMe"] = [answer]
        with pytest.raises(kind, match=told) as raised:
            await api.call("getMe", {})

    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("retry_after", "wait_s"), [(7, 7.0), (99_999_999, 3600.0), (-1, 5.0), ("soon", 5.0)]
)
async def test_s1_a_busy_server_says_how_long_to_wait(retry_after: object, wait_s: float) -> None:
    async with serving() as server, asking(server) as api:
        server.answers["getMe"] = [refusal(429, "Too Many Requests", retry_after=retry_after)]
        with pytest.raises(RateLimitedError) as raised:
            await api.call("getMe", {})

    assert raised.value.retry_after_s == wait_s


async def test_a_group_that_moved_says_where_to() -> None:
    async with serving() as server, asking(server) as api:
        server.answers["getMe"] = [refusal(400, "group upgraded", migrate_to_chat_id=-100)]
        with pytest.raises(MovedError) as raised:
            await api.call("getMe", {})

    assert raised.value.chat_id == -100


async def test_an_endless_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.adapters.sinks.telegram.api.ANSWER_BYTES_MAX", 10)
    async with serving() as server, asking(server) as api:
        with pytest.raises(TransientError, match="ValueError"):
            await api.call("getMe", {})


@pytest.mark.parametrize(
    "answer", [refusal(400, f"/bot{TOKEN}/x"), refusal(401, TOKEN), hang, hang_up, too_many(1)]
)
async def test_q5_no_error_holds_the_token(answer: Answer) -> None:
    async with serving() as server, asking(server, timeout_s=0.3) as api:
        server.answers["getMe"] = [answer]
        with pytest.raises((TransientError, RejectedError, FatalError)) as raised:
            await api.call("getMe", {})

    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(api)
    assert TOKEN not in told
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no.such.host.invalid"])
async def test_q5_no_token_is_told_where_nobody_answers(url: str) -> None:
    api = BotApi(TOKEN, url)
    with pytest.raises(TransientError, match="cannot be reached") as raised:
        await api.call("getMe", {})
    await api.close()

    assert TOKEN not in "".join(traceback.format_exception(raised.value))
