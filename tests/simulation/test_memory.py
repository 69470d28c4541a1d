"""The market data port in memory: the market's rows in virtual time, faults included."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TypeVar

import pytest

from daemon.core.candles import MINUTE_MS
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TransientError,
    UntrustedDataError,
)
from daemon.ports import MarketData, MinuteUpdate
from daemon.simulation.clock import VirtualClock
from daemon.simulation.fault_file import parse_fault_plan
from daemon.simulation.generator import GeneratedMarket, a_usdt_pair, default_specs
from daemon.simulation.loop import run_virtual
from daemon.simulation.memory import MemoryMarketData

START_MS = 1_700_000_040_000
MARKET = GeneratedMarket(default_specs(), 3, START_MS - 600 * MINUTE_MS)
SYMBOL = "BTC/USDT"

Result = TypeVar("Result")


def with_data(
    ask: Callable[[MarketData], Awaitable[Result]],
    *faults: Mapping[str, object],
    speed: float = 1.0,
) -> Result:
    """Ask a memory exchange that starts at START_MS, on a virtual loop."""

    async def main() -> Result:
        clock = VirtualClock(asyncio.get_running_loop(), START_MS, speed)
        plan = parse_fault_plan({"plan": faults})
        return await ask(MemoryMarketData(MARKET, clock, faults=plan))

    return run_virtual(main())


async def updates(data: MarketData, count: int, *symbols: str) -> list[MinuteUpdate]:
    found: list[MinuteUpdate] = []
    stream = data.watch(symbols or (SYMBOL,))
    assert isinstance(stream, AsyncIterator)
    async for update in stream:
        found.append(update)
        if len(found) == count:
            break
    return found


def test_candles_are_the_market_s_and_the_last_one_forms() -> None:
    async def ask(data: MarketData) -> None:
        await asyncio.sleep(30)
        rows = await data.candles(SYMBOL, "1m", None, 3)
        now_ms = START_MS + 30_000
        assert rows == MARKET.minutes(SYMBOL, START_MS - 2 * MINUTE_MS, now_ms, now_ms)
        since = await data.candles(SYMBOL, "5m", START_MS - 30 * MINUTE_MS, 2)
        assert len(since) == 2

    with_data(ask)


def test_updates_come_once_a_second_and_tell_the_minute_before_too() -> None:
    async def ask(data: MarketData) -> list[MinuteUpdate]:
        return await updates(data, 61)

    told = with_data(ask)

    for second, update in enumerate(told, 1):
        now_ms = START_MS + second * 1000
        begun_ms = (now_ms - 1) // MINUTE_MS * MINUTE_MS
        assert update.symbol == SYMBOL
        assert update.rows == MARKET.minutes(SYMBOL, begun_ms - MINUTE_MS, now_ms, now_ms)
    assert [len(update.rows) for update in told] == [2] * 61


def test_symbols_are_spread_over_the_second() -> None:
    async def ask(data: MarketData) -> list[tuple[str, float]]:
        loop, seen = asyncio.get_running_loop(), []
        async for update in data.watch(("BTC/USDT", "ETH/USDT")):
            seen.append((update.symbol, round(loop.time(), 3)))
            if len(seen) == 4:
                break
        return seen

    assert with_data(ask) == [
        ("BTC/USDT", 1.0),
        ("ETH/USDT", 1.5),
        ("BTC/USDT", 2.0),
        ("ETH/USDT", 2.5),
    ]


def test_a_cadence_is_market_time() -> None:
    async def ask(data: MarketData) -> float:
        await updates(data, 60)
        return asyncio.get_running_loop().time()

    assert with_data(ask, speed=60.0) == pytest.approx(1.0)


def test_a_late_reader_gets_the_newest_and_not_what_it_missed() -> None:
    async def ask(data: MarketData) -> int:
        seen = 0
        async for _ in data.watch((SYMBOL,)):
            seen += 1
            await asyncio.sleep(10)
            if asyncio.get_running_loop().time() > 100:
                break
        return seen

    assert with_data(ask) <= 11


def test_the_server_tells_its_time_and_its_skew() -> None:
    async def ask(data: MarketData) -> int:
        await asyncio.sleep(5)
        return await data.server_time_ms()

    assert with_data(ask) == START_MS + 5000
    skewed = {"kind": "clock_skew", "skew_ms": -700}
    assert with_data(ask, skewed) == START_MS + 4300


@pytest.mark.parametrize(("symbol", "interval"), [("NO/PE", "1m"), (SYMBOL, "7m")])
def test_what_does_not_exist_is_rejected(symbol: str, interval: str) -> None:
    with pytest.raises(RejectedError):
        with_data(lambda data: data.candles(symbol, interval, None, 5))


def test_watching_what_does_not_exist_is_rejected() -> None:
    with pytest.raises(RejectedError):
        with_data(lambda data: updates(data, 1, "NO/PE"))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "timeout"}, TransientError),
        ({"kind": "lost_reply"}, TransientError),
        ({"kind": "status", "status": 502}, TransientError),
        ({"kind": "status", "status": 429, "retry_after_s": 7}, RateLimitedError),
        ({"kind": "status", "status": 418}, RateLimitedError),
        ({"kind": "nan"}, UntrustedDataError),
    ],
)
def test_x7_x8_a_spoilt_answer_is_an_error_of_ours(
    fault: Mapping[str, object], error: type[TransientError]
) -> None:
    async def ask(data: MarketData) -> None:
        await asyncio.sleep(30)
        await data.candles(SYMBOL, "1m", None, 5)

    with pytest.raises(error) as caught:
        with_data(ask, fault)

    if isinstance(caught.value, RateLimitedError):
        assert caught.value.retry_after_s in {7.0, 60.0}


def test_a_slow_answer_comes_in_the_end() -> None:
    async def ask(data: MarketData) -> float:
        await data.candles(SYMBOL, "1m", None, 5)
        return asyncio.get_running_loop().time()

    assert with_data(ask, {"kind": "timeout", "delay_s": 3}) == pytest.approx(3.0)


def test_x9_frozen_gapped_and_absurd_candles_are_shown() -> None:
    async def ask(data: MarketData) -> None:
        await asyncio.sleep(200)
        rows = await data.candles(SYMBOL, "1m", START_MS, 10)
        true = MARKET.minutes(SYMBOL, START_MS, START_MS + 150_000, START_MS + 150_000)
        assert [row.timestamp for row in rows] == [START_MS, START_MS + 2 * MINUTE_MS]
        assert rows[0].close == true[0].close * 10
        assert rows[1] == true[2]

    with_data(
        ask,
        {"kind": "frozen", "start_s": 150},
        {"kind": "gap", "start_s": 60, "stop_s": 120},
        {"kind": "absurd", "stop_s": 60},
    )


@pytest.mark.parametrize("kind", ["close_socket", "broken_frame"])
def test_x10_a_lost_line_is_a_transient_error(kind: str) -> None:
    with pytest.raises(TransientError):
        with_data(lambda data: updates(data, 10), {"kind": kind, "start_s": 5})


def test_x10_a_silent_line_sends_nothing_and_recovers() -> None:
    async def ask(data: MarketData) -> float:
        await updates(data, 10)
        return asyncio.get_running_loop().time()

    silent = {"kind": "silent_socket", "start_s": 5, "stop_s": 105}

    assert with_data(ask, silent) == pytest.approx(110.0)


def test_a_hundred_symbols_for_minutes_run_in_moments() -> None:
    """Generous: it takes a tenth of that on an idle machine."""
    specs = [
        a_usdt_pair(f"C{i}", price_start=100.0, quantity_step=0.01, volatility_percent=0.2)
        for i in range(100)
    ]
    market = GeneratedMarket(specs, 5, START_MS)

    async def main() -> int:
        clock = VirtualClock(asyncio.get_running_loop(), START_MS)
        data = MemoryMarketData(market, clock)
        return len(await updates(data, 30_000, *market.specs))

    begun_s = time.process_time()

    assert run_virtual(main()) == 30_000
    assert time.process_time() - begun_s < 20
