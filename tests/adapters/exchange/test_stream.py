"""Candles over the WebSocket by the real ccxt: nothing is lost unnoticed, nothing left behind."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from daemon.adapters.exchange.market_data import CcxtMarketData
from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import RateLimitedError, RejectedError, TransientError
from daemon.core.rules import Rules
from daemon.ports import MinuteUpdate
from daemon.simulation.faults import (
    BrokenFrame,
    CloseSocket,
    Effect,
    Fault,
    FaultPlan,
    NotANumber,
    SilentSocket,
    Status,
    Timeout,
)
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.server.app import SandboxServer
from tests.adapters.exchange.conftest import NOW_MS, SYMBOLS, Connect, HeldClock

BTC, ETH = SYMBOLS


def a_plan(effect: Effect, path: str = "*@kline_1m") -> FaultPlan:
    return FaultPlan(faults=(Fault(effect=effect, path=path),))


async def first(updates: AsyncIterator[MinuteUpdate]) -> MinuteUpdate:
    async with asyncio.timeout(10):
        return await anext(updates)


async def listen(updates: AsyncIterator[MinuteUpdate], seconds: float) -> None:
    """Listen for so long. Raises TimeoutError at the end."""
    async with asyncio.timeout(seconds):
        async for _ in updates:
            pass


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  # the other side cannot tell us
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(
    data: CcxtMarketData, *symbols: str
) -> AsyncIterator[AsyncIterator[MinuteUpdate]]:
    """Watch, and leave at the end of the block."""
    updates = data.watch(symbols or SYMBOLS)
    assert isinstance(updates, AsyncGenerator)
    async with aclosing(updates):
        yield updates


async def test_the_forming_minute_is_told_as_it_is(
    data: CcxtMarketData, market: GeneratedMarket
) -> None:
    async with watching(data, BTC) as updates:
        update = await first(updates)

    begun_ms = NOW_MS // MINUTE_MS * MINUTE_MS
    assert update.symbol == BTC
    assert list(update.rows) == market.minutes(BTC, begun_ms, NOW_MS, NOW_MS)


async def test_all_symbols_share_one_line_and_one_message(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    seen = set[str]()

    async with watching(data) as updates:
        while seen != set(SYMBOLS):
            seen.add((await first(updates)).symbol)

    assert server.counters.sockets_opened == 1
    assert server.counters.messages_received == 1


async def test_every_minute_is_told_final_however_slow_the_reader(
    data: CcxtMarketData, market: GeneratedMarket, clock: HeldClock
) -> None:
    """The market runs on while nobody reads; what was missed comes with the next update."""
    told: dict[int, Candle] = {}
    begun_ms = NOW_MS // MINUTE_MS * MINUTE_MS

    async with watching(data, BTC) as updates:
        await first(updates)
        for _ in range(30):
            clock.at_ms += 10_000
            await asyncio.sleep(0.03)
        async with asyncio.timeout(10):
            async for update in updates:
                assert [row.timestamp for row in update.rows] == sorted(
                    row.timestamp for row in update.rows
                )
                told |= {row.timestamp: row for row in update.rows}
                if update.rows[-1].timestamp == begun_ms + 5 * MINUTE_MS:
                    break

    final = market.minutes(BTC, begun_ms, begun_ms + 5 * MINUTE_MS, clock.at_ms)
    assert [told.get(row.timestamp) for row in final[1:]] == final[1:]


@pytest.mark.parametrize(
    "effect", [CloseSocket(code=1006), CloseSocket(code=1001), BrokenFrame()], ids=repr
)
async def test_x10_a_line_that_ends_says_so_and_the_next_one_goes_on(
    data: CcxtMarketData, server: SandboxServer, effect: Effect
) -> None:
    updates = data.watch(SYMBOLS)
    await first(updates)
    server.faults = a_plan(effect)
    with pytest.raises(TransientError, match="binance: candle stream: "):
        await listen(updates, 10)

    server.faults = FaultPlan()
    async with watching(data) as again:
        assert (await first(again)).rows


async def test_x10_silence_can_be_ended_at_once_and_leaves_nothing(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    """A silent line is the feed's to notice: it only has to be possible to give it up."""
    before = asyncio.all_tasks()
    updates = data.watch(SYMBOLS)
    await first(updates)
    server.faults = a_plan(SilentSocket())
    with pytest.raises(TimeoutError):
        await listen(updates, 0.3)

    await until(lambda: server.counters.sockets_open == 0)
    await until(lambda: asyncio.all_tasks() <= before)
    assert data._exchange.clients == {}


