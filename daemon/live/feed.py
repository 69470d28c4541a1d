"""The market feed: one for the daemon, one request for all who want the same.

The stream comes first. REST is the truth: it fills what the stream missed, takes its place where
it is silent, and confirms what is hard to believe. A symbol that fails disturbs no other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from math import inf

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TransientError,
    UntrustedDataError,
)
from daemon.core.rules import Rules
from daemon.live.pace import FeedPace
from daemon.live.polling import Polling
from daemon.live.symbol_feed import OnMinute, RestRequest, SymbolFeed
from daemon.ports import Clock, MarketData, MinuteUpdate

__all__ = ["MarketFeed", "SymbolFeed"]

REQUESTS_AT_ONCE_MAX = 8
LINE_STEADY_S = 60.0
REPORTS_AT_ONCE_MAX = 5

Report = Callable[[str, Exception, str], None]


class MarketFeed:
    """Owns one `SymbolFeed` for each symbol and keeps it fed. Made on the loop.

    `report(where, error, symbol)` hears of troubles, each once until it has passed; the symbol is
    "" where all are concerned.
    """

    def __init__(
        self,
        data: MarketData,
        clock: Clock,
        rules: Rules,
        *,
        symbols: Sequence[str],
        report: Report,
    ) -> None:
        self.pace = FeedPace.of(rules, clock.speed)
        self._data = data
        self._clock = clock
        self._rules = rules
        self._report = report
        self._on_minute: tuple[OnMinute, ...] = ()
        self._loop = asyncio.get_running_loop()
        self._pollings = {
            symbol: Polling(SymbolFeed(symbol, data, clock, rules), self.pace)
            for symbol in dict.fromkeys(symbols)
        }
        self._has_refused = asyncio.Event()
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE_MAX)
        self._line: asyncio.Timeout | None = None
        self._line_begun_s = inf
        self._is_line_up = False
        self._reconnected_s = -inf
        self._quiet_until_s = -inf
        self._minute = 0
        self._told: set[tuple[str, str]] = set()
        self._reported_s: deque[float] = deque(maxlen=REPORTS_AT_ONCE_MAX)

    def of(self, symbol: str) -> SymbolFeed:
        """Return the feed of a symbol. Raises KeyError for one that it was not made with."""
        return self._pollings[symbol].feed

    def add(self, symbol: str) -> None:
        """Feed this symbol too. The stream is opened anew for it, and REST fills the moment."""
        if symbol in self._pollings:
            return
        feed = SymbolFeed(symbol, self._data, self._clock, self._rules)
        for on_minute in self._on_minute:
            feed.on_minute(on_minute)
        self._pollings[symbol] = Polling(feed, self.pace)
        if self._line is not None:
            self._line.reschedule(self._loop.time())

    def drop(self, symbol: str) -> None:
        """Feed a symbol no more."""
        self._pollings.pop(symbol, None)

    def on_minute(self, on_minute: OnMinute) -> None:
        """Call `on_minute(symbol, candle)` with each minute that becomes final, once."""
        self._on_minute += (on_minute,)
        for polling in self._pollings.values():
            polling.feed.on_minute(on_minute)

    @property
    def filled_count(self) -> int:
        """Return how many minutes without a trade were filled flat, over all symbols."""
        return sum(polling.feed.filled_count for polling in self._pollings.values())

    def doubt(self, reason: str) -> None:
        """Decide nothing on any price until REST has confirmed it: the clock was set, we slept."""
        for polling in self._pollings.values():
            polling.feed.doubt(reason)

    def unreachable(self, error: TransientError) -> None:
        """Say why there are no prices yet: the exchange could not be reached for the first time."""
        for polling in self._pollings.values():
            polling.feed.trouble = str(error)
        self._tell("exchange", error, "")

    async def run(self) -> None:
        """Feed until cancelled. No trouble of the exchange ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name="feed stream")
            await self._keep_asking(group)

    # -- The stream --------------------------------------------------------------------------------

    async def _watch(self) -> None:
        failures = 0
        while True:
            begun_s = self._loop.time()
            wait_s = await self._watch_once()
            steady = self._loop.time() - begun_s >= LINE_STEADY_S
            failures = 1 if steady else failures + 1
            await asyncio.sleep(max(wait_s, self.pace.backoff_s(failures) / 5.0))

    async def _watch_once(self) -> float:
        """Follow the stream until it is lost; return how long to wait for the next at least."""
        try:
            async with asyncio.timeout(None) as self._line:
                self._line_begun_s = self._loop.time()
                await self._follow()
            self._line_lost(TransientError("the stream ended"))
        except TimeoutError:
            self._lose_line()  # on purpose, and told where it was decided
        except RateLimitedError as error:
            self._line_lost(error)
            return error.retry_after_s
        except TransientError as error:
            self._line_lost(error)
        except RejectedError as error:
            self._line_lost(error)
            await self._wait_for_refusal()
        return 0.0

    async def _wait_for_refusal(self) -> None:
        """Wait until REST tells which symbol spoiled the request of all, or for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.pace.rejected_s):
                await self._has_refused.wait()

    async def _follow(self) -> None:
        self._has_refused.clear()
        symbols = [name for name, polling in self._pollings.items() if not polling.is_rejected]
        updates = self._data.watch(symbols)
        try:
            async for update in updates:
                self._take(update)
        finally:
            if isinstance(updates, AsyncGenerator):
                await updates.aclose()

    def _take(self, update: MinuteUpdate) -> None:
        polling = self._pollings.get(update.symbol)
        if polling is None:
            return
        now_s = self._loop.time()
        if not self._is_line_up:
            self._is_line_up = True
            self._passed("stream", "")
        if polling.is_deaf(now_s):
            return
        polling.heard(now_s)
        fault = polling.feed.take_stream(update.rows)
        if fault:
            self._tell("candles", UntrustedDataError(fault), update.symbol)

    def _line_lost(self, error: Exception) -> None:
        self._lose_line()
        self._tell("stream", error, "")

    def _lose_line(self) -> None:
        self._line, self._line_begun_s, self._is_line_up = None, inf, False
        for polling in self._pollings.values():
            polling.feed.book.line_lost()

    def _reconnect_for(self, polling: Polling, now_s: float) -> None:
        """Give the line up: REST has news of a symbol that the stream says nothing about."""
        if self._line is None or now_s - self._reconnected_s < self.pace.reconnect_s_min:
            return
        if now_s - polling.asked_for_line_s < self.pace.reconnect_again_s:
            return
        self._reconnected_s = now_s
        for other in self._pollings.values():
            if other.is_silent(now_s, self._line_begun_s):
                other.asked_for_line_s = now_s
        self._line.reschedule(now_s)
        error = TransientError("the stream is silent: it is connected anew, and polled meanwhile")
        self._report("stream", error, polling.feed.symbol)

    # -- REST --------------------------------------------------------------------------------------

    async def _keep_asking(self, group: asyncio.TaskGroup) -> None:
        """Look at every symbol, at each pulse and at each turn of the minute."""
        while True:
            now_s = self._loop.time()
            minute = (self._clock.now_ms() - 1) // MINUTE_MS
            if minute != self._minute:
                self._minute = minute
                for polling in self._pollings.values():
                    polling.feed.look_again()
            if now_s >= self._quiet_until_s:
                for polling in self._pollings.values():
                    if polling.is_due(now_s, is_line_up=self._is_line_up):
                        polling.is_asking = True
                        group.create_task(self._ask(polling, group))
            rest_ms = MINUTE_MS - (self._clock.now_ms() - 1) % MINUTE_MS
            await asyncio.sleep(min(self.pace.pulse_s, rest_ms / 1000.0 / self._clock.speed))

    async def _ask(self, polling: Polling, group: asyncio.TaskGroup) -> None:
        feed = polling.feed
        try:
            async with self._slots:
                if self._loop.time() < self._quiet_until_s:
                    return
                request = feed.request()
                rows = await self._data.candles(feed.symbol, "1m", request.since_ms, request.limit)
            self._answered(polling, rows, request, group)
        except RateLimitedError as error:
            until_s = self._loop.time() + error.retry_after_s
            self._quiet_until_s = max(self._quiet_until_s, until_s)
            self._failed(polling, error)
        except TransientError as error:
            self._failed(polling, error)
        except RejectedError as error:
            self._failed(polling, error)
            polling.rejected(self._loop.time())
            self._has_refused.set()
        finally:
            polling.is_asking = False

    def _answered(
        self,
        polling: Polling,
        rows: Sequence[Candle],
        request: RestRequest,
        group: asyncio.TaskGroup,
    ) -> None:
        feed, now_s = polling.feed, self._loop.time()
        if request.since_ms is None and feed.book.last_final is not None:
            for interval, limit in feed.start_anew():
                group.create_task(self._need_again(feed, interval, limit))
        known, doubt = feed.book.forming, feed.book.doubt
        fault = feed.take_rest(rows, request)
        if fault:
            raise UntrustedDataError(f"{feed.symbol}: {fault}")
        if feed.book.begun_anew:
            self._report("price", UntrustedDataError(feed.book.begun_anew), feed.symbol)
        elif doubt:
            polling.go_deaf(now_s)
        self._passed("candles", feed.symbol)
        has_news = known is not None and feed.book.forming != known
        polling.answered(now_s, has_news=has_news)
        if has_news and polling.is_silent(now_s, self._line_begun_s):
            self._reconnect_for(polling, now_s)

    async def _need_again(self, feed: SymbolFeed, interval: str, limit: int) -> None:
        try:
            await feed.need(interval, limit)
        except RejectedError as error:
            self._tell("candles", error, feed.symbol)

    def _failed(self, polling: Polling, error: TransientError | RejectedError) -> None:
        polling.feed.trouble = str(error)
        polling.failed(self._loop.time())
        self._tell("candles", error, polling.feed.symbol)

    # -- Reports -----------------------------------------------------------------------------------

    def _tell(self, where: str, error: Exception, symbol: str) -> None:
        """Report the first of a row of troubles; of many symbols at once, the first few."""
        now_s = self._loop.time()
        if (where, symbol) in self._told:
            return
        if len(self._reported_s) == REPORTS_AT_ONCE_MAX and self._reported_s[0] > now_s - 60.0:
            return  # if it lasts it is told later
        self._told.add((where, symbol))
        self._reported_s.append(now_s)
        self._report(where, error, symbol)

    def _passed(self, where: str, symbol: str) -> None:
        self._told.discard((where, symbol))
