"""Closed candles of any interval for one symbol: fetched once, then grown out of final minutes."""

import asyncio
from array import array
from collections.abc import Callable, Sequence

from daemon.core.candles import MINUTE_MS, Candle, Candles, interval_ms, merge
from daemon.core.errors import UntrustedDataError
from daemon.core.rules import Rules
from daemon.core.strategy import HistoryError
from daemon.core.trust import fill_gaps, find_fault, flat_between
from daemon.ports import MarketData

ROWS_PER_REQUEST_MAX = 1000
ROOM = 16


class Series:
    """The last `limit` closed candles of one interval, in columns that only grow.

    A window that was handed out stays as it was: columns that have become too long are replaced,
    never shortened.
    """

    def __init__(self, rows: Sequence[Candle], limit: int) -> None:
        self.limit = limit
        self._replace(rows[-limit:])

    def __len__(self) -> int:
        return len(self._stamps)

    def append(self, row: Candle) -> None:
        """Add the candle that follows the last one."""
        if len(self) >= 2 * self.limit + ROOM:
            self._replace(self.window(self.limit, row.timestamp))
        self._stamps.append(row.timestamp)
        for column, value in zip(self._values, row[1:], strict=True):
            column.append(value)

    def window(self, limit: int, begun_before_ms: int) -> Candles:
        """Return the last candles, at most `limit`, that began before a moment (UTC epoch ms)."""
        stop = len(self)
        while stop and self._stamps[stop - 1] >= begun_before_ms:
            stop -= 1
        opened, high, low, closed, volume = self._values
        return Candles(
            (self._stamps, opened, high, low, closed, volume), max(0, stop - limit), stop
        )

    def _replace(self, rows: Sequence[Candle]) -> None:
        self._stamps = array("q", [row.timestamp for row in rows])
        self._values = [array("d", [row[column] for row in rows]) for column in range(1, 6)]


class Rollup:
    """The closed candles of one interval and the one that the final minutes are making.

    Minutes that come before the history has been fetched are kept for it.
    """

    def __init__(self, interval: str, limit: int) -> None:
        self.interval = interval
        self.limit = limit
        self.length_ms = interval_ms(interval)
        self.series: Series | None = None
        self._forming: Candle | None = None
        self._early: list[Candle] = []

    def begin(self, rows: Sequence[Candle], minutes: Sequence[Candle]) -> None:
        """Start from closed candles, and the final minutes that follow them."""
        series = self.series = Series(rows, self.limit)
        early, self._early = self._early, []
        last_ms = minutes[-1].timestamp if minutes else 0
        for minute in (*minutes, *(row for row in early if row.timestamp > last_ms)):
            if not rows or minute.timestamp >= rows[-1].timestamp + self.length_ms:
                self._grow(series, minute)

    def add(self, minute: Candle) -> None:
        """Add the final minute that follows the last one."""
        if self.series is None:
            self._early.append(minute)
        else:
            self._grow(self.series, minute)

    def _grow(self, series: Series, minute: Candle) -> None:
        begun_ms = minute.timestamp // self.length_ms * self.length_ms
        forming = self._forming
        if forming is None or forming.timestamp != begun_ms:
            # Of a candle whose beginning nobody saw, nothing true can be said.
            forming = minute if minute.timestamp == begun_ms else None
        else:
            forming = merge((forming, minute), begun_ms)
        if forming is not None and minute.timestamp + MINUTE_MS == begun_ms + self.length_ms:
            series.append(forming)
            forming = None
        self._forming = forming


