"""When pushes happen: spread over the pairs, each pair's news once and in order."""

import asyncio
from typing import Any

import orjson
import pytest
from aiohttp import web

from daemon.simulation.faults import FaultPlan
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.server.counters import Counters
from daemon.simulation.server.pusher import PUSH_INTERVAL_S, PUSH_SLOTS, Pusher
from daemon.simulation.server.questions import names_of
from daemon.simulation.server.scene import Stage
from daemon.simulation.server.sockets import Socket
from tests.simulation.server.conftest import NOW_MS
from tests.simulation.server.held_clock import HeldClock

TEN = [f"c{n:02d}usdt@kline_1m" for n in range(10)]
MINUTE_MS = 60_000


def a_pusher(
    market: GeneratedMarket,
    clock: HeldClock,
    *,
    interval_s: float = PUSH_INTERVAL_S,
    slots: int = PUSH_SLOTS,
) -> Pusher:
    pusher = Pusher(Stage(market, clock, FaultPlan(), Counters()), interval_s)
    pusher.slots = slots
    return pusher


def a_reader(pusher: Pusher, market: GeneratedMarket, streams: list[str]) -> Socket:
    socket = Socket(web.WebSocketResponse(), None, Counters())
    socket.subscribe(streams, names_of(market))
    pusher.sockets.add(socket)
    return socket


def run_round(pusher: Pusher) -> None:
    for part in pusher.begin_round():
        for symbol, feeds in part.items():
            pusher.push(symbol, feeds)


def take_mail(socket: Socket) -> list[Any]:
    mail = [orjson.loads(body) for body in socket._outbox]
    socket._outbox.clear()
    return mail


@pytest.mark.parametrize(
    ("speed", "options", "parts"),
    [
        (1.0, {}, 10),
        (1.0, {"slots": 4}, 4),
        (1.0, {"slots": 1}, 1),
        (60.0, {}, 10),
        (60.0, {"interval_s": 0.05}, 5),
        (1e6, {"interval_s": 0.001}, 1),
    ],
)
def test_a_round_is_spread_over_the_pairs_that_are_read(
    market: GeneratedMarket, speed: float, options: dict[str, Any], parts: int
) -> None:
    pusher = a_pusher(market, HeldClock(NOW_MS, speed), **options)
    a_reader(pusher, market, TEN)

    found = pusher.begin_round()

    assert len(found) == parts
    assert sorted(symbol for part in found for symbol in part) == [
        f"C{n:02d}/USDT" for n in range(10)
    ]


def test_pairs_that_share_a_moment_take_turns_at_being_first(market: GeneratedMarket) -> None:
    pusher = a_pusher(market, HeldClock(NOW_MS), slots=2)
    a_reader(pusher, market, TEN)

    rounds = [pusher.begin_round() for _ in range(5)]

    first_of_each = [{next(iter(parts[n])) for parts in rounds} for n in range(2)]
    assert [len(firsts) for firsts in first_of_each] == [5, 5]


def test_nobody_listens_and_nothing_is_made(market: GeneratedMarket) -> None:
    assert a_pusher(market, HeldClock(NOW_MS)).begin_round() == []


def test_one_message_serves_all_readers(market: GeneratedMarket) -> None:
    pusher = a_pusher(market, HeldClock(NOW_MS))
    readers = [a_reader(pusher, market, TEN[:1]) for _ in range(3)]

    run_round(pusher)

    bodies = [reader._outbox[0] for reader in readers]
    assert all(body is bodies[0] for body in bodies)


def test_a_pair_that_was_left_and_taken_up_again_starts_with_the_present(
    market: GeneratedMarket,
) -> None:
    clock = HeldClock(NOW_MS)
    pusher = a_pusher(market, clock)
    reader = a_reader(pusher, market, TEN[:1])
    run_round(pusher)
    assert len(take_mail(reader)) == 1

    subscriptions = dict(reader.subscriptions)
    reader.subscriptions.clear()
    clock.at_ms += 10 * MINUTE_MS
    run_round(pusher)
    reader.subscriptions |= subscriptions
    clock.at_ms += 1_000
    run_round(pusher)

    assert len(take_mail(reader)) == 1


def test_candles_that_closed_between_two_rounds_are_told_of(market: GeneratedMarket) -> None:
    clock = HeldClock(NOW_MS)
    pusher = a_pusher(market, clock)
    reader = a_reader(pusher, market, TEN[:1])
    run_round(pusher)
    take_mail(reader)

    clock.at_ms += 3 * MINUTE_MS
    run_round(pusher)

    assert [message["k"]["x"] for message in take_mail(reader)] == [True, True, True, False]


async def test_rounds_follow_the_interval_when_the_market_is_fast(market: GeneratedMarket) -> None:
    pusher = a_pusher(market, HeldClock(NOW_MS, speed=1e6), interval_s=0.05)
    reader = a_reader(pusher, market, TEN[:1])

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await pusher.run_forever()

    assert 2 <= len(take_mail(reader)) <= 8
