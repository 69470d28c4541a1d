"""Refusals, limits and spoiled answers as they arrive over HTTP."""

import asyncio

import aiohttp
import pytest

from daemon.simulation.faults import Body, ClockSkew, Effect, Fault, FaultPlan, LostReply, Status
from daemon.simulation.faults import Timeout as LateAnswer
from daemon.simulation.server.app import SandboxServer
from daemon.simulation.server.client import SandboxAddress
from daemon.simulation.server.limits import REFUSALS_BEFORE_BAN
from tests.simulation.server.conftest import NOW_MS, Get


def a_plan(effect: Effect, path: str = "/api/v3/time") -> FaultPlan:
    return FaultPlan(faults=(Fault(effect=effect, path=path),))


async def test_an_error_has_binance_s_body(get: Get) -> None:
    response = await get("klines", symbol="NOPEUSDT", interval="1m")

    assert response.status == 400
    assert await response.json() == {"code": -1121, "msg": "Invalid symbol."}


async def test_what_the_sandbox_lacks_is_refused_by_name(
    session: aiohttp.ClientSession, address: SandboxAddress, server: SandboxServer
) -> None:
    async with session.post(f"{address.rest_url}/order") as response:
        body = await response.json()

    assert response.status == 404
    assert body["code"] == -1020
    assert "POST /api/v3/order" in body["msg"]
    assert server.counters.requests == {"(other)": 1}


async def test_each_answer_tells_the_weight_used(get: Get) -> None:
    await get("exchangeInfo")
    response = await get("klines", symbol="BTCUSDT", interval="1m")

    assert response.headers["X-MBX-USED-WEIGHT-1M"] == "22"


async def test_over_the_limit_comes_429_and_then_a_ban(get: Get, server: SandboxServer) -> None:
    server._public._budget.weight_max = 5
    assert (await get("depth", symbol="BTCUSDT")).status == 200

    refused = await get("ping")
    for _ in range(REFUSALS_BEFORE_BAN - 1):
        assert (await get("ping")).status == 429
    banned = await get("ping")

    assert refused.status == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert (await refused.json())["code"] == -1003
    assert banned.status == 418
    assert int(banned.headers["Retry-After"]) == 120
    assert "banned until" in (await banned.json())["msg"]
    assert server.counters.requests_refused == REFUSALS_BEFORE_BAN + 1


@pytest.mark.parametrize(
    ("status", "code"), [(429, -1003), (418, -1003), (503, -1000), (504, -1007)]
)
async def test_a_planned_status(get: Get, server: SandboxServer, status: int, code: int) -> None:
    server.faults = a_plan(Status(status=status, retry_after_s=2.5))

    response = await get("time")

    assert response.status == status
    assert response.headers["Retry-After"] == "3"
    assert (await response.json())["code"] == code
    assert server.counters.faults == {"status": 1}


@pytest.mark.parametrize(
    ("body", "text"),
    [(Body.HTML, "<html>"), (Body.EMPTY, ""), (Body.TRUNCATED, '{"serverTime')],
)
async def test_a_planned_body(get: Get, server: SandboxServer, body: Body, text: str) -> None:
    server.faults = a_plan(Status(status=200, body=body))

    response = await get("time")

    assert response.status == 200
    found = await response.text()
    assert found.startswith(text)
    assert not found.endswith("}")


async def test_a_fault_hits_its_path_alone_and_ends_with_its_plan(
    get: Get, server: SandboxServer
) -> None:
    server.faults = a_plan(Status(status=500))
    spared = await get("ping")
    hit = await get("time")
    server.faults = FaultPlan()
    healed = await get("time")

    assert [spared.status, hit.status, healed.status] == [200, 500, 200]


async def test_a_lost_reply_cuts_the_line_after_the_request_was_weighed(
    get: Get, server: SandboxServer
) -> None:
    server.faults = a_plan(LostReply())

    with pytest.raises(aiohttp.ClientError):
        await get("time")

    server.faults = FaultPlan()
    # aiohttp's client repeats a GET by itself when a kept-alive line is cut.
    used = int((await get("ping")).headers["X-MBX-USED-WEIGHT-1M"])
    assert used == server.counters.requests["/api/v3/time"] + 1


async def test_a_late_answer_comes_late(get: Get, server: SandboxServer) -> None:
    server.faults = a_plan(LateAnswer(delay_s=0.05))
    loop = asyncio.get_running_loop()

    asked_s = loop.time()
    response = await get("time")

    assert response.status == 200
    assert loop.time() - asked_s >= 0.05


async def test_an_answer_that_never_comes_does_not_hold_up_the_stop(
    get: Get, server: SandboxServer
) -> None:
    server.faults = a_plan(LateAnswer(delay_s=3600.0))

    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await get("time")
        await server.stop()


async def test_a_skewed_clock_tells_the_wrong_time_and_nothing_else(
    get: Get, server: SandboxServer, session: aiohttp.ClientSession, address: SandboxAddress
) -> None:
    server.faults = a_plan(ClockSkew(skew_ms=-5_000), path="*")

    told = (await (await get("time")).json())["serverTime"]
    async with session.get(f"{address.root_url}/sandbox/time") as response:
        truth = (await response.json())["market_time_ms"]

    assert (told, truth) == (NOW_MS - 5_000, NOW_MS)
