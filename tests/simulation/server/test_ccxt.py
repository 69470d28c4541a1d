"""The real ccxt client, with nothing but URL overrides, sees the market as it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import ccxt.pro
import pytest

from daemon.core.candles import INTERVAL_MS, MINUTE_MS
from daemon.simulation.faults import Body, Fault, FaultPlan, Status
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import KlineQuery, depth, klines, ticker
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress, ccxt_options
from tests.simulation.server.conftest import NOW_MS, START_MS
from tests.simulation.server.held_clock import HeldClock

BTC = "BTC/USDT"
FIFTY = [f"C{n:02d}/USDT" for n in range(50)]


@pytest.fixture
async def exchange(address: SandboxAddress) -> AsyncIterator[Any]:
    client = ccxt.pro.binance({**ccxt_options(address), "enableRateLimit": False})
    client.timeout_on_exit = 0
    yield client
    await client.close()


def expected(market: GeneratedMarket, **query: Any) -> list[list[float]]:
    rows = klines(market, KlineQuery(**{"symbol": BTC, "interval": "1m", **query}), NOW_MS)
    return [list(row) for row in rows]


async def soon(call: Awaitable[Any]) -> Any:
    async with asyncio.timeout(10):
        return await call


async def test_markets_load_with_one_request_and_their_grid(
    exchange: Any, market: GeneratedMarket, server: SandboxServer
) -> None:
    markets = await exchange.load_markets()

    assert set(markets) == set(market.specs)
    bitcoin, spec = markets[BTC], market.specs[BTC]
    assert bitcoin["spot"]
    assert bitcoin["active"]
    assert bitcoin["precision"]["price"] == spec.price_tick
    assert bitcoin["precision"]["amount"] == spec.quantity_step
    assert bitcoin["limits"]["cost"]["min"] == spec.notional_min
    assert exchange.price_to_precision(BTC, 60_000.017) == "60000.02"
    assert exchange.amount_to_precision(BTC, 0.123456789) == "0.12345"
    assert server.counters.requests == {"/api/v3/exchangeInfo": 1}


async def test_the_time_is_market_time(exchange: Any) -> None:
    assert await exchange.fetch_time() == NOW_MS


async def test_candles_of_every_interval(exchange: Any, market: GeneratedMarket) -> None:
    for interval in INTERVAL_MS:
        rows = await exchange.fetch_ohlcv(BTC, interval, limit=5)
        assert rows == expected(market, interval=interval, limit=5)


async def test_candles_since_until_and_by_limit(exchange: Any, market: GeneratedMarket) -> None:
    since = START_MS + 100 * MINUTE_MS

    some = await exchange.fetch_ohlcv(BTC, "1m", since=since, limit=10)
    span = await exchange.fetch_ohlcv(BTC, "1m", since, None, {"until": since + 5 * MINUTE_MS})
    most = await exchange.fetch_ohlcv(BTC, "1m", limit=1000)

    assert some == expected(market, start_ms=since, limit=10)
    assert [row[0] for row in span] == [since + n * MINUTE_MS for n in range(6)]
    assert most == expected(market, limit=1000)


async def test_trades(exchange: Any, market: GeneratedMarket) -> None:
    since = START_MS + 100 * MINUTE_MS

    newest = await exchange.fetch_trades(BTC, limit=20)
    old = await exchange.fetch_trades(BTC, since=since, limit=20)

    for rows, made in (
        (newest, market.trades(BTC, NOW_MS - MINUTE_MS, NOW_MS, NOW_MS)[-20:]),
        (old, market.trades(BTC, since, since + MINUTE_MS, NOW_MS)[:20]),
    ):
        assert [
            (int(row["id"]), row["timestamp"], row["price"], row["amount"]) for row in rows
        ] == [trade[:4] for trade in made]
        assert [row["side"] for row in rows] == [
            "sell" if trade.is_buyer_maker else "buy" for trade in made
        ]


async def test_book_and_tickers(exchange: Any, market: GeneratedMarket) -> None:
    book = await exchange.fetch_order_book(BTC, 10)
    tickers = await exchange.fetch_tickers()
    tops = await exchange.fetch_bids_asks([BTC])
    prices = await exchange.fetch_last_prices([BTC])

    bids, asks = depth(market, BTC, NOW_MS, 10)
    day = ticker(market, BTC, NOW_MS)
    assert book["bids"] == [list(level) for level in bids]
    assert book["asks"] == [list(level) for level in asks]
    assert set(tickers) == set(market.specs)
    assert tickers[BTC]["last"] == prices[BTC]["price"] == day.price_last
    assert tickers[BTC]["high"] == day.price_high
    assert tickers[BTC]["baseVolume"] == day.volume
    assert (tops[BTC]["bid"], tops[BTC]["ask"]) == (bids[0].price, asks[0].price)


async def test_a_bad_symbol_and_a_limit_are_the_errors_that_the_real_one_gives(
    exchange: Any, server: SandboxServer
) -> None:
    with pytest.raises(ccxt.BadSymbol):
        await exchange.public_get_klines({"symbol": "NOPEUSDT", "interval": "1m"})

    server.faults = FaultPlan(faults=(Fault(effect=Status(status=429, retry_after_s=7)),))
    with pytest.raises(ccxt.DDoSProtection):
        await exchange.fetch_time()
    assert exchange.last_response_headers["Retry-After"] == "7"

    server.faults = FaultPlan(faults=(Fault(effect=Status(status=500)),))
    with pytest.raises(ccxt.OperationFailed):
        await exchange.fetch_time()

    server.faults = FaultPlan(faults=(Fault(effect=Status(status=503, body=Body.HTML)),))
    with pytest.raises(ccxt.ExchangeNotAvailable):
        await exchange.fetch_time()


async def test_the_forming_candle_is_the_same_over_rest_and_socket(
    exchange: Any, market: GeneratedMarket, clock: HeldClock
) -> None:
    for _ in range(3):
        clock.at_ms += 7_001

        streamed = await soon(exchange.watch_ohlcv(BTC, "1m"))
        for _ in range(5):  # what was on its way while the clock moved comes first
            streamed = await soon(exchange.watch_ohlcv(BTC, "1m"))
        asked = await exchange.fetch_ohlcv(BTC, "1m", limit=1)

        assert streamed[-1] == asked[-1]
        query = KlineQuery(symbol=BTC, interval="1m", limit=1)
        assert asked == [list(row) for row in klines(market, query, clock.at_ms)]


async def test_fifty_pairs_on_one_line_with_one_request(market: GeneratedMarket) -> None:
    sandbox = SandboxServer(market, HeldClock(NOW_MS, speed=10.0), push_interval_s=0.2)
    exchange = ccxt.pro.binance(ccxt_options(await sandbox.start()))
    wanted = [[symbol, "1m"] for symbol in FIFTY]
    seen: dict[str, list[float]] = {}

    async with asyncio.timeout(30):
        while len(seen) < len(FIFTY):
            update = await exchange.watch_ohlcv_for_symbols(wanted)
            seen |= {symbol: rows["1m"][-1] for symbol, rows in update.items()}
    await exchange.close()
    await sandbox.stop()

    assert seen == {s: expected(market, symbol=s, limit=1)[0] for s in FIFTY}
    assert sandbox.counters.sockets_opened == 1
    assert sandbox.counters.messages_received == 1


async def test_trades_stream_without_a_gap(
    exchange: Any, market: GeneratedMarket, clock: HeldClock
) -> None:
    ids: list[int] = []

    async with asyncio.TaskGroup() as group, asyncio.timeout(10):
        group.create_task(exchange.watch_trades(BTC))
        while len(ids) < 30:
            clock.at_ms += 1_000
            await asyncio.sleep(0.01)
            ids = [int(row["id"]) for row in exchange.trades.get(BTC, [])]

    assert ids == list(range(ids[0], ids[0] + len(ids)))
    row, made = exchange.trades[BTC][0], market.trades(BTC, NOW_MS, clock.at_ms, clock.at_ms)
    assert (row["price"], row["amount"]) in [(trade.price, trade.quantity) for trade in made]


async def test_best_bids_and_asks(exchange: Any, market: GeneratedMarket) -> None:
    wanted, seen = [BTC, "ETH/USDT"], dict[str, Any]()

    async with asyncio.timeout(10):
        while len(seen) < len(wanted):
            seen |= await exchange.watch_bids_asks(wanted)

    for symbol in wanted:
        bids, asks = depth(market, symbol, NOW_MS, 1)
        assert (seen[symbol]["bid"], seen[symbol]["bidVolume"]) == bids[0]
        assert (seen[symbol]["ask"], seen[symbol]["askVolume"]) == asks[0]


def calls(exchange: Any) -> Iterator[Awaitable[Any]]:
    yield exchange.watch_tickers([BTC])
    yield exchange.watch_tickers([BTC], {"name": "ticker"})
    yield exchange.watch_tickers()


async def test_tickers_of_one_and_of_all(exchange: Any, market: GeneratedMarket) -> None:
    day = ticker(market, BTC, NOW_MS)

    for call in calls(exchange):
        seen = (await soon(call))[BTC]
        assert (seen["last"], seen["open"]) == (day.price_last, day.price_open)
        assert (seen["high"], seen["low"]) == (day.price_high, day.price_low)
        assert seen["baseVolume"] == day.volume
        assert seen["quoteVolume"] == pytest.approx(day.quote_volume)
    assert (await soon(exchange.watch_ticker(BTC)))["last"] == day.price_last


async def test_unwatching_ends_a_stream(exchange: Any, server: SandboxServer) -> None:
    await soon(exchange.watch_ohlcv(BTC, "1m"))
    await soon(exchange.un_watch_ohlcv(BTC, "1m"))
    (socket,) = server._pusher.sockets

    assert socket.subscriptions == {}
