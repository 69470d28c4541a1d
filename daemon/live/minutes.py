"""Sees every final minute candle into the journal, once per symbol, without anybody waiting."""

import asyncio
from collections import deque

from daemon.core.candles import Candle
from daemon.core.errors import TransientError
from daemon.core.records import CandleEntry
from daemon.ports import Journal

WAITING_MAX = 10_000
BATCH_S = 1.0


class MinuteLog:
    """A bounded line in front of the journal. `dropped` counts what did not fit in it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: deque[CandleEntry] = deque()
        self.dropped = 0

    def add(self, symbol: str, candle: Candle) -> None:
        """Take a final candle (of one minute). Never blocks."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(CandleEntry(symbol=symbol, candle=candle))

    async def run(self) -> None:
        """Append what came, once a second, until cancelled."""
        while True:
            await asyncio.sleep(BATCH_S)
            await self.flush()

    async def flush(self) -> None:
        """Append what waits; on failure it waits on."""
        if not self._waiting:
            return
        batch = tuple(self._waiting)
        try:
            await self._journal.append(batch)
        except TransientError:
            # Whoever must wait for the journal reports it.
            return
        for _ in batch:
            if self._waiting:
                self._waiting.popleft()
