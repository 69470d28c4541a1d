"""The card: one message, edited, found again, made anew only where it is gone."""

import pytest

from daemon.adapters.sinks.telegram.api import BotApi
from daemon.adapters.sinks.telegram.card import Card
from daemon.adapters.sinks.telegram.chat import Chat
from daemon.core.alert_words import Words
from tests.adapters.sinks.telegram.bot_server import CHAT_ID, asking, refusal, saying, serving


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.adapters.sinks.telegram.pace.MESSAGE_S", 0.0)


def a_card(api: BotApi) -> Card:
    return Card(api, Chat(api, CHAT_ID, str), "tickd: ", lambda: Words("tickd: well"))


async def test_a_card_is_sent_once_and_then_edited() -> None:
    async with serving() as server, asking(server) as api:
        card = a_card(api)
        for _ in range(3):
            await card.show()

    assert len(server.sent) == 1
    assert server.sent[0]["disable_notification"] is True
    assert [edit["message_id"] for edit in server.edited] == [1, 1]
    assert "pinChatMessage" in [method for method, _ in server.calls]


async def test_a_restart_finds_its_card_again() -> None:
    pinned = (
        '{"ok":true,"result":{"pinned_message":{"message_id":9,"text":"tickd: not ready\\nx"}}}'
    )
    async with serving() as server, asking(server) as api:
        server.answers["getChat"] = [saying(200, pinned)]
        await a_card(api).show()

    assert server.sent == []
    assert [edit["message_id"] for edit in server.edited] == [9]


async def test_a_card_that_was_deleted_is_made_anew() -> None:
    async with serving() as server, asking(server) as api:
        card = a_card(api)
        await card.show()
        gone = refusal(400, "Bad Request: message to edit not found")
        server.answers["editMessageText"] = [gone]
        await card.show()

    assert len(server.sent) == 2


async def test_a_card_that_says_the_same_is_left_alone() -> None:
    async with serving() as server, asking(server) as api:
        card = a_card(api)
        await card.show()
        same = refusal(400, "Bad Request: message is not modified")
        server.answers["editMessageText"] = [same]
        await card.show()
        await card.show()

    assert len(server.sent) == 1


async def test_a_card_does_not_say_that_all_is_well_once_it_is_over() -> None:
    async with serving() as server, asking(server) as api:
        card = a_card(api)
        await card.end(Words("tickd: stopped"))
        await card.show()
        await card.end(Words("tickd: stopped"))

    assert [edit["text"] for edit in server.edited] == ["tickd: stopped"]
