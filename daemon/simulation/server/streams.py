"""The public streams of Binance spot: their names, and what is new on one since the last push."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, assert_never

from daemon.core.candles import INTERVAL_MS
from daemon.simulation.market import KlineQuery, Market, depth, klines, ticker
from daemon.simulation.server import payloads
from daemon.simulation.server.rest import last_quantity
from daemon.simulation.server.scene import Scene

KLINES_PER_PUSH_MAX = 1000


class Kind(Enum):
    """What a stream carries; the value is its word in the stream's name."""

    KLINE = "kline"
    TRADE = "trade"
    AGGREGATE_TRADE = "aggTrade"
    BOOK_TICKER = "bookTicker"
    MINI_TICKER = "miniTicker"
    TICKER = "ticker"


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of one pair: `interval` is "" except for candles."""

    kind: Kind
    market_name: str
    symbol: str
    interval: str = ""


@dataclass(frozen=True, slots=True)
class ArrayStream:
    """One stream of all pairs at once, in one message (miniTicker and ticker only)."""

    kind: Kind
    names: Mapping[str, str]


AnyStream = Stream | ArrayStream

ARRAYS = {"!miniTicker@arr": Kind.MINI_TICKER, "!ticker@arr": Kind.TICKER}


def find_stream(text: str, names: Mapping[str, str]) -> AnyStream | None:
    """Return the stream called `text` ("btcusdt@kline_1m"), None if the sandbox has none such.

    `names` are the market's symbols by exchange name.
    """
    if text in ARRAYS:
        return ArrayStream(ARRAYS[text], names)
    market_name, _, channel = text.partition("@")
    symbol = names.get(market_name.upper())
    if symbol is None or market_name != market_name.lower():
        return None
    word, _, interval = channel.partition("_")
    if word == Kind.KLINE.value and interval in INTERVAL_MS:
        return Stream(Kind.KLINE, market_name.upper(), symbol, interval)
    kinds = {kind.value: kind for kind in Kind if kind is not Kind.KLINE}
    return Stream(kinds[channel], market_name.upper(), symbol) if channel in kinds else None


def symbol_of(stream: AnyStream) -> str:
    """Return the symbol of a stream, "" if it carries all of them."""
    return stream.symbol if isinstance(stream, Stream) else ""


def news(scene: Scene, stream: AnyStream, since_ms: int) -> Iterator[Any]:
    """Yield the messages of a stream, oldest first, for what happened since `since_ms`.

    `since_ms` (market time, UTC epoch ms) is the push before. Each candle that has closed since
    comes once more, marked as closed. A market that froze tells the same again and again.
    """
    match stream:
        case Stream():
            yield from _pair_news(scene, stream, since_ms)
        case ArrayStream(kind, names):
            pairs = (Stream(kind, name, symbol) for name, symbol in names.items())
            yield [row for pair in pairs for row in _pair_news(scene, pair, since_ms)]
        case _:
            assert_never(stream)


def _pair_news(scene: Scene, stream: Stream, since_ms: int) -> Iterator[dict[str, Any]]:
    market, name, symbol = scene.market, stream.market_name, stream.symbol
    now_ms = scene.now_ms(symbol)
    match stream.kind:
        case Kind.KLINE:
            yield from _candle_news(market, stream, min(since_ms, now_ms - 1), now_ms)
        case Kind.TRADE:
            for trade in market.trades(symbol, since_ms, now_ms, now_ms):
                yield payloads.trade_event(name, trade, now_ms)
        case Kind.AGGREGATE_TRADE:
            for trade in market.trades(symbol, since_ms, now_ms, now_ms):
                yield payloads.aggregate_trade_event(name, trade, now_ms)
        case Kind.BOOK_TICKER:
            bids, asks = depth(market, symbol, now_ms, 1)
            yield payloads.book_ticker_event(name, bids[0], asks[0], now_ms)
        case Kind.MINI_TICKER:
            yield payloads.mini_ticker_event(name, ticker(market, symbol, now_ms))
        case Kind.TICKER:
            quantity = last_quantity(market, symbol, now_ms)
            yield payloads.ticker_event(name, ticker(market, symbol, now_ms), quantity)
        case _:
            assert_never(stream.kind)


def _candle_news(
    market: Market, stream: Stream, since_ms: int, now_ms: int
) -> Iterator[dict[str, Any]]:
    length_ms = INTERVAL_MS[stream.interval]
    query = KlineQuery(
        symbol=stream.symbol,
        interval=stream.interval,
        start_ms=since_ms // length_ms * length_ms,
        limit=KLINES_PER_PUSH_MAX,
    )
    for row in klines(market, query, now_ms):
        yield payloads.kline_event(
            stream.market_name,
            row,
            stream.interval,
            now_ms=now_ms,
            is_closed=row.timestamp + length_ms <= now_ms,
        )
