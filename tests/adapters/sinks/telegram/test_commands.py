"""Commands as they are typed."""

import pytest
from hypothesis import given

from daemon.adapters.sinks.telegram.commands import BY_NAME, COMMANDS, help_words, parse
from tests.adapters.sinks.telegram.test_text import POISON


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("/status", "status", ()),
        ("/Status@My_Bot", "status", ()),
        ("/pause BTC/USDT  breakout", "pause", ("BTC/USDT", "breakout")),
        ("/stopentry", "pause", ()),
        ("/forceexit all", "close", ("all",)),
        ("/start", "help", ()),
        ("/start breakout", "start", ("breakout",)),
        ("/nonsense", "help", ()),
        ("/", "help", ()),
    ],
)
def test_a_command_is_understood(text: str, name: str, arguments: tuple[str, ...]) -> None:
    assert parse(text, "my_bot") == (BY_NAME[name], arguments)


@pytest.mark.parametrize("text", ["", "hello", "/status@other_bot", "status", " "])
def test_what_is_not_for_this_bot_is_nothing(text: str) -> None:
    assert parse(text, "my_bot") is None


@given(POISON)
def test_s3_no_text_upsets_the_reader(text: str) -> None:
    parse(text, "my_bot")
    parse(f"/close {text}", "my_bot")


def test_every_command_is_in_the_help() -> None:
    text = help_words().text

    assert all(f"/{command.name}" in text for command in COMMANDS)
    assert len(BY_NAME) == sum(1 + len(command.aliases) for command in COMMANDS)
    # Telegram's menu takes these letters alone.
    assert all(name.isascii() and name.islower() and len(name) <= 32 for name in BY_NAME)
