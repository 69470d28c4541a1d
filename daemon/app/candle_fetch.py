"""Fetching history from an exchange into the store: page by page, and never the same page twice.

Each page is on disk before the next one is asked for, together with what was asked: a run that is
killed goes on from there, and minutes that the exchange does not have are not asked for again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.adapters.candles.names import Series
from daemon.adapters.candles.store import CandleStore
from daemon.core.candles import DAY_MS, MINUTE_MS, Candle
from daemon.core.columns import Span, joined, moment_text
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TransientError,
    UntrustedDataError,
)
from daemon.ports import MarketData
from daemon.research.columns import columns_of

PAGE_ROWS = 1000
SMALLER = 10
"""A page that holds a broken candle is asked for in parts of a tenth, down to the candle itself."""

BROKEN_IN_A_ROW_MAX = 10
DAYS_ASKED = 50
STEP_MS = 100 * MINUTE_MS
"""No exchange tells fewer candles at once, so that a step over an empty page skips none."""

SETTLED_MS = 10 * MINUTE_MS
"""A minute that is missing may still come within so long; later it is missing for good."""

WAIT_S_MAX = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which minutes to have in the store. `again` asks for those too that were not to be had."""

    series: Series
    span: Span
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a run brought: new rows, and how many candles could not be believed."""

    new: int
    broken: int


class CandleFetcher:
    """Fetches what is missing. `on_done` is told minutes done, `on_wait` seconds of waiting.

    `now_ms` is the exchange's time: candles that are not over by then are left alone.
    """

    def __init__(
        self,
        data: MarketData,
        store: CandleStore,
        now_ms: int,
        on_done: Callable[[int], None],
        on_wait: Callable[[float], None],
    ) -> None:
        self._data = data
        self._store = store
        self._now_ms = now_ms
        self._on_done = on_done
        self._on_wait = on_wait
        self._broken = 0
        self._broken_in_a_row = 0

    async def run(self, wanted: Wanted) -> Fetched:
        """Fetch what is missing of `wanted`; call it under the store's `writing`.

        Raises TransientError and RejectedError; what came before is in the store.
        """
        stop_ms = min(wanted.span.stop_ms, self._now_ms // MINUTE_MS * MINUTE_MS)
        span = Span(wanted.span.start_ms, stop_ms)
        left = await asyncio.to_thread(
            self._store.left_to_ask, wanted.series, span, again=wanted.again
        )
        self._on_done(span.minutes - sum(part.minutes for part in left))
        new = 0
        for part in left:
            new += await self._fetch(wanted.series, part)
        return Fetched(new=new, broken=self._broken)

    async def _fetch(self, series: Series, span: Span) -> int:
        new, at_ms = 0, span.start_ms
        while at_ms < span.stop_ms:
            try:
                rows, until_ms = await self._page(series.symbol, Span(at_ms, span.stop_ms))
            except TransientError as error:
                kept = f"all until {moment_text(at_ms)} is kept, run it again to go on from there"
                raise TransientError(f"{error}; {kept}") from error
            asked = Span(at_ms, min(until_ms, max(at_ms, self._now_ms - SETTLED_MS)))
            if rows:
                asked = Span(at_ms, max(asked.stop_ms, rows[-1].timestamp + MINUTE_MS))
            columns = columns_of(rows) if rows else joined([])
            added = await asyncio.to_thread(self._store.add, series, columns, [asked])
            new += added.new
            self._on_done((until_ms - at_ms) // MINUTE_MS)
            at_ms = until_ms
        return new

    async def _page(self, symbol: str, span: Span) -> tuple[list[Candle], int]:
        """Return the first rows of `span`, and until when (ms) the exchange has no others."""
        answer = await self._believable(symbol, span.start_ms)
        if answer is None:
            return [], self._leave_out(span.start_ms)
        later = [row for row in answer if row.timestamp >= span.start_ms]
        rows = [row for row in later if row.timestamp < span.stop_ms]
        if rows:
            self._broken_in_a_row = 0
            return rows, rows[-1].timestamp + MINUTE_MS
        if later:
            return [], span.stop_ms
        return [], min(span.stop_ms, await self._next_ms(symbol, span.start_ms))

    async def _believable(self, symbol: str, at_ms: int) -> Sequence[Candle] | None:
        """Return a page from `at_ms` on, or as much of it as can be believed; None for nothing."""
        size = PAGE_ROWS
        while size:
            try:
                return await self._ask(symbol, "1m", at_ms, size)
            except UntrustedDataError:
                size //= SMALLER
        return None

    def _leave_out(self, at_ms: int) -> int:
        """Pass over a candle that cannot be believed. Raises UntrustedDataError for too many."""
        self._broken += 1
        self._broken_in_a_row += 1
        if self._broken_in_a_row > BROKEN_IN_A_ROW_MAX:
            raise UntrustedDataError(
                f"{BROKEN_IN_A_ROW_MAX} candles in a row until {moment_text(at_ms)} "
                "cannot be believed"
            )
        return at_ms + MINUTE_MS

    async def _next_ms(self, symbol: str, at_ms: int) -> int:
        """Return when there may be candles again, by those of whole days: they reach further."""
        day_ms = at_ms // DAY_MS * DAY_MS
        try:
            days = await self._ask(symbol, "1d", day_ms, DAYS_ASKED)
        except (RejectedError, UntrustedDataError):
            return at_ms + STEP_MS
        later = [row.timestamp for row in days if row.timestamp + DAY_MS > at_ms]
        if not later:
            return day_ms + DAYS_ASKED * DAY_MS
        return max(later[0], at_ms + STEP_MS)

    async def _ask(self, symbol: str, interval: str, since_ms: int, limit: int) -> Sequence[Candle]:
        """Ask, and wait where the exchange says to. Raises TransientError, RejectedError."""
        while True:
            try:
                return await self._data.candles(symbol, interval, since_ms, limit)
            except RateLimitedError as error:
                if error.retry_after_s > WAIT_S_MAX:
                    raise
                self._on_wait(error.retry_after_s)
                await asyncio.sleep(error.retry_after_s)
