"""The bot: commands of those who may, once each, on record, whatever Telegram does."""

import pytest

from daemon.adapters.sinks.telegram import bot as bot_module
from tests.adapters.sinks.telegram.bot_server import (
    TOKEN,
    Answer,
    hang_up,
    refusal,
    saying,
    serving,
)
from tests.adapters.sinks.telegram.bot_stage import NOW_S, Responder, a_bot, pressed, said, until


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.adapters.sinks.telegram.pace.MESSAGE_S", 0.0)
    monkeypatch.setattr(bot_module, "BACKOFF_S", (0.01,))
    monkeypatch.setattr(bot_module, "CONFLICT_S", (0.02,))


async def test_a_question_is_answered_and_on_record() -> None:
    async with serving() as server, a_bot(server) as stage:
        server.push(said("/status"))
        await until(lambda: server.sent)

    assert server.texts == ["answer to /status"]
    assert stage.results == [("/status", "answered")]
    assert stage.told[-1][1]["identity"] == "user 7 chat 42"
    assert [method for method, _ in server.calls][:3] == ["getMe", "setMyCommands", "getUpdates"]


async def test_a_change_takes_a_button() -> None:
    async with serving() as server, a_bot(server) as stage:
        server.push(said("/pause all"))
        await until(lambda: server.sent)
        assert stage.responder.done == []
        server.push(pressed(stage.button("Yes")))
        await until(lambda: server.edited)

    assert stage.responder.done == ["/pause all"]
    assert server.edited[0]["text"] == "/pause all: done"
    assert "reply_markup" not in server.edited[0]
    assert stage.results == [("/pause all", "asked back"), ("/pause all", "carried out")]


async def test_a_change_can_be_taken_back() -> None:
    async with serving() as server, a_bot(server) as stage:
        server.push(said("/close all"))
        await until(lambda: server.sent)
        server.push(pressed(stage.button("No")))
        await until(lambda: server.edited)

    assert stage.responder.done == []
    assert stage.results[-1] == ("/close all", "taken back")


async def test_a_button_works_once() -> None:
    async with serving() as server, a_bot(server) as stage:
        server.push(said("/close all"))
        await until(lambda: server.sent)
        data = stage.button("Yes")
        for update_id in (2, 3, 4):
            server.push(pressed(data, update_id=update_id))
        await until(lambda: stage.lines.count("telegram_button_expired") == 2)

    assert stage.responder.done == ["/close all"]


async def test_a_button_expires() -> None:
    async with serving() as server, a_bot(server, life_s=0.0) as stage:
        server.push(said("/close all"))
        await until(lambda: server.sent)
        server.push(pressed(stage.button("Yes")))
        await until(lambda: "telegram_button_expired" in stage.lines)

    assert stage.responder.done == []
    answers = [params for method, params in server.calls if method == "answerCallbackQuery"]
    assert "worth nothing" in answers[0]["text"]


@pytest.mark.parametrize(
    "who", [{"user_id": 666}, {"chat_id": 666}, {"user_id": 666, "chat_id": 666}]
)
async def test_strangers_are_counted_and_never_answered(who: dict[str, int]) -> None:
    async with serving() as server, a_bot(server) as stage:
        server.push(said("/status"))
        await until(lambda: server.sent)
        for update_id in range(2, 12):
            server.push(said("/close all", update_id=update_id, **who))
            server.push(pressed("ytoken0", update_id=update_id + 20, **who))
        await until(lambda: stage.bot.strangers >= 11)

    assert len(server.sent) == 1
    assert "answerCallbackQuery" not in [method for method, _ in server.calls]
    assert stage.responder.done == []
    assert stage.lines.count("telegram_stranger") == 1


async def test_a_refusal_is_told_in_its_words() -> None:
    async with (
        serving() as server,
        a_bot(server, Responder(refuses="no position is open")) as stage,
    ):
        server.push(said("/close all"))
        await until(lambda: server.sent)

    assert server.texts == ["That cannot be done\nno position is open"]
    assert "reply_markup" not in server.sent[0]
    assert stage.results == [("/close all", "refused: no position is open")]


async def test_no_command_is_carried_out_again_after_a_restart() -> None:
    """The first bot dies in the middle of what the button asked for, and of an answer."""
    responder = Responder()
    async with serving() as server:
        async with a_bot(server, responder) as first:
            server.push(said("/close all"))
            await until(lambda: server.sent)
            data = first.button("Yes")
            responder.hangs = True
            server.push(pressed(data))
            await until(lambda: responder.done)
        async with a_bot(server, responder) as second:
            server.push(pressed(data, update_id=3))
            await until(lambda: "telegram_button_expired" in second.lines)
            server.push(said("/status", update_id=4))
            await until(lambda: responder.answered)
        async with a_bot(server, responder) as third:
            responder.hangs = False
            server.push(said("/version", update_id=5))
            await until(lambda: third.results)

    assert responder.done == ["/close all"]
    assert responder.answered == ["/status", "/version"]


async def test_what_could_not_be_receipted_is_not_done_twice() -> None:
    async with serving() as server, a_bot(server) as stage:
        await until(lambda: server.calls)
        plan: list[Answer] = [saying(502, "<html>"), hang_up]
        server.answers["getUpdates"] = plan
        server.push(said("/status"))
        await until(lambda: stage.results)

    assert stage.results == [("/status", "answered")]


async def test_what_is_too_old_is_passed_over() -> None:
    async with serving() as server, a_bot(server) as stage:
        server.push(said("/close all", at_s=NOW_S - 3600))
        server.push(said("/status", update_id=2))
        await until(lambda: server.sent)

    assert stage.results[0] == ("/close all", "passed over: 3600 s old")
    assert server.texts == ["answer to /status"]


async def test_another_poller_is_told_of_once() -> None:
    async with serving() as server, a_bot(server) as stage:
        conflict = refusal(409, "Conflict: terminated by other getUpdates request")
        server.answers["getUpdates"] = [conflict] * 5
        await until(lambda: "telegram_commands_back" in stage.lines)
        server.push(said("/status"))
        await until(lambda: server.sent)

    assert stage.lines.count("telegram_commands_wait") == 1
    assert "another program polls with this token" in str(stage.told[0][1]["message"])


@pytest.mark.parametrize("answer", [saying(502, "<html>"), hang_up, saying(200, "nonsense")])
async def test_s2_an_outage_is_told_once_and_outlived(answer: Answer) -> None:
    async with serving() as server, a_bot(server) as stage:
        server.answers["*"] = [answer] * 4
        server.push(said("/status"))
        await until(lambda: server.sent)

    assert stage.lines.count("telegram_commands_wait") == 1
    assert stage.lines.count("telegram_commands_back") == 1


async def test_s4_a_revoked_token_ends_it_in_one_line() -> None:
    async with serving() as server, a_bot(server) as stage:
        await until(lambda: server.calls)
        server.answers["*"] = [refusal(401, "Unauthorized")] * 9
        server.push(said("/status"))
        await until(lambda: "telegram_commands_off" in stage.lines)

    assert TOKEN not in str(stage.told)


async def test_s4_an_answer_that_cannot_be_sent_ends_nothing() -> None:
    async with serving() as server, a_bot(server) as stage:
        server.answers["sendMessage"] = [refusal(403, "Forbidden: bot was blocked by the user")]
        server.push(said("/status"))
        await until(lambda: "telegram_reply_failed" in stage.lines)
        server.push(said("/version", update_id=2))
        await until(lambda: server.sent)

    assert server.texts == ["answer to /version"]
