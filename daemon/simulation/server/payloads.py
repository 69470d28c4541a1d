"""What the market knows, in the shapes that Binance sends: pure functions to plain data.

Numbers go out as decimal strings that read back to exactly the market's float. What a sandbox
does not count (trades per candle, the takers' share) is zero.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from daemon.core.candles import Candle, interval_ms
from daemon.simulation.market import BookLevel, Grid, MarketSpec, Ticker, Trade

QUANTITY_STEPS_MAX = 9_000_000_000
PRICE_MAX = 1_000_000_000.0

ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)


def decimal_text(value: float) -> str:
    """Return `value` with eight decimals, or with as many as it takes to read back the same."""
    text = f"{value:.8f}"
    return text if float(text) == value else format(Decimal(repr(value)), "f")


def market_id(spec: MarketSpec) -> str:
    """Return the exchange's name of a pair: BTC/USDT is BTCUSDT."""
    return f"{spec.base}{spec.quote}"


def symbol_payload(spec: MarketSpec) -> dict[str, Any]:
    """Return one pair of `/exchangeInfo` with its filters."""
    step = decimal_text(spec.quantity_step)
    return {
        "symbol": market_id(spec),
        "status": "TRADING",
        "baseAsset": spec.base,
        "baseAssetPrecision": 8,
        "quoteAsset": spec.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": decimal_text(spec.price_tick),
                "maxPrice": decimal_text(PRICE_MAX),
                "tickSize": decimal_text(spec.price_tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": step,
                "maxQty": decimal_text(Grid(spec.quantity_step).value(QUANTITY_STEPS_MAX)),
                "stepSize": step,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": decimal_text(spec.notional_min),
                "applyMinToMarket": True,
                "maxNotional": decimal_text(PRICE_MAX),
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def exchange_info(specs: Iterable[MarketSpec], now_ms: int, weight_max: int) -> dict[str, Any]:
    """Return `/exchangeInfo` for `specs` at the market time `now_ms`."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": weight_max,
            }
        ],
        "exchangeFilters": [],
        "symbols": [symbol_payload(spec) for spec in specs],
    }


def quote_volume(row: Candle) -> float:
    """Return about what was paid for a candle's volume: volume times typical price."""
    return round((row.high + row.low + row.close) / 3 * row.volume, 8)


def kline_row(row: Candle, interval: str) -> list[int | str]:
    """Return a row of `/klines`."""
    return [
        row.timestamp,
        decimal_text(row.open),
        decimal_text(row.high),
        decimal_text(row.low),
        decimal_text(row.close),
        decimal_text(row.volume),
        row.timestamp + interval_ms(interval) - 1,
        decimal_text(quote_volume(row)),
        0,
        "0.00000000",
        "0.00000000",
        "0",
    ]


def kline_event(
    name: str, row: Candle, interval: str, *, now_ms: int, is_closed: bool
) -> dict[str, Any]:
    """Return a message of a kline stream; `is_closed` marks the last one of a candle."""
    return {
        "e": "kline",
        "E": now_ms,
        "s": name,
        "k": {
            "t": row.timestamp,
            "T": row.timestamp + interval_ms(interval) - 1,
            "s": name,
            "i": interval,
            "f": -1,
            "L": -1,
            "o": decimal_text(row.open),
            "c": decimal_text(row.close),
            "h": decimal_text(row.high),
            "l": decimal_text(row.low),
            "v": decimal_text(row.volume),
            "n": 0,
            "x": is_closed,
            "q": decimal_text(quote_volume(row)),
            "V": "0.00000000",
            "Q": "0.00000000",
            "B": "0",
        },
    }


def trade_row(trade: Trade) -> dict[str, Any]:
    """Return a row of `/trades`."""
    return {
        "id": trade.id,
        "price": decimal_text(trade.price),
        "qty": decimal_text(trade.quantity),
        "quoteQty": decimal_text(round(trade.price * trade.quantity, 8)),
        "time": trade.timestamp,
        "isBuyerMaker": trade.is_buyer_maker,
        "isBestMatch": True,
    }


def aggregate_trade_row(trade: Trade) -> dict[str, Any]:
    """Return a row of `/aggTrades`: here each aggregate holds one trade."""
    return {
        "a": trade.id,
        "p": decimal_text(trade.price),
        "q": decimal_text(trade.quantity),
        "f": trade.id,
        "l": trade.id,
        "T": trade.timestamp,
        "m": trade.is_buyer_maker,
        "M": True,
    }


def trade_event(name: str, trade: Trade, now_ms: int) -> dict[str, Any]:
    """Return a message of a trade stream."""
    return {
        "e": "trade",
        "E": now_ms,
        "s": name,
        "t": trade.id,
        "p": decimal_text(trade.price),
        "q": decimal_text(trade.quantity),
        "T": trade.timestamp,
        "m": trade.is_buyer_maker,
        "M": True,
    }


def aggregate_trade_event(name: str, trade: Trade, now_ms: int) -> dict[str, Any]:
    """Return a message of an aggregate trade stream."""
    return {"e": "aggTrade", "E": now_ms, "s": name, **aggregate_trade_row(trade)}


def book_rows(levels: Sequence[BookLevel]) -> list[list[str]]:
    """Return one side of the order book."""
    return [[decimal_text(level.price), decimal_text(level.quantity)] for level in levels]


def book_ticker_row(name: str, bid: BookLevel, ask: BookLevel) -> dict[str, Any]:
    """Return a row of `/ticker/bookTicker`."""
    return {
        "symbol": name,
        "bidPrice": decimal_text(bid.price),
        "bidQty": decimal_text(bid.quantity),
        "askPrice": decimal_text(ask.price),
        "askQty": decimal_text(ask.quantity),
    }


def book_ticker_event(name: str, bid: BookLevel, ask: BookLevel, update_id: int) -> dict[str, Any]:
    """Return a message of a bookTicker stream."""
    return {
        "u": update_id,
        "s": name,
        "b": decimal_text(bid.price),
        "B": decimal_text(bid.quantity),
        "a": decimal_text(ask.price),
        "A": decimal_text(ask.quantity),
    }


def day_row(name: str, day: Ticker, last_quantity: float) -> dict[str, Any]:
    """Return a row of `/ticker/24hr`."""
    return {
        "symbol": name,
        "priceChange": decimal_text(round(day.price_change, 8)),
        "priceChangePercent": f"{day.change_percent:.3f}",
        "weightedAvgPrice": decimal_text(round(day.price_vwap, 8)),
        "prevClosePrice": decimal_text(day.price_open),
        "lastPrice": decimal_text(day.price_last),
        "lastQty": decimal_text(last_quantity),
        "bidPrice": decimal_text(day.bid.price),
        "bidQty": decimal_text(day.bid.quantity),
        "askPrice": decimal_text(day.ask.price),
        "askQty": decimal_text(day.ask.quantity),
        "openPrice": decimal_text(day.price_open),
        "highPrice": decimal_text(day.price_high),
        "lowPrice": decimal_text(day.price_low),
        "volume": decimal_text(day.volume),
        "quoteVolume": decimal_text(round(day.quote_volume, 8)),
        "openTime": day.open_ms,
        "closeTime": day.close_ms,
        "firstId": -1,
        "lastId": -1,
        "count": 0,
    }


def mini_ticker_event(name: str, day: Ticker) -> dict[str, Any]:
    """Return a message of a miniTicker stream."""
    return {
        "e": "24hrMiniTicker",
        "E": day.close_ms,
        "s": name,
        "c": decimal_text(day.price_last),
        "o": decimal_text(day.price_open),
        "h": decimal_text(day.price_high),
        "l": decimal_text(day.price_low),
        "v": decimal_text(day.volume),
        "q": decimal_text(round(day.quote_volume, 8)),
    }


def ticker_event(name: str, day: Ticker, last_quantity: float) -> dict[str, Any]:
    """Return a message of a ticker stream."""
    row = day_row(name, day, last_quantity)
    return {
        "e": "24hrTicker",
        "E": day.close_ms,
        "s": name,
        "p": row["priceChange"],
        "P": row["priceChangePercent"],
        "w": row["weightedAvgPrice"],
        "x": row["prevClosePrice"],
        "c": row["lastPrice"],
        "Q": row["lastQty"],
        "b": row["bidPrice"],
        "B": row["bidQty"],
        "a": row["askPrice"],
        "A": row["askQty"],
        "o": row["openPrice"],
        "h": row["highPrice"],
        "l": row["lowPrice"],
        "v": row["volume"],
        "q": row["quoteVolume"],
        "O": day.open_ms,
        "C": day.close_ms,
        "F": -1,
        "L": -1,
        "n": 0,
    }