class History:
    """Every interval that some strategy needs of one symbol."""

    def __init__(self, symbol: str, data: MarketData, rules: Rules) -> None:
        self._symbol = symbol
        self._data = data
        self._rules = rules
        self._lock = asyncio.Lock()
        self._rollups: dict[str, Rollup] = {}
        self._wanted: set[str] = set()
        self._fetching: Rollup | None = None
        self.filled_count = 0

    def add_minute(self, minute: Candle) -> None:
        """Add a final one-minute candle; each must follow the one before."""
        for rollup in self._rollups.values():
            rollup.add(minute)
        if self._fetching is not None:
            self._fetching.add(minute)

    def start_anew(self) -> list[tuple[str, int]]:
        """Forget everything, for minutes are missing; return what was needed."""
        needs = [(rollup.interval, rollup.limit) for rollup in self._rollups.values()]
        self._rollups.clear()
        self._fetching = None
        return needs

    def has(self, interval: str, limit: int) -> bool:
        """Say whether so many candles of `interval` were asked for and fetched."""
        rollup = self._rollups.get(interval)
        return rollup is not None and rollup.limit >= limit

    async def fetch(self, interval: str, limit: int, until_ms: Callable[[], int]) -> None:
        """Fetch `limit` closed candles; every minute before `until_ms()` is final by then.

        Whoever asks for the same waits for the first. Raises ValueError for an unknown interval,
        TransientError or RejectedError.
        """
        async with self._lock:
            if self.has(interval, limit):
                return
            self._wanted.add(interval)
            rollup = self._fetching = Rollup(interval, limit)
            final_until_ms = until_ms()
            try:
                begun_ms = final_until_ms // rollup.length_ms * rollup.length_ms
                start_ms = begun_ms - limit * rollup.length_ms
                rows = await self.rows(interval, start_ms, begun_ms)
                minutes = await self._minutes(rollup, rows, final_until_ms)
            finally:
                is_current = self._fetching is rollup
                self._fetching = None
            if not is_current:
                raise UntrustedDataError(f"{self._symbol}: minutes went missing on the way")
            rollup.begin(rows, minutes)
            self._rollups[interval] = rollup

    def closed(self, interval: str, limit: int, now_ms: int) -> Candles:
        """Return the last `limit` candles that closed by `now_ms`. Raises HistoryError."""
        if limit < 0:
            raise HistoryError(f"candles({interval!r}, {limit}): a limit is 0 or more")
        rollup = self._rollups.get(interval)
        if rollup is None and interval in self._wanted:
            raise HistoryError(f"{self._symbol}: the {interval} candles are still being fetched")
        if rollup is None or rollup.series is None:
            raise HistoryError(
                f"{self._symbol}: no {interval} candles are there: declare them, as in "
                f'history = {{"{interval}": {limit}}}'
            )
        if limit > rollup.limit:
            raise HistoryError(
                f"{self._symbol}: {limit} candles of {interval} were asked for and "
                f'{rollup.limit} declared: set history = {{"{interval}": {limit}}}'
            )
        found = rollup.series.window(limit, now_ms - rollup.length_ms + 1)
        if len(found) < limit:
            raise HistoryError(
                f"{self._symbol}: the market has {len(found)} closed candles of {interval} yet, "
                f"{limit} were asked for"
            )
        return found

    async def _minutes(
        self, rollup: Rollup, rows: Sequence[Candle], final_until_ms: int
    ) -> list[Candle]:
        """Return the final minutes of the candle that is forming."""
        begun_ms = final_until_ms // rollup.length_ms * rollup.length_ms
        if begun_ms == final_until_ms:
            return []
        minutes = await self.rows("1m", begun_ms, final_until_ms)
        if not minutes or minutes[0].timestamp == begun_ms or not rows:
            return minutes
        close = rows[-1].close
        flat = Candle(begun_ms - MINUTE_MS, close, close, close, close, 0.0)
        return [*flat_between(flat, minutes[0].timestamp, MINUTE_MS), *minutes]

    async def rows(self, interval: str, start_ms: int, stop_ms: int) -> list[Candle]:
        """Return the candles with start <= timestamp < stop, gaps filled, page by page.

        Raises TransientError, RejectedError, UntrustedDataError.
        """
        length_ms = interval_ms(interval)
        rows: list[Candle] = []
        while start_ms < stop_ms:
            wanted = min(ROWS_PER_REQUEST_MAX, (stop_ms - start_ms) // length_ms)
            page = await self._data.candles(self._symbol, interval, start_ms, wanted)
            news = [row for row in page if start_ms <= row.timestamp < stop_ms]
            if not news:
                break
            rows += news
            start_ms = news[-1].timestamp + length_ms
        fault = find_fault(rows, self._rules, interval_ms=length_ms)
        if fault is not None:
            raise UntrustedDataError(f"{self._symbol} {interval} candles: {fault}")
        whole, filled = fill_gaps(rows, length_ms)
        if whole:
            tail = flat_between(whole[-1], stop_ms, length_ms)
            whole += tail
            filled += len(tail)
        self.filled_count += filled
        return whole
