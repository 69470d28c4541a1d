"""Ports that measure: how long the exchange takes to answer, and the disk to append."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from daemon.core.candles import Candle
from daemon.core.records import Journaled, JournalEntry
from daemon.core.signal import Key
from daemon.live.timings import Timings
from daemon.ports import Journal, MarketData, Meter, MinuteUpdate


class MeasuredMarketData:
    """Market data whose requests for candles are timed as `exchange_fetch` of their symbol."""

    def __init__(self, data: MarketData, timings: Timings, exchange_name: str) -> None:
        self._data = data
        self._timings = timings
        self._exchange_name = exchange_name

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        key = Key(exchange_name=self._exchange_name, symbol=symbol, strategy_name="")
        with self._timings.of("exchange_fetch", key):
            return await self._data.candles(symbol, interval, since_ms, limit)

    def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        return self._data.watch(symbols)

    async def server_time_ms(self) -> int:
        return await self._data.server_time_ms()


class MeasuredJournal:
    """A journal whose appends are timed, waiting for the disk included."""

    def __init__(self, journal: Journal, meter: Meter) -> None:
        self._journal = journal
        self._meter = meter

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            await self._journal.append(entries)
        finally:
            self._meter.observe("journal_append", loop.time() - started_s)

    async def read(self, after: int, limit: int) -> Sequence[Journaled]:
        return await self._journal.read(after, limit)

    @property
    def last_number(self) -> int:
        return self._journal.last_number