async def test_a_reader_that_leaves_closes_the_line(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    before = asyncio.all_tasks()

    for _ in range(3):
        async with watching(data, BTC) as updates:
            await first(updates)
        await until(lambda: server.counters.sockets_open == 0)

    await until(lambda: asyncio.all_tasks() <= before)


async def test_a_line_that_is_dialled_when_its_reader_leaves_is_closed_once_it_is_there(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    server.faults = a_plan(Timeout(delay_s=0.3), path="/stream*")
    updates = data.watch([BTC])
    with pytest.raises(TimeoutError):
        await listen(updates, 0.1)

    await until(lambda: server.counters.sockets_opened == 1)
    await until(lambda: server.counters.sockets_open == 0)


async def test_x10_what_an_old_line_told_is_not_taken_for_news(
    data: CcxtMarketData, clock: HeldClock
) -> None:
    async with watching(data, BTC) as updates:
        await first(updates)
    clock.at_ms += 10 * MINUTE_MS

    async with watching(data, BTC) as updates:
        update = await first(updates)

    assert [row.timestamp for row in update.rows] == [clock.at_ms // MINUTE_MS * MINUTE_MS]


async def test_x9_a_value_that_is_no_number_reaches_the_judge(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    server.faults = a_plan(NotANumber())

    async with watching(data, BTC) as updates:
        update = await first(updates)

    assert update.rows[-1].close != update.rows[-1].close


async def test_an_exchange_that_is_down_is_a_trouble_that_passes(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    await server.stop()

    with pytest.raises(TransientError):
        await first(data.watch(SYMBOLS))
    assert data._exchange.clients == {}


async def test_x10_after_a_refused_handshake_the_wait_is_the_callers(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    """ccxt would sleep in a task that nobody can end, and open a line that nobody reads."""
    server.faults = a_plan(Status(status=503), path="/stream*")
    with pytest.raises(TransientError):
        await first(data.watch(SYMBOLS))
    with pytest.raises(RateLimitedError) as raised:
        await first(data.watch(SYMBOLS))
    assert 0 < raised.value.retry_after_s < 30

    server.faults = FaultPlan()
    # A loop's clock has steps of a millisecond.
    await asyncio.sleep(raised.value.retry_after_s + 0.1)
    async with watching(data) as updates:
        assert (await first(updates)).rows


async def test_an_unknown_symbol_is_rejected(data: CcxtMarketData) -> None:
    with pytest.raises(RejectedError, match="NOPE/USDT"):
        await first(data.watch([BTC, "NOPE/USDT"]))
    async with watching(data, BTC) as updates:
        assert (await first(updates)).symbol == BTC


async def test_an_exchange_without_a_stream_is_polled_instead() -> None:
    data = await asyncio.to_thread(CcxtMarketData, "zaif", [BTC], Rules())

    with pytest.raises(RejectedError, match="zaif has no candle stream in ccxt"):
        await first(data.watch([BTC]))
    await data.close()


async def test_x10_a_dead_line_shows_by_missed_pongs(connect: Connect) -> None:
    data = await connect()

    assert data._exchange.__dict__["streaming"] == {"maxPingPongMisses": 2, "keepAlive": 5_000.0}
