"""A market feed on the in-memory exchange in virtual time, and who watches it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.rules import Rules
from daemon.live.feed import MarketFeed, SymbolFeed
from daemon.ports import MinuteUpdate
from daemon.simulation.clock import VirtualClock
from daemon.simulation.faults import (
    Effect,
    Fault,
    FaultPlan,
)
from daemon.simulation.generator import GeneratedMarket, a_usdt_pair
from daemon.simulation.loop import run_virtual
from daemon.simulation.memory import MemoryMarketData

START_MS = 1_700_000_000_000 // MINUTE_MS * MINUTE_MS
PAST_MS = 3 * 86_400_000
SYMBOL = "AAA/USDT"
OTHER = "BBB/USDT"


class CountingData:
    """The in-memory exchange, its requests and lines counted; `cut` symbols are unknown to REST."""

    def __init__(self, inner: MemoryMarketData) -> None:
        self.inner = inner
        self.requests: list[tuple[str, str, float]] = []
        self.lines = 0

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        now_s = asyncio.get_running_loop().time()
        self.requests.append((symbol, interval, now_s))
        return await self.inner.candles(symbol, interval, since_ms, limit)

    async def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        self.lines += 1
        async for update in self.inner.watch(symbols):
            yield update

    async def server_time_ms(self) -> int:
        return await self.inner.server_time_ms()

    def since(self, start_s: float, symbol: str = "") -> int:
        """Return how many requests came from `start_s` on."""
        return sum(at_s >= start_s and symbol in (name, "") for name, _, at_s in self.requests)


@dataclass
class Stage:
    """Everything that a test of the feed looks at."""

    market: GeneratedMarket
    clock: VirtualClock
    data: CountingData
    feed: MarketFeed
    reports: list[tuple[str, str, str]] = field(default_factory=list)
    minutes: list[tuple[str, Candle]] = field(default_factory=list)

    @property
    def one(self) -> SymbolFeed:
        return self.feed.of(SYMBOL)

    def expected_price(self, symbol: str = SYMBOL, now_ms: int | None = None) -> float:
        """Return the VWAP that the market itself gives at a moment."""
        at_ms = self.clock.now_ms() if now_ms is None else now_ms
        start_ms = (at_ms - 1) // MINUTE_MS * MINUTE_MS - 4 * MINUTE_MS
        rows = self.market.minutes(symbol, start_ms, at_ms, at_ms)
        volume = sum(row.volume for row in rows)
        return sum((row.high + row.low + row.close) / 3 * row.volume for row in rows) / volume


QUICK = Rules(get_candles_retry_delay_ms=100)


def play(
    scenario: Callable[[Stage], Awaitable[None]],
    *faults: Fault,
    rules: Rules = QUICK,
    symbols: Sequence[str] = (SYMBOL, OTHER),
    unknown: Sequence[str] = (),
    seed: int = 1,
) -> Stage:
    """Run the feed and `scenario` beside it until that has ended; `unknown` has no market."""

    async def main() -> Stage:
        specs = [
            a_usdt_pair(
                name.split("/")[0], price_start=100.0, quantity_step=0.01, volatility_percent=0.2
            )
            for name in (SYMBOL, OTHER, *symbols)
        ]
        market = GeneratedMarket(
            list({spec.symbol: spec for spec in specs}.values()), seed, START_MS - PAST_MS
        )
        clock = VirtualClock(asyncio.get_running_loop(), START_MS + 20_000)
        data = CountingData(MemoryMarketData(market, clock, faults=FaultPlan(faults=faults)))
        reports: list[tuple[str, str, str]] = []

        def report(where: str, error: Exception, symbol: str) -> None:
            reports.append((where, str(error), symbol))

        feed = MarketFeed(data, clock, rules, symbols=(*symbols, *unknown), report=report)
        stage = Stage(market, clock, data, feed, reports)
        feed.on_minute(lambda symbol, candle: stage.minutes.append((symbol, candle)))
        async with asyncio.TaskGroup() as group:
            running = group.create_task(feed.run())
            await scenario(stage)
            running.cancel()
        return stage

    return run_virtual(main(), seed)


def a_fault(
    effect: Effect, start_s: float, stop_s: float, symbol: str = "*", path: str = "*"
) -> Fault:
    return Fault(effect=effect, start_s=start_s, stop_s=stop_s, symbol=symbol, path=path)


STREAM = "*@kline_1m"
REST = "/api/*"


def true_minutes(stage: Stage, symbol: str) -> list[Candle]:
    """Return the market's own candles for the minutes that were told as final."""
    told = [candle for name, candle in stage.minutes if name == symbol]
    if not told:
        return []
    now_ms = stage.clock.now_ms()
    stop_ms = told[-1].timestamp + MINUTE_MS
    return stage.market.minutes(symbol, told[0].timestamp, stop_ms, now_ms)


def told_minutes(stage: Stage, symbol: str = SYMBOL) -> list[Candle]:
    return [candle for name, candle in stage.minutes if name == symbol]


async def watch_freshness(stage: Stage, seconds: int) -> list[bool]:
    """Return whether the price was fresh, second by second."""
    seen = []
    for _ in range(seconds):
        await asyncio.sleep(1)
        seen.append(stage.one.is_fresh())
    return seen
