"""The public REST endpoints of Binance spot: what each weighs and what it answers.

Everything here is a plain function of one `Question`; HTTP begins in `app`.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.simulation.market import KlineQuery, Market, Trade, depth, klines, ticker
from daemon.simulation.server import payloads
from daemon.simulation.server.errors import unexpected_combination
from daemon.simulation.server.limits import WEIGHT_PER_MINUTE
from daemon.simulation.server.questions import Question

LIMIT_USUAL = 500
LIMIT_MAX = 1000
DEPTH_USUAL = 100
DEPTH_MAX = 5000

Json = dict[str, Any] | list[Any]
Answer = Callable[[Question], Json]
Weight = Callable[[Mapping[str, str]], int]


class Endpoint(NamedTuple):
    """What a path costs and what it answers."""

    weight: Weight
    answer: Answer


def _ping(_: Question) -> dict[str, Any]:
    return {}


def _time(question: Question) -> dict[str, Any]:
    return {"serverTime": question.scene.told_ms()}


def _exchange_info(question: Question) -> dict[str, Any]:
    names = question.chosen()
    symbols = question.names.values() if names is None else [question.names[n] for n in names]
    specs = question.market.specs
    now_ms = question.scene.told_ms()
    return payloads.exchange_info([specs[s] for s in symbols], now_ms, WEIGHT_PER_MINUTE)


def _klines(question: Question) -> list[Any]:
    interval = question.interval
    query = KlineQuery(
        symbol=question.symbol,
        interval=interval,
        start_ms=question.whole("startTime"),
        end_ms=question.whole("endTime"),
        limit=question.limit(LIMIT_USUAL, LIMIT_MAX),
    )
    rows = klines(question.market, query, question.scene.now_ms(query.symbol))
    return [payloads.kline_row(row, interval) for row in rows]


def _trades(question: Question) -> list[Any]:
    limit = question.limit(LIMIT_USUAL, LIMIT_MAX)
    symbol = question.symbol
    found = trades_before(question.market, symbol, question.scene.now_ms(symbol), limit)
    return [payloads.trade_row(trade) for trade in found]


def _aggregate_trades(question: Question) -> list[Any]:
    limit = question.limit(LIMIT_USUAL, LIMIT_MAX)
    first_id = question.whole("fromId")
    start_ms, end_ms = question.whole("startTime"), question.whole("endTime")
    if first_id is not None and (start_ms is not None or end_ms is not None):
        raise unexpected_combination()
    symbol = question.symbol
    now_ms = question.scene.now_ms(symbol)
    stop_ms = now_ms if end_ms is None else min(end_ms + 1, now_ms)
    if first_id is not None:
        start_ms = _time_of_trade(question.market, symbol, first_id, now_ms)
    if start_ms is None:
        found = trades_before(question.market, symbol, stop_ms, limit)
    else:
        found = _trades_from(question.market, symbol, (start_ms, stop_ms), limit)
    return [payloads.aggregate_trade_row(trade) for trade in found]


def trades_before(market: Market, symbol: str, stop_ms: int, limit: int) -> list[Trade]:
    """Return the last `limit` trades before `stop_ms`, oldest first, of a day at most."""
    earliest_ms = max(market.start_ms, stop_ms - DAY_MS)
    until_ms = stop_ms
    found: list[Trade] = []
    while until_ms > earliest_ms and len(found) < limit:
        start_ms = max(earliest_ms, until_ms - MINUTE_MS)
        found = market.trades(symbol, start_ms, until_ms, stop_ms) + found
        until_ms = start_ms
    return found[-limit:]


def _trades_from(market: Market, symbol: str, span: tuple[int, int], limit: int) -> list[Trade]:
    """Return the first `limit` trades in `span`, which ends by now, of a day at most."""
    start_ms = max(span[0], market.start_ms)
    latest_ms = min(span[1], start_ms + DAY_MS)
    found: list[Trade] = []
    while start_ms < latest_ms and len(found) < limit:
        stop_ms = min(latest_ms, start_ms + MINUTE_MS)
        found += market.trades(symbol, start_ms, stop_ms, stop_ms)
        start_ms = stop_ms
    return found[:limit]


def _time_of_trade(market: Market, symbol: str, trade_id: int, now_ms: int) -> int:
    """Return when the first trade with at least `trade_id` was made; ids rise with time."""

    def id_before(second: int) -> int:
        found = trades_before(market, symbol, market.start_ms + (second + 1) * 1000, 1)
        return found[-1].id if found else -1

    seconds = range(max(0, now_ms - market.start_ms) // 1000)
    return market.start_ms + bisect_left(seconds, trade_id, key=id_before) * 1000


def _depth(question: Question) -> dict[str, Any]:
    limit = question.limit(DEPTH_USUAL, DEPTH_MAX)
    symbol = question.symbol
    now_ms = question.scene.now_ms(symbol)
    bids, asks = depth(question.market, symbol, now_ms, limit)
    return {
        "lastUpdateId": now_ms,
        "bids": payloads.book_rows(bids),
        "asks": payloads.book_rows(asks),
    }


def _each(question: Question, row: Callable[[Question, str], dict[str, Any]]) -> Json:
    """Return one row for `symbol`, a list for `symbols` or for none."""
    names = question.chosen()
    if names is None:
        names = list(question.names)
    elif "symbol" in question.parameters:
        return row(question, names[0])
    return [row(question, name) for name in names]


def _day_row(question: Question, name: str) -> dict[str, Any]:
    symbol = question.names[name]
    now_ms = question.scene.now_ms(symbol)
    day = ticker(question.market, symbol, now_ms)
    return payloads.day_row(name, day, last_quantity(question.market, symbol, now_ms))


def _price_row(question: Question, name: str) -> dict[str, Any]:
    symbol = question.names[name]
    price = question.market.price(symbol, question.scene.now_ms(symbol))
    return {"symbol": name, "price": payloads.decimal_text(price)}


def _book_row(question: Question, name: str) -> dict[str, Any]:
    symbol = question.names[name]
    bids, asks = depth(question.market, symbol, question.scene.now_ms(symbol), 1)
    return payloads.book_ticker_row(name, bids[0], asks[0])


def last_quantity(market: Market, symbol: str, now_ms: int) -> float:
    """Return the base units of the last trade before `now_ms`, 0.0 if there was none."""
    found = trades_before(market, symbol, now_ms, 1)
    return found[-1].quantity if found else 0.0


def _day_rows(question: Question) -> Json:
    return _each(question, _day_row)


def _price_rows(question: Question) -> Json:
    return _each(question, _price_row)


def _book_rows(question: Question) -> Json:
    return _each(question, _book_row)


def _flat(weight: int) -> Weight:
    def weigh(_: Mapping[str, str]) -> int:
        return weight

    return weigh


def _one_or_all(one: int, many: int) -> Weight:
    def weigh(parameters: Mapping[str, str]) -> int:
        return one if "symbol" in parameters else many

    return weigh


def _depth_weight(parameters: Mapping[str, str]) -> int:
    text = parameters.get("limit", "")
    limit = int(text) if text.isdecimal() and len(text) <= 20 else DEPTH_USUAL
    return _first_step(limit, ((100, 5), (500, 25), (1000, 50)), 250)


def _day_weight(parameters: Mapping[str, str]) -> int:
    if "symbol" in parameters:
        return 2
    if "symbols" not in parameters:
        return 80
    return _first_step(parameters["symbols"].count(",") + 1, ((20, 2), (100, 40)), 80)


def _first_step(count: int, steps: Sequence[tuple[int, int]], beyond: int) -> int:
    """Return the weight of the first step that reaches `count`, `beyond` if none does."""
    return next((weight for most, weight in steps if count <= most), beyond)


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "/api/v3/ping": Endpoint(_flat(1), _ping),
        "/api/v3/time": Endpoint(_flat(1), _time),
        "/api/v3/exchangeInfo": Endpoint(_flat(20), _exchange_info),
        "/api/v3/klines": Endpoint(_flat(2), _klines),
        "/api/v3/uiKlines": Endpoint(_flat(2), _klines),
        "/api/v3/trades": Endpoint(_flat(25), _trades),
        "/api/v3/aggTrades": Endpoint(_flat(4), _aggregate_trades),
        "/api/v3/depth": Endpoint(_depth_weight, _depth),
        "/api/v3/ticker/24hr": Endpoint(_day_weight, _day_rows),
        "/api/v3/ticker/price": Endpoint(_one_or_all(2, 4), _price_rows),
        "/api/v3/ticker/bookTicker": Endpoint(_one_or_all(2, 4), _book_rows),
    }
)
"""Every public path, with its weight as Binance documents it."""
