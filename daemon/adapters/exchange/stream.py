"""Candles over ccxt.pro: one line for all symbols, at little more than ccxt's own cost.

ccxt's watch calls race one future per symbol and lose what comes between two calls. Here they
only subscribe; what then comes is picked up where ccxt resolves its futures, and read from its
caches. A future of our own in each line tells of its end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from daemon.adapters.exchange.client import Cache, Exchange, Line, close_quietly
from daemon.adapters.exchange.errors import UNREADABLE, Translator
from daemon.adapters.exchange.rows import read_row
from daemon.core.candles import Candle
from daemon.core.errors import RateLimitedError, RejectedError, TickdError, TransientError
from daemon.ports import MinuteUpdate

MINUTE = "1m"
SYMBOLS_PER_SUBSCRIPTION = 100
SUBSCRIBE_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
LINE_KEY = "tickd: the line itself"


class CandleStream:
    """The one-minute candles of an exchange as they come. One `watch` at a time."""

    def __init__(self, exchange: Exchange, translator: Translator) -> None:
        self._exchange = exchange
        self._translator = translator
        self._doing = f"{exchange.id}: candle stream"
        self._lines: list[Line] = []
        self._urls: set[str] = set()
        self._make_line: Callable[[str], Line] = exchange.client
        self._symbols: dict[int, str] = {}
        self._changed: dict[str, Cache] = {}
        self._read_up_to: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._lost: BaseException | None = None
        exchange.client = self._line

    async def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        """Yield what is new of each symbol: every candle since the last one told, oldest first.

        Raises RejectedError where the exchange has no such stream, TransientError when the line
        is lost or the exchange refuses; the line is closed then.
        """
        if not (self._has("watchOHLCVForSymbols") or self._has("watchOHLCV")):
            raise RejectedError(f"{self._exchange.id} has no candle stream in ccxt")
        self._refuse_while_dialling_rests()
        self._forget()
        try:
            await self._subscribe(symbols)
            while True:
                await self._woken.wait()
                self._woken.clear()
                changed, self._changed = self._changed, {}
                for symbol, cache in changed.items():
                    rows = self._new_rows(symbol, cache)
                    if rows:
                        yield MinuteUpdate(symbol, rows)
                if self._lost is not None:
                    raise self._line_lost(self._lost)
        finally:
            for line in self._lines:
                line.is_given_up = True
            self._lines.clear()
            await close_quietly(self._exchange.close_ws_clients(), CLOSE_TIMEOUT_S)
            self._exchange.clients.clear()
            self._forget()

    def _refuse_while_dialling_rests(self) -> None:
        """Leave the waiting after a failed dial to the caller.

        ccxt would sleep in a task that nobody can end, and then open a line that nobody reads.
        """
        waits_s = [self._exchange.ws_dial_delay(url) for url in self._urls]
        if waits_s and max(waits_s) > 0:
            wait_s = max(waits_s)
            raise RateLimitedError(f"{self._doing}: may be dialled again in {wait_s:.1f} s", wait_s)

    def _has(self, ability: str) -> bool:
        return bool(self._exchange.has.get(ability))

    def _forget(self) -> None:
        """Start anew: the caches of an old line must not be taken for news."""
        self._exchange.ohlcvs.clear()
        self._symbols.clear()
        self._changed.clear()
        self._read_up_to.clear()
        self._woken.clear()
        self._lost = None

    async def _subscribe(self, symbols: Sequence[str]) -> None:
        """Subscribe, and wait for the first news, but no longer than for a refusal."""
        if self._has("watchOHLCVForSymbols"):
            calls = [
                self._exchange.watch_ohlcv_for_symbols([[symbol, MINUTE] for symbol in part])
                for part in _parts(symbols, SYMBOLS_PER_SUBSCRIPTION)
            ]
        else:
            calls = [self._exchange.watch_ohlcv(symbol, MINUTE) for symbol in symbols]
        refusals: list[TickdError] = []
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S) as limit, asyncio.TaskGroup() as group:
                for call in calls:
                    group.create_task(self._call(call, refusals, limit))
        except TimeoutError:
            pass  # a quiet market, or a refusal; what goes wrong later ends the line
        if refusals:
            raise refusals[0]

    async def _call(
        self,
        call: Coroutine[Any, Any, object],
        refusals: list[TickdError],
        limit: asyncio.Timeout,
    ) -> None:
        """Await one subscription; the first refusal ends the others."""
        try:
            with self._translator.door(self._doing):
                await call
        except TickdError as error:
            refusals.append(error)
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    def _line(self, url: str) -> Line:
        """Return ccxt's line to `url`, hooked when it is new."""
        line = self._make_line(url)
        if line in self._lines:
            return line
        self._lines.append(line)
        self._urls.add(url)
        line.is_given_up = False
        resolve, handle, connected = line.resolve, line.handle_message, line.on_connected_callback

        def resolve_and_notice(result: object, message_hash: object = None) -> object:
            self._notice(result)
            return resolve(result, message_hash)

        def handle_or_end(message: object) -> None:
            # A frame that cannot be read ends ccxt's receiving without a word; end it with one.
            try:
                handle(message)
            except UNREADABLE as error:
                line.on_error(error)

        def greet_or_end(connection: object) -> None:
            connected(connection)
            if line.is_given_up:  # while it was being dialled
                line.on_error(ConnectionError("the line came too late"))

        line.resolve, line.handle_message = resolve_and_notice, handle_or_end
        line.on_connected_callback = greet_or_end
        line.future(LINE_KEY).add_done_callback(self._on_line_end)
        return line

    def _notice(self, result: object) -> None:
        """Note which symbol a resolved result belongs to, if it is a cache of its candles."""
        cache = result[-1] if type(result) is list and result else result
        symbol = self._symbols.get(id(cache)) or self._find_symbol(cache)
        if symbol is not None:
            self._changed[symbol] = self._exchange.ohlcvs[symbol][MINUTE]
            self._woken.set()

    def _find_symbol(self, cache: object) -> str | None:
        for symbol, caches in self._exchange.ohlcvs.items():
            if caches.get(MINUTE) is cache:
                self._symbols[id(cache)] = symbol
                return symbol
        return None

    def _on_line_end(self, line: asyncio.Future[object]) -> None:
        if line.cancelled():
            self._lost = ConnectionError("the line was closed")
        else:
            self._lost = line.exception() or ConnectionError("the line ended")
        self._woken.set()

    def _new_rows(self, symbol: str, cache: Cache) -> list[Candle]:
        """Return the candles from the last one told on, in order; the cache itself may change."""
        told_ms = self._read_up_to.get(symbol)
        rows: list[Candle] = []
        for back in range(1, len(cache) + 1):
            row = read_row(cache[-back])
            if row is None:
                continue
            rows.append(row)
            if told_ms is None or row.timestamp <= told_ms:
                break
        rows.reverse()
        if rows:
            self._read_up_to[symbol] = rows[-1].timestamp
        return rows

    def _line_lost(self, error: BaseException) -> TransientError:
        told = self._translator.translate(self._doing, error)
        return told if isinstance(told, TransientError) else TransientError(str(told))


def _parts(symbols: Sequence[str], size: int) -> list[Sequence[str]]:
    return [symbols[start : start + size] for start in range(0, len(symbols), size)]
