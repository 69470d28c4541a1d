"""The market data port over ccxt: any exchange that tells candles, Binance proven."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import stamina
from stamina.instrumentation import set_on_retry_hooks

from daemon.adapters.exchange.budget import Lane
from daemon.adapters.exchange.client import (
    close_quietly,
    make_budget,
    make_exchange,
    open_session,
    secrets_of,
    spend_from,
)
from daemon.adapters.exchange.errors import Translator
from daemon.adapters.exchange.rows import read_rows, regrouped
from daemon.adapters.exchange.stream import CandleStream
from daemon.core.candles import INTERVAL_MS, Candle, interval_ms
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TransientError,
    UntrustedDataError,
)
from daemon.core.redaction import Redactor
from daemon.core.rules import Rules
from daemon.core.trust import find_fault
from daemon.ports import MinuteUpdate

CLOSE_TIMEOUT_S = 3.0
ROWS_PER_REQUEST_MAX = 1000
NEAR_SYMBOLS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an exchange may take (machine seconds): an answer, and between two pings."""

    answer_s: float = 10.0
    ping_interval_s: float = 5.0


class CcxtMarketData:
    """Candles of one exchange, by ccxt's REST and WebSocket clients.

    Make it before the loop runs: ccxt is imported here. `overrides` are ccxt's own constructor
    settings (URLs, options). Call `load_markets` before anything else, and `close` at the end.
    Raises RejectedError for an exchange id that ccxt does not know.
    """

    def __init__(
        self,
        exchange_id: str,
        symbols: Sequence[str],
        rules: Rules,
        overrides: Mapping[str, Any] = MappingProxyType({}),
        patience: Patience = Patience(),  # frozen, so one for all is safe
    ) -> None:
        self.exchange_id = exchange_id
        self._symbols = tuple(symbols)
        self._rules = rules
        self._exchange = make_exchange(
            exchange_id,
            overrides,
            timeout_s=patience.answer_s,
            ping_interval_s=patience.ping_interval_s,
        )
        self.budget = make_budget(self._exchange)
        self._translator = Translator(self.budget, Redactor(secrets_of(overrides)))
        spend_from(self.budget, self._exchange, Lane.MARKET_DATA)
        self._stream = CandleStream(self._exchange, self._translator)
        # By default each try is logged, and a counter of its own opens files on the loop. Whoever
        # asks here tells of a trouble once, when all tries have failed.
        set_on_retry_hooks(())
        pause_s = rules.get_candles_retry_delay_ms / 1000.0
        self._retry = stamina.AsyncRetryingCaller(
            attempts=max(1, rules.get_candles_retry_count),
            timeout=None,
            wait_initial=pause_s,
            wait_max=pause_s,
            wait_jitter=0.0,
        ).on(_is_worth_another_try)

    async def load_markets(self) -> None:
        """Learn the exchange's markets and keep ours.

        Raises RejectedError for symbols that it does not have, naming those that are near, and
        TransientError when it cannot be asked now.
        """
        self._keep(self._symbols, await self._retry(self._fetch_markets))

    async def reach(self) -> None:
        """Do as `load_markets` in one try, for a caller that asks again and tells why it does."""
        self._keep(self._symbols, await self._fetch_markets())

    async def learn(self, symbols: Sequence[str]) -> None:
        """Keep the markets of these symbols too. Raises as `load_markets` does; nothing changes."""
        wanted = tuple(dict.fromkeys((*self._symbols, *symbols)))
        if wanted != self._symbols:
            self._keep(wanted, await self._retry(self._fetch_markets))
            self._symbols = wanted

    def _keep(self, symbols: Sequence[str], markets: Sequence[Mapping[str, Any]]) -> None:
        known = {str(market["symbol"]): market for market in markets}
        unknown = [symbol for symbol in symbols if symbol not in known]
        if unknown:
            raise RejectedError(_unknown_symbols(self.exchange_id, unknown, known))
        # Thousands of markets that nobody trades would stay in memory.
        self._exchange.set_markets([known[symbol] for symbol in symbols])

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        """Return up to `limit` candles from `since_ms` on (or the newest), the last one forming.

        Asked as often as the rules say before it gives up. Raises TransientError
        (RateLimitedError at once, UntrustedDataError) or RejectedError.
        """
        base = self._base_of(interval)
        factor = interval_ms(interval) // interval_ms(base)
        wanted = min(limit * factor, ROWS_PER_REQUEST_MAX)
        rows = await self._retry(self._fetch_rows, symbol, base, since_ms, wanted)
        rows = rows if factor == 1 else regrouped(rows, interval)
        return rows[-limit:] if since_ms is None else rows[:limit]

    def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        """Yield updates of one-minute candles as they come; a value that is none is NaN.

        Raises TransientError when the line is lost, RejectedError where there is no stream.
        """
        return self._stream.watch(symbols)

    async def server_time_ms(self) -> int:
        """Return the exchange's own time. Raises TransientError, or RejectedError without one."""
        if not self._exchange.has.get("fetchTime"):
            raise RejectedError(f"{self.exchange_id} does not tell its time")
        what = f"{self.exchange_id}: time"
        with self._translator.door(what):
            told = await self._exchange.fetch_time()
            if not isinstance(told, int):
                raise UntrustedDataError(f"{what}: the answer holds none")
            return told

    async def close(self) -> None:
        """Close all lines. Safe to call twice, and before `load_markets`."""
        session, self._exchange.session = self._exchange.session, None
        await close_quietly(self._exchange.close(), CLOSE_TIMEOUT_S)
        if session is not None:
            await session.close()

    async def _fetch_markets(self) -> Sequence[Mapping[str, Any]]:
        what = f"{self.exchange_id}: markets"
        open_session(self._exchange)
        with self._translator.door(what):
            markets = await self._exchange.fetch_markets()
            if not markets:
                raise UntrustedDataError(f"{what}: the list is empty")
            return markets

    async def _fetch_rows(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> list[Candle]:
        what = f"{symbol} {interval} candles"
        with self._translator.door(what):
            answer = await self._exchange.fetch_ohlcv(symbol, interval, since_ms, limit)
            rows = read_rows(answer, what)
        fault = find_fault(rows, self._rules, interval_ms=INTERVAL_MS[interval])
        if fault is not None:
            raise UntrustedDataError(f"{what}: {fault}")
        return rows

    def _base_of(self, interval: str) -> str:
        """Return the exchange's own interval from which `interval` is made: itself if it can."""
        if interval not in INTERVAL_MS:
            raise RejectedError(f"there is no interval {interval!r}: use {', '.join(INTERVAL_MS)}")
        offered = self._exchange.timeframes or {}
        length_ms = interval_ms(interval)
        fitting = [
            (ms, name)
            for name, ms in INTERVAL_MS.items()
            if name in offered and length_ms % ms == 0
        ]
        if not fitting:
            raise RejectedError(f"{self.exchange_id} has no candles of {interval}")
        return max(fitting)[1]


def _is_worth_another_try(error: Exception) -> bool:
    return isinstance(error, TransientError) and not isinstance(error, RateLimitedError)


def _unknown_symbols(exchange_id: str, unknown: Sequence[str], known: Mapping[str, object]) -> str:
    told = []
    for symbol in unknown:
        near = get_close_matches(symbol.upper(), known, n=NEAR_SYMBOLS_SHOWN, cutoff=0.7)
        told.append(f"{symbol!r}" + (f" (did you mean {' or '.join(near)}?)" if near else ""))
    return f"{exchange_id} has no market {', '.join(told)}"
