"""The public endpoints answer with the market's own values, in Binance's shapes."""

import orjson
import pytest

from daemon.core.candles import DAY_MS, INTERVAL_MS, MINUTE_MS
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import KlineQuery, depth, klines, ticker
from daemon.simulation.server.rest import ENDPOINTS
from tests.simulation.server.conftest import NOW_MS, START_MS, Get


async def test_ping_and_time(get: Get) -> None:
    assert await (await get("ping")).json() == {}
    assert await (await get("time")).json() == {"serverTime": NOW_MS}


async def test_exchange_info_lists_all_pairs_or_those_asked_for(
    get: Get, market: GeneratedMarket
) -> None:
    everything = await (await get("exchangeInfo")).json()
    some = await (await get("exchangeInfo", symbols='["ETHUSDT","SOLUSDT"]')).json()

    assert len(everything["symbols"]) == len(market.specs)
    assert [row["symbol"] for row in some["symbols"]] == ["ETHUSDT", "SOLUSDT"]


@pytest.mark.parametrize("interval", list(INTERVAL_MS))
async def test_klines_are_the_market_s(get: Get, market: GeneratedMarket, interval: str) -> None:
    rows = await (await get("klines", symbol="BTCUSDT", interval=interval, limit=7)).json()

    expected = klines(market, KlineQuery(symbol="BTC/USDT", interval=interval, limit=7), NOW_MS)
    assert [(row[0], *map(float, row[1:6])) for row in rows] == expected
    assert all(row[6] == row[0] + INTERVAL_MS[interval] - 1 for row in rows)


async def test_klines_keep_to_their_span(get: Get) -> None:
    first, last = START_MS + 60 * MINUTE_MS, START_MS + 65 * MINUTE_MS

    response = await get(
        "klines", symbol="BTCUSDT", interval="1m", startTime=first, endTime=last, limit=5000
    )

    assert [row[0] for row in await response.json()] == list(range(first, last + 1, MINUTE_MS))


async def test_trades_are_the_newest(get: Get, market: GeneratedMarket) -> None:
    rows = await (await get("trades", symbol="BTCUSDT", limit=150)).json()

    made = market.trades("BTC/USDT", NOW_MS - 10 * MINUTE_MS, NOW_MS, NOW_MS)[-150:]
    assert [(row["id"], float(row["price"]), float(row["qty"])) for row in rows] == [
        (trade.id, trade.price, trade.quantity) for trade in made
    ]


async def test_aggregate_trades_from_a_time_and_from_an_id(
    get: Get, market: GeneratedMarket
) -> None:
    from_ms = START_MS + 90 * MINUTE_MS + 1
    made = market.trades("BTC/USDT", from_ms, from_ms + 5 * MINUTE_MS, NOW_MS)[:100]

    by_time = await get("aggTrades", symbol="BTCUSDT", startTime=from_ms, limit=100)
    by_id = await get("aggTrades", symbol="BTCUSDT", fromId=made[0].id, limit=100)
    until = await get("aggTrades", symbol="BTCUSDT", endTime=made[-1].timestamp, limit=100)

    assert [row["a"] for row in await by_time.json()] == [trade.id for trade in made]
    assert await by_id.json() == await by_time.json()
    assert await until.json() == await by_time.json()


async def test_an_id_and_a_time_exclude_each_other(get: Get) -> None:
    response = await get("aggTrades", symbol="BTCUSDT", fromId=1, startTime=START_MS)

    assert response.status == 400
    assert (await response.json())["code"] == -1128


async def test_the_book_is_the_market_s(get: Get, market: GeneratedMarket) -> None:
    book = await (await get("depth", symbol="BTCUSDT", limit=5)).json()
    top = await (await get("ticker/bookTicker", symbol="BTCUSDT")).json()

    bids, asks = depth(market, "BTC/USDT", NOW_MS, 5)
    assert [(float(price), float(size)) for price, size in book["bids"]] == bids
    assert [(float(price), float(size)) for price, size in book["asks"]] == asks
    assert [top["bidPrice"], top["bidQty"]] == book["bids"][0]
    assert [top["askPrice"], top["askQty"]] == book["asks"][0]


async def test_tickers_of_one_some_and_all(get: Get, market: GeneratedMarket) -> None:
    one = await (await get("ticker/24hr", symbol="BTCUSDT")).json()
    some = await (await get("ticker/24hr", symbols='["BTCUSDT","ETHUSDT"]')).json()
    every = await (await get("ticker/price")).json()

    day = ticker(market, "BTC/USDT", NOW_MS)
    assert float(one["lastPrice"]) == day.price_last
    assert float(one["highPrice"]) == day.price_high
    assert one["openTime"] >= NOW_MS - DAY_MS - MINUTE_MS
    assert some[0] == one
    assert [row["symbol"] for row in some] == ["BTCUSDT", "ETHUSDT"]
    assert every[0] == {"symbol": "BTCUSDT", "price": one["lastPrice"]}
    assert len(every) == len(market.specs)


@pytest.mark.parametrize(
    ("path", "parameters", "weight"),
    [
        ("ping", {}, 1),
        ("exchangeInfo", {}, 20),
        ("klines", {"limit": "1000"}, 2),
        ("depth", {}, 5),
        ("depth", {"limit": "100"}, 5),
        ("depth", {"limit": "101"}, 25),
        ("depth", {"limit": "1000"}, 50),
        ("depth", {"limit": "5000"}, 250),
        ("depth", {"limit": "x"}, 5),
        ("ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("ticker/24hr", {"symbols": orjson.dumps(["A"] * 20).decode()}, 2),
        ("ticker/24hr", {"symbols": orjson.dumps(["A"] * 21).decode()}, 40),
        ("ticker/24hr", {}, 80),
        ("ticker/price", {"symbol": "BTCUSDT"}, 2),
        ("ticker/price", {}, 4),
    ],
)
def test_weights_are_binance_s(path: str, parameters: dict[str, str], weight: int) -> None:
    assert ENDPOINTS[f"/api/v3/{path}"].weight(parameters) == weight
