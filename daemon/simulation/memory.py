"""A sandbox exchange without sockets: the market data port straight over a market and a clock.

It serves tests and benchmarks in virtual time, and may misbehave by the same fault plan as the
server.
"""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Sequence
from typing import assert_never

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TransientError,
    UntrustedDataError,
)
from daemon.ports import Clock, MinuteUpdate
from daemon.simulation.faults import (
    BrokenFrame,
    CloseSocket,
    FaultPlan,
    LostReply,
    Moment,
    SilentSocket,
    Status,
    Target,
    Timeout,
)
from daemon.simulation.market import KlineQuery, Market, klines

CADENCE_MS = 1_000
REQUEST_PATIENCE_S = 10.0
RETRY_AFTER_USUAL_S = 60.0
KLINES_PATH = "/api/v3/klines"
TIME_PATH = "/api/v3/time"


class MemoryMarketData:
    """The market data port in memory; `cadence_ms` (market time) lies between two updates.

    With a `turn_ms` the turn of each minute is told too, so long after it: a candle that has
    begun and in which nothing has been traded yet.
    """

    def __init__(
        self,
        market: Market,
        clock: Clock,
        *,
        cadence_ms: int = CADENCE_MS,
        turn_ms: int | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self._market = market
        self._clock = clock
        self._cadence_ms = cadence_ms
        self._turn_ms = turn_ms
        self._faults = faults or FaultPlan()
        self._rng = random.Random(self._faults.seed)
        self._started_ms = clock.now_ms()

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        """Return up to `limit` candles from `since_ms` on (or the newest), the last one forming.

        Raises RejectedError for an unknown symbol or interval, TransientError by the fault plan.
        """
        if symbol not in self._market.specs:
            raise RejectedError(f"the sandbox has no market {symbol!r}")
        target = Target(KLINES_PATH, symbol)
        await self._answer(target)
        moment = self._moment()
        query = KlineQuery(symbol=symbol, interval=interval, start_ms=since_ms, limit=limit)
        try:
            rows = klines(self._market, query, self._faults.visible_ms(target, moment))
        except ValueError as error:
            raise RejectedError(str(error)) from error
        rows = self._faults.rows(target, rows, moment)
        for row in rows:
            if not math.isfinite(sum(row)):
                raise UntrustedDataError(f"{symbol}: the candle at {row.timestamp} is not finite")
        return rows

    async def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        """Yield each symbol's last two minutes once a cadence, the symbols spread over it.

        A reader that is late gets the newest state, not what it missed. Raises RejectedError for
        an unknown symbol, TransientError when the fault plan cuts the line.
        """
        for symbol in symbols:
            if symbol not in self._market.specs:
                raise RejectedError(f"the sandbox has no market {symbol!r}")
        while True:
            begun_ms = self._clock.now_ms() // self._cadence_ms * self._cadence_ms
            for index, symbol in enumerate(symbols):
                offset_ms = self._cadence_ms + self._cadence_ms * index // len(symbols)
                for turn_ms in self._turns_before(begun_ms + offset_ms):
                    await self._sleep_until(turn_ms + (self._turn_ms or 0))
                    for turned in symbols:
                        if self._is_sent(_stream_of(turned)):
                            yield self._turn_of(turned, turn_ms)
                await self._sleep_until(begun_ms + offset_ms)
                if self._is_sent(_stream_of(symbol)):
                    yield self._update(symbol)

    async def server_time_ms(self) -> int:
        """Return the market time as the exchange tells it. Raises TransientError by the plan."""
        target = Target(TIME_PATH)
        await self._answer(target)
        moment = self._moment()
        return moment.now_ms + self._faults.skew_ms(target, moment)

    def _moment(self) -> Moment:
        return Moment(self._clock.now_ms(), self._started_ms, self._clock.speed)

    def _turns_before(self, until_ms: int) -> range:
        """Return the turns of a minute that are told from now on and before `until_ms`."""
        if self._turn_ms is None:
            return range(0)
        first_ms = -(-(self._clock.now_ms() - self._turn_ms) // MINUTE_MS) * MINUTE_MS
        return range(first_ms, until_ms - self._turn_ms, MINUTE_MS)

    def _turn_of(self, symbol: str, turn_ms: int) -> MinuteUpdate:
        """Return what was known at the turn of a minute, and the candle that began with it."""
        target, moment = _stream_of(symbol), self._moment()
        visible_ms = min(turn_ms, self._faults.visible_ms(target, moment))
        rows = self._market.minutes(symbol, turn_ms - MINUTE_MS, visible_ms, visible_ms)
        goes_on = self._market.minutes(symbol, turn_ms, turn_ms + 1, turn_ms + 1)
        if rows and goes_on and visible_ms == turn_ms:
            close = rows[-1].close
            rows = [*rows, Candle(turn_ms, close, close, close, close, 0.0)]
        return MinuteUpdate(symbol, self._faults.rows(target, rows, moment))

    def _update(self, symbol: str) -> MinuteUpdate:
        target, moment = _stream_of(symbol), self._moment()
        visible_ms = self._faults.visible_ms(target, moment)
        start_ms = (visible_ms - 1) // MINUTE_MS * MINUTE_MS - MINUTE_MS
        rows = self._market.minutes(symbol, start_ms, visible_ms, visible_ms)
        return MinuteUpdate(symbol, self._faults.rows(target, rows, moment))

    async def _sleep_until(self, at_ms: int) -> None:
        left_ms = at_ms - self._clock.now_ms()
        await asyncio.sleep(max(0.0, left_ms / 1000.0 / self._clock.speed))

    async def _answer(self, target: Target) -> None:
        """Let the plan spoil one request."""
        effect = self._faults.reply(target, self._moment(), self._rng)
        match effect:
            case None:
                await asyncio.sleep(0)
            case Timeout(delay_s=delay_s):
                await asyncio.sleep(min(delay_s, REQUEST_PATIENCE_S))
                if delay_s >= REQUEST_PATIENCE_S:
                    raise TransientError(f"{target.path}: no answer in {REQUEST_PATIENCE_S} s")
            case LostReply():
                raise TransientError(f"{target.path}: the line was cut before the answer")
            case Status(status=429 | 418 as status, retry_after_s=retry_after_s):
                wait_s = RETRY_AFTER_USUAL_S if retry_after_s is None else retry_after_s
                raise RateLimitedError(f"{target.path}: status {status}", wait_s)
            case Status(status=status):
                raise TransientError(f"{target.path}: status {status}")
            case _:
                assert_never(effect)

    def _is_sent(self, target: Target) -> bool:
        """Say whether a frame gets through. Raises TransientError if the line is lost."""
        effect = self._faults.frame(target, self._moment(), self._rng)
        match effect:
            case None:
                return True
            case SilentSocket():
                return False
            case CloseSocket(code=code):
                raise TransientError(f"{target.path}: the line was closed with {code}")
            case BrokenFrame():
                raise TransientError(f"{target.path}: a frame was no JSON")
            case _:
                assert_never(effect)


def _stream_of(symbol: str) -> Target:
    return Target(f"{symbol}@kline_1m", symbol)
