"""What a chat's commands answer and do, with the whole daemon behind them in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daemon.adapters.sinks.telegram.commands import BY_NAME, Request
from daemon.app.telegram_responder import TelegramResponder
from daemon.app.telegram_words import daily_words, performance_words, profit_words, trades_words
from daemon.core.alert_words import Words
from daemon.core.errors import RejectedError
from daemon.simulation.loop import run_virtual
from tests.core.some_events import AT_MS, a_closed
from tests.live.control_stage import Hand, a_hand, commands_of
from tests.live.scene import Scene, a_scene, the_shipped_scene
from tests.live.scripted import Buyer, a_market


def a_request(text: str) -> Request:
    name, *arguments = text.split()
    return Request(
        command=BY_NAME[name.removeprefix("/")],
        arguments=tuple(arguments),
        user_id=7,
        chat_id=42,
    )


@asynccontextmanager
async def a_responder(
    scene: Scene, folder: Path, after_s: float = 5.0
) -> AsyncIterator[TelegramResponder]:
    async with a_hand(scene, after_s=after_s) as hand:
        yield responder_of(hand, folder)


def responder_of(hand: Hand, folder: Path) -> TelegramResponder:
    journal = hand.daemon.world.journal
    return TelegramResponder(hand.daemon.status, hand.control, journal, folder, lambda: 3)


def an_open_position() -> Scene:
    scene = a_scene(Buyer)
    scene.market = a_market([100.0])
    return scene


def test_every_question_has_an_answer(tmp_path: Path) -> None:
    async def play() -> dict[str, Words]:
        async with a_responder(an_open_position(), tmp_path) as responder:
            return {
                command.name: await responder.answer(a_request(f"/{command.name}"))
                for command in dict.fromkeys(BY_NAME.values())
                if not command.is_change and command.name not in ("help", "logs")
            }

    told = run_virtual(play())

    assert "1 open, 0 waiting" in told["status"].text
    assert told["positions"].title == "1 open, 0 waiting"
    assert "entry 100" in told["positions"].text
    assert "3 messages of strangers" in told["health"].text
    assert told["version"].title.startswith("tickd ")
    assert told["profit"].title == "Nothing was closed yet"


def test_a_position_is_closed_by_its_symbol(tmp_path: Path) -> None:
    scene = an_open_position()

    async def play() -> tuple[Words, Words]:
        async with a_responder(scene, tmp_path) as responder:
            request = a_request("/close btc/usdt")
            return await responder.preview(request), await responder.carry_out(request)

    preview, done = run_virtual(play())

    assert preview.title == "Close now one task?"
    assert done.title == "/close btc/usdt: done"
    assert [(entry.origin, entry.identity) for entry in commands_of(scene)] == [
        ("telegram", "user 7 chat 42")
    ] * 2


def test_a_command_to_all_reaches_every_task(tmp_path: Path) -> None:
    async def play() -> tuple[Words, bool]:
        async with a_hand(the_shipped_scene(), after_s=5.0) as hand:
            responder = responder_of(hand, tmp_path)
            await responder.carry_out(a_request("/pause"))
            tasks = hand.daemon.status.snapshot().tasks
            are_paused = all(task.is_paused for task in tasks)
            return await responder.carry_out(a_request("/resume all")), are_paused

    resumed, are_paused = run_virtual(play())

    assert are_paused
    assert resumed.title == "/resume all: done"
    assert len(resumed.lines) == 6


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/close", "say who: /close BTC/USDT"),
        ("/stop", "say who"),
        ("/close ETH/USDT", "there is no ETH/USDT"),
        ("/close nosignal", "there is no nosignal"),
        ("/cancel all", "no signal waits there"),
        ("/pause BTC/USDT ETH/USDT", "one at a time"),
    ],
)
def test_a_change_that_cannot_be_done_says_why(text: str, told: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with a_responder(an_open_position(), tmp_path) as responder:
            with pytest.raises(RejectedError, match=told):
                await responder.preview(a_request(text))

    run_virtual(play())


@pytest.mark.parametrize("text", ["/daily 0", "/daily x", "/trades 9999", "/logs -1", "/daily ²"])
def test_a_count_has_bounds(text: str, tmp_path: Path) -> None:
    async def play() -> None:
        async with a_responder(an_open_position(), tmp_path) as responder:
            with pytest.raises(RejectedError, match="takes a number from 1 to"):
                await responder.answer(a_request(text))

    run_virtual(play())


def test_the_log_shows_the_newest_events(tmp_path: Path) -> None:
    async def play() -> Words:
        async with a_responder(an_open_position(), tmp_path) as responder:
            await asyncio.sleep(5)
            return await responder.answer(a_request("/logs 2"))

    assert "long opened at 100" in run_virtual(play()).text


def test_figures_are_those_of_the_closed_positions() -> None:
    closes = [a_closed(), a_closed(pnl_percent=-1.5)]

    assert profit_words(closes).title == "Profit -1.00 %"
    assert "2 closed, 50 % won, -1.00 %" in profit_words(closes).lines
    assert daily_words(closes, AT_MS, 2).lines == (
        "2023-11-14  -1.00 %  (2 closed)",
        "2023-11-13  -",
    )
    assert performance_words(closes).lines == ("BTC/USDT  -1.00 %  (2 closed)",)
    assert trades_words(closes).lines[0] == "11-14 22:21 BTC/USDT long -1.50 % take profit"
