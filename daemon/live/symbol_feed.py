"""What is known of one symbol right now: its price, how old it is, whether it can be trusted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from daemon.core.candles import MINUTE_MS, Candle, Candles, interval_ms
from daemon.core.errors import RateLimitedError, TransientError
from daemon.core.rules import Rules
from daemon.live.history import ROWS_PER_REQUEST_MAX, History
from daemon.live.minute_book import MinuteBook, Tolerance
from daemon.live.pace import FeedPace
from daemon.ports import Clock, MarketData

OnPrice = Callable[[float], None]
OnMinute = Callable[[str, Candle], None]

Answer = TypeVar("Answer")

HISTORY_PAUSE_S = 1.0
HISTORY_PAUSE_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class RestRequest:
    """Which one-minute candles to ask for, and the market time (ms) at which it is asked.

    `doubts` is how often the price had been doubted by then.
    """

    since_ms: int | None
    limit: int
    asked_ms: int
    doubts: int = 0


class SymbolFeed:
    """The feed of one symbol, shared by all its strategies. Made on the loop.

    `heard_at_s` is the machine time of the stream's last word, `answered_at_s` that of REST's,
    `trouble` what hinders the feed, for people.
    """

    def __init__(self, symbol: str, data: MarketData, clock: Clock, rules: Rules) -> None:
        self.symbol = symbol
        self.price: float | None = None
        self.confirmed_at_s: float | None = None
        self.heard_at_s = -inf
        self.answered_at_s = -inf
        self.trouble = ""
        self.distrust = ""
        self.book = MinuteBook(rules, _tolerance(FeedPace.of(rules, clock.speed), clock.speed))
        self._history = History(symbol, data, rules)
        self._clock = clock
        self._rules = rules
        self._loop = asyncio.get_running_loop()
        self._confirmed_ms = 0
        self._doubts = 0
        self._on_price: tuple[OnPrice, ...] = ()
        self._on_minute: tuple[OnMinute, ...] = ()
        self._has_begun = asyncio.Event()

    @property
    def filled_count(self) -> int:
        """How many minutes without a trade were filled flat."""
        return self.book.filled_count + self._history.filled_count

    @property
    def last_price(self) -> float | None:
        """Return the newest close, None before the first rows: what a trade would find now."""
        return None if self.book.forming is None else self.book.forming.close

    @property
    def final_until_ms(self) -> int:
        """Return the market time before which every minute is final; 0 before the first rows."""
        return self.book.final_until_ms

    @property
    def reason(self) -> str:
        """Why the price decides nothing, for people; "" while it is fresh."""
        if self.distrust or self.book.doubt:
            return self.distrust or self.book.doubt
        if self.price is None:
            return self.trouble or "waits for the first price"
        age_ms = self.age_ms()
        if age_ms <= self._rules.price_age_ms_max:
            return ""
        return f"no update for {age_ms / 1000:.0f} s: {self.trouble or self._silence(age_ms)}"

    def _silence(self, age_ms: float) -> str:
        """Return who told nothing new for so long (market time), though no request failed."""
        since_s = self._loop.time() - age_ms / 1000 / self._clock.speed
        match self.heard_at_s >= since_s, self.answered_at_s >= since_s:
            case True, True:
                return "stream and REST repeat old candles"
            case True, False:
                return "the stream repeats old candles, and REST has not answered yet"
            case False, True:
                return "stream silent, REST repeats old candles"
            case _:
                return "stream silent, REST has not answered yet"

    def age_ms(self) -> float:
        """Return the market time since the price was last confirmed, infinite without one."""
        if self.price is None:
            return inf
        return max(0, self._clock.now_ms() - self._confirmed_ms)

    def is_fresh(self, now_ms: int | None = None) -> bool:
        """Say whether a decision may be taken on the price at `now_ms`, without it right now."""
        if self.distrust or self.book.doubt or self.price is None:
            return False
        at_ms = self._clock.now_ms() if now_ms is None else now_ms
        return at_ms - self._confirmed_ms <= self._rules.price_age_ms_max

    def subscribe(self, on_price: OnPrice) -> Callable[[], None]:
        """Call `on_price` with each new or confirmed price, until the returned call ends it.

        It must be cheap and raise nothing: a thousand tasks may listen.
        """
        self._on_price += (on_price,)

        def unsubscribe() -> None:
            self._on_price = tuple(call for call in self._on_price if call is not on_price)

        return unsubscribe

    def on_minute(self, on_minute: OnMinute) -> None:
        """Call `on_minute` with the symbol and each one-minute candle that becomes final."""
        self._on_minute += (on_minute,)

    def closed(self, interval: str, limit: int) -> Candles:
        """Return the last `limit` closed candles of `interval`, oldest first.

        Raises HistoryError, naming what is missing.
        """
        return self._history.closed(interval, limit, self._clock.now_ms())

    async def need(self, interval: str, limit: int) -> None:
        """See to it that `closed` can answer: fetched once for all, extended by final minutes.

        Waits for the feed's first candles, and for as long as the exchange cannot be asked.
        Raises ValueError for an unknown interval, RejectedError where the exchange has none.
        """
        interval_ms(interval)
        while not self._history.has(interval, limit):
            await self._insist(
                lambda: self._history.fetch(interval, limit, lambda: self.final_until_ms)
            )

    async def past_minutes(self, start_ms: int, stop_ms: int) -> list[Candle]:
        """Return the one-minute candles with start <= timestamp < stop, all final by now.

        Waits as `need` does. Raises RejectedError.
        """
        return await self._insist(lambda: self._history.rows("1m", start_ms, stop_ms))

    async def _insist(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask until the exchange answers, with growing pauses."""
        await self._has_begun.wait()
        pause_s = HISTORY_PAUSE_S
        while True:
            try:
                return await ask()
            except TransientError as error:
                self.trouble = str(error)
                asked_s = error.retry_after_s if isinstance(error, RateLimitedError) else 0.0
            await asyncio.sleep(max(pause_s, asked_s))
            pause_s = min(2 * pause_s, HISTORY_PAUSE_S_MAX)

    def request(self) -> RestRequest:
        """Return what to ask REST for: from the last final minute on, or the newest few."""
        now_ms = self._clock.now_ms()
        last = self.book.last_final
        if last is not None:
            limit = (now_ms - last.timestamp) // MINUTE_MS + 2
            if limit <= ROWS_PER_REQUEST_MAX:
                return RestRequest(last.timestamp, max(2, limit), now_ms, self._doubts)
        return RestRequest(None, self._rules.avg_price_candles_count + 1, now_ms, self._doubts)

    def doubt(self, reason: str) -> None:
        """Decide nothing until REST has answered what is asked from now on."""
        self.distrust = reason
        self._doubts += 1
        self.book.line_lost()

    def take_stream(self, rows: Sequence[Candle]) -> str:
        """Take what the stream told; return what was wrong with it, "" if nothing."""
        now_ms = self._clock.now_ms()
        final = self.book.take_stream(rows, now_ms)
        if final is not None:
            self._settle(final, now_ms)
        return self.book.fault

    def take_rest(self, rows: Sequence[Candle], request: RestRequest) -> str:
        """Take the answer to `request`; return what was wrong with it, "" if nothing."""
        self.answered_at_s = self._loop.time()
        is_first = self.book.last_final is None
        final = self.book.take_rest(rows, request.asked_ms)
        if final is None:
            return self.book.fault
        self.trouble = ""
        if request.doubts == self._doubts:
            self.distrust = ""
        # What ended before the feed began is history, and told to nobody.
        self._settle([] if is_first else final, request.asked_ms)
        self._has_begun.set()
        return ""

    def start_anew(self) -> list[tuple[str, int]]:
        """Forget every candle, for more is missing than can be filled.

        Return the (interval, limit) of the history that must be needed again.
        """
        self.book.start_anew()
        return self._history.start_anew()

    def look_again(self) -> None:
        """Take the price anew at this moment: a minute may have begun meanwhile."""
        price = self.book.price(self._clock.now_ms())
        if price is not None and price != self.price and self.price is not None:
            self.price = price
            self._tell(price)

    def _settle(self, final: Sequence[Candle], seen_ms: int) -> None:
        """Hand on what became final and take the price, confirmed at market time `seen_ms`."""
        for minute in final:
            self._history.add_minute(minute)
            for call in self._on_minute:
                call(self.symbol, minute)
        price = self.book.price(self._clock.now_ms())
        if price is None:
            return
        # A candle tells of no moment after its own end, however often it is repeated.
        told_ms = min(seen_ms, self.final_until_ms + MINUTE_MS)
        self._confirmed_ms = max(self._confirmed_ms, told_ms)
        self.confirmed_at_s = self._loop.time()
        self.price = price
        self._tell(price)

    def _tell(self, price: float) -> None:
        for call in self._on_price:
            call(price)


def _tolerance(pace: FeedPace, speed: float) -> Tolerance:
    """Return how much of a fast market's time may pass before its news is here."""
    late_ms = int(pace.silence_s * speed * 1000)
    return Tolerance(future_ms=max(MINUTE_MS, late_ms), late_ms=late_ms)
