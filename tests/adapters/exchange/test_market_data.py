"""Candles over REST by the real ccxt from the real sandbox, on good days and on bad ones."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from daemon.adapters.exchange import client
from daemon.adapters.exchange.market_data import CcxtMarketData, Patience
from daemon.core.candles import INTERVAL_MS, Candle
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TickdError,
    TransientError,
    UntrustedDataError,
)
from daemon.core.rules import Rules
from daemon.simulation.faults import (
    Body,
    ClockSkew,
    Effect,
    Fault,
    FaultPlan,
    LostReply,
    NotANumber,
    Status,
    Timeout,
)
from daemon.simulation.generator import GeneratedMarket
from daemon.simulation.market import KlineQuery, klines
from daemon.simulation.server.app import SandboxServer
from tests.adapters.exchange.conftest import NOW_MS, START_MS, Connect

BTC = "BTC/USDT"
KLINES = "/api/v3/klines"
CANARY = "cAnArYkEy0123456789abcdefghijklmnopqrstuvwxyz"


def expected(market: GeneratedMarket, **query: Any) -> list[Candle]:
    return klines(market, KlineQuery(**{"symbol": BTC, "interval": "1m", **query}), NOW_MS)


def a_plan(effect: Effect) -> FaultPlan:
    return FaultPlan(faults=(Fault(effect=effect),))


# -- Good days -------------------------------------------------------------------------------------


async def test_the_newest_candles_with_the_forming_one(
    data: CcxtMarketData, market: GeneratedMarket
) -> None:
    assert await data.candles(BTC, "1m", None, 6) == expected(market, limit=6)


async def test_candles_of_every_interval_since_a_moment(
    data: CcxtMarketData, market: GeneratedMarket
) -> None:
    for interval in INTERVAL_MS:
        rows = await data.candles(BTC, interval, START_MS, 4)

        assert rows == expected(market, interval=interval, start_ms=START_MS, limit=4)


async def test_an_interval_that_the_exchange_lacks_is_made_of_finer_ones(
    data: CcxtMarketData, market: GeneratedMarket
) -> None:
    offered = data._exchange.timeframes
    assert offered is not None
    data._exchange.timeframes = {name: offered[name] for name in ("1m", "5m", "1h")}

    newest = await data.candles(BTC, "15m", None, 5)
    since = await data.candles(BTC, "2h", START_MS, 3)

    for rows, told in (
        (newest, expected(market, interval="15m", limit=5)),
        (since, expected(market, interval="2h", start_ms=START_MS, limit=3)),
    ):
        assert [row[:5] for row in rows] == [row[:5] for row in told]
    assert data._base_of("15m") == "5m"
    assert data._base_of("3m") == "1m"


async def test_markets_cost_one_request_and_keep_only_ours(
    connect: Connect, server: SandboxServer
) -> None:
    data = await connect(BTC)

    await data.load_markets()
    await data.candles(BTC, "1m", None, 2)

    assert server.counters.requests == {"/api/v3/exchangeInfo": 1, KLINES: 1}
    assert list(data._exchange.__dict__["markets"]) == [BTC]


async def test_the_exchanges_time(data: CcxtMarketData, server: SandboxServer) -> None:
    assert await data.server_time_ms() == NOW_MS

    server.faults = a_plan(ClockSkew(skew_ms=5_000))
    assert await data.server_time_ms() == NOW_MS + 5_000


async def test_the_weight_that_the_exchange_counts_is_known(data: CcxtMarketData) -> None:
    await data.candles(BTC, "1m", None, 2)

    assert 0 < data.budget.used_share < 0.01


async def test_more_than_the_budget_waits_its_turn(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    """A hundred requests at once never take the exchange to its limit."""
    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(data.candles(BTC, "1m", None, 2))

    assert server.counters.requests[KLINES] == 100
    assert server.counters.requests_refused == 0


# -- What is refused -------------------------------------------------------------------------------


async def test_c2_an_unknown_symbol_is_named_with_those_that_are_near(connect: Connect) -> None:
    data = await connect(BTC, "BTC/USDC", "btc/usdt", "NOPE/XYZ")

    with pytest.raises(RejectedError) as raised:
        await data.load_markets()

    assert str(raised.value) == (
        "binance has no market 'BTC/USDC' (did you mean BTC/USDT?), "
        "'btc/usdt' (did you mean BTC/USDT or ETH/USDT?), 'NOPE/XYZ'"
    )


@pytest.mark.parametrize(
    ("symbol", "interval", "words"),
    [
        ("NOPE/USDT", "1m", "NOPE/USDT 1m candles: BadSymbol"),
        (BTC, "7m", "there is no interval '7m': use 1m, 3m"),
    ],
)
async def test_what_does_not_exist_is_rejected_without_a_request(
    data: CcxtMarketData, server: SandboxServer, symbol: str, interval: str, words: str
) -> None:
    with pytest.raises(RejectedError, match=words):
        await data.candles(symbol, interval, None, 2)

    assert server.counters.requests[KLINES] == 0


def test_c1_an_unknown_exchange_is_rejected() -> None:
    with pytest.raises(RejectedError, match="did you mean binance"):
        CcxtMarketData("binanse", [BTC], Rules())


# -- Bad days --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (Status(status=500), TransientError),
        (Status(status=502, body=Body.HTML), TransientError),
        (Status(status=503, body=Body.EMPTY), TransientError),
        (Status(status=504), TransientError),
        (LostReply(), TransientError),
        (Timeout(delay_s=30.0), TransientError),
        (Status(status=200, body=Body.TRUNCATED), UntrustedDataError),
        (Status(status=200, body=Body.HTML), UntrustedDataError),
        (Status(status=200, body=Body.EMPTY), UntrustedDataError),
        (NotANumber(), UntrustedDataError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value),
)
async def test_x8_a_bad_answer_is_asked_for_again_and_then_an_error_that_says_what_to_do(
    connect: Connect, server: SandboxServer, effect: Effect, kind: type[TickdError]
) -> None:
    data = await connect(answer_s=0.2)
    await data.load_markets()
    server.faults = a_plan(effect)

    with pytest.raises(kind) as raised:
        await data.candles(BTC, "1m", None, 5)

    assert type(raised.value) is kind
    assert str(raised.value).startswith("BTC/USDT 1m candles: ")
    assert len(str(raised.value).splitlines()) == 1
    assert server.counters.requests[KLINES] >= 3  # aiohttp repeats a cut request by itself
    server.faults = FaultPlan()
    assert len(await data.candles(BTC, "1m", None, 5)) == 5


@pytest.mark.parametrize("status", [429, 418])
async def test_x7_retry_after_is_honoured_by_all_and_nobody_asks_before(
    data: CcxtMarketData, server: SandboxServer, status: int
) -> None:
    server.faults = a_plan(Status(status=status, retry_after_s=77))
    with pytest.raises(RateLimitedError) as raised:
        await data.candles(BTC, "1m", None, 5)
    assert raised.value.retry_after_s == pytest.approx(77, abs=2)

    server.faults = FaultPlan()
    for _ in range(3):
        with pytest.raises(RateLimitedError):
            await data.candles("ETH/USDT", "1m", None, 5)
        with pytest.raises(RateLimitedError):
            await data.server_time_ms()

    assert sum(server.counters.requests.values()) == 2  # the markets, and the one that was refused
    assert data.budget.refusals == 1


@pytest.mark.parametrize(
    "effect",
    [
        Status(status=503),
        Status(status=200, body=Body.TRUNCATED),
        Status(status=200, body=Body.EMPTY),
        Status(status=200, body=Body.HTML),
    ],
    ids=repr,
)
async def test_x8_markets_and_time_that_cannot_be_read_are_a_trouble_that_passes(
    connect: Connect, server: SandboxServer, effect: Effect
) -> None:
    data = await connect()
    server.faults = a_plan(effect)

    with pytest.raises(TransientError):
        await data.load_markets()
    with pytest.raises(TransientError):
        await data.server_time_ms()

    server.faults = FaultPlan()
    await data.load_markets()
    assert await data.server_time_ms() == NOW_MS


async def test_p23_reaching_an_exchange_that_is_down_tells_after_one_try(
    connect: Connect, server: SandboxServer
) -> None:
    rules = Rules(get_candles_retry_count=3, get_candles_retry_delay_ms=3_600_000)
    data = await connect(rules=rules)
    server.faults = a_plan(Status(status=503))

    with pytest.raises(TransientError):
        await data.reach()

    server.faults = FaultPlan()
    await data.reach()
    assert len(await data.candles(BTC, "1m", None, 5)) == 5


async def test_an_exchange_that_is_down_is_a_trouble_that_passes(
    data: CcxtMarketData, server: SandboxServer
) -> None:
    await server.stop()

    with pytest.raises(TransientError):
        await data.candles(BTC, "1m", None, 5)
    with pytest.raises(TransientError):
        await data.load_markets()
    with pytest.raises(TransientError):
        await data.server_time_ms()


async def test_x16_an_answer_without_end_is_given_up(
    data: CcxtMarketData, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RESPONSE_BYTES_MAX", 200)

    with pytest.raises(UntrustedDataError, match="larger than 200 bytes"):
        await data.candles(BTC, "1m", None, 50)


# -- Secrets ---------------------------------------------------------------------------------------


async def answer_with_the_key(request: web.Request) -> web.Response:
    """Say the client's key back to it, as proxies and debug pages do."""
    key = request.headers.get("X-MBX-APIKEY", CANARY)
    body = {"code": -2014, "msg": f"the key {key} is bad; signature={key}"}
    return web.json_response(body, status=int(request.match_info["status"]))


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 503])
async def test_q2_a_key_that_the_exchange_says_back_shows_nowhere(
    connect: Connect, status: int
) -> None:
    application = web.Application()
    application.router.add_get("/{status}/{path:.*}", answer_with_the_key)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/{status}"
    data = await connect(apiKey=CANARY, secret=CANARY[::-1], urls={"api": {"public": url}})

    shown = [repr(data), str(data), repr(data.budget), repr(data._exchange)]
    for ask in (data.load_markets, data.server_time_ms):
        with pytest.raises(TickdError) as raised:
            await ask()
        shown += [str(raised.value), repr(raised.value), str(raised.value.args)]
    await runner.cleanup()

    for text in shown:
        assert CANARY[:10] not in text
        assert CANARY[::-1][:10] not in text


# -- The end ---------------------------------------------------------------------------------------


async def test_closing_leaves_no_task_and_no_session(connect: Connect) -> None:
    data = await connect()
    before = asyncio.all_tasks()
    await data.load_markets()
    updates = data.watch([BTC])
    await anext(updates)
    session = data._exchange.session

    await data.close()
    with pytest.raises(TransientError):
        await anext(updates)
    await data.close()

    assert session.closed
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - before == set()


async def test_a_client_that_never_connected_can_be_closed() -> None:
    data = await asyncio.to_thread(
        CcxtMarketData, "binance", [BTC], Rules(), dict[str, Any](), Patience()
    )

    await data.close()
    await data.close()


async def test_an_exchange_without_a_clock_says_so() -> None:
    data = await asyncio.to_thread(CcxtMarketData, "zaif", [BTC], Rules())

    with pytest.raises(RejectedError, match="zaif does not tell its time"):
        await data.server_time_ms()
    await data.close()
