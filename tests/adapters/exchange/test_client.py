"""One ccxt exchange object: it asks for little, waits for the budget, and takes no bombs."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.exchange import client
from daemon.adapters.exchange.budget import Lane, WeightBudget
from daemon.adapters.exchange.client import (
    CREDENTIALS,
    CappedResponse,
    Exchange,
    close_quietly,
    make_budget,
    make_exchange,
    merged,
    open_session,
    secrets_of,
    spend_from,
)
from daemon.core.errors import RateLimitedError, RejectedError
from daemon.simulation.loop import run_virtual
from daemon.simulation.server.client import SandboxAddress, ccxt_options

NAMES = st.sampled_from(["urls", "api", "ws", "options"])
TREES = st.recursive(st.integers(), lambda inner: st.dictionaries(NAMES, inner), max_leaves=5)
SETTINGS = st.dictionaries(NAMES, TREES)


def made(overrides: Mapping[str, Any] | None = None) -> Exchange:
    return make_exchange("binance", overrides or {}, timeout_s=3.0, ping_interval_s=4.0)


@given(SETTINGS, SETTINGS)
def test_what_is_laid_over_wins_and_the_rest_stays(
    usual: dict[str, Any], over: dict[str, Any]
) -> None:
    together = merged(usual, over)

    assert set(together) == set(usual) | set(over)
    for name, value in together.items():
        before, after = usual.get(name), over.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            assert value == merged(before, after)
        else:
            assert value == (over[name] if name in over else usual[name])
    assert merged(usual, {}) == usual


def test_spot_alone_is_asked_for_and_no_call_that_needs_a_key() -> None:
    exchange = made()

    assert exchange.options["fetchMarkets"]["types"] == ["spot"]
    assert exchange.options["fetchCurrencies"] is False
    assert exchange.options["fetchMargins"] is False
    assert exchange.options["defaultType"] == "spot"


def test_times_are_handed_on_in_ccxts_units_and_a_persons_settings_win() -> None:
    exchange = made({"timeout": 7_000, "options": {"defaultType": "swap"}})

    assert made().__dict__["timeout"] == 3_000
    assert exchange.__dict__["timeout"] == 7_000
    assert exchange.options["defaultType"] == "swap"
    assert exchange.options["fetchMargins"] is False
    assert exchange.__dict__["streaming"]["keepAlive"] == 4_000


def test_x15_certificates_are_checked_unless_a_person_forbids_it() -> None:
    context = made().__dict__["ssl_context"]

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert made({"verify": False}).__dict__["ssl_context"] is False


def test_the_budget_is_counted_in_the_exchanges_own_units() -> None:
    async def main() -> float:
        budget = make_budget(made())
        await budget.take(0.8 * 1_200 / 2)  # binance: 50 ms a request, so 1200 a minute
        await budget.take(1.0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == pytest.approx(60 / (0.8 * 1_200 / 2))


def test_an_exchange_without_a_limit_has_a_careful_one() -> None:
    exchange = made()
    exchange.rateLimit = None

    async def main() -> float:
        budget = make_budget(exchange)
        for _ in range(25):
            await budget.take(1.0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) > 0


def test_every_request_waits_for_the_budget_and_every_answer_is_told_to_it() -> None:
    async def main() -> None:
        exchange = made()
        budget = WeightBudget(6_000.0)
        spend_from(budget, exchange, Lane.MARKET_DATA)
        headers = {"X-MBX-USED-WEIGHT-1M": "3000", "X-Other": "nonsense"}

        assert exchange.on_rest_response(200, "OK", "u", "GET", headers, " {} ", {}, None) == "{}"
        assert budget.used_share == 0.5
        await exchange.throttle(None)
        exchange.on_rest_response(429, "Slow", "u", "GET", {"Retry-After": "9"}, "", {}, None)
        with pytest.raises(RateLimitedError):
            await exchange.throttle(1.0)

    run_virtual(main())


def test_x8_an_empty_answer_is_not_taken_for_an_empty_list() -> None:
    exchange = made()
    spend_from(WeightBudget(6_000.0), exchange, Lane.MARKET_DATA)

    with pytest.raises(aiohttp.ClientPayloadError, match="empty"):
        exchange.on_rest_response(200, "OK", "u", "GET", {}, " \n", {}, None)


def test_c1_an_unknown_exchange_is_rejected() -> None:
    with pytest.raises(RejectedError):
        make_exchange("nowhere", {}, timeout_s=1.0, ping_interval_s=1.0)


def test_q2_every_credential_that_ccxt_knows_is_a_secret() -> None:
    known = set(made().__dict__.get("requiredCredentials") or {}) or {"apiKey", "secret"}
    told = secrets_of({name: f"value of {name}" for name in (*CREDENTIALS, "timeout")})

    assert {"apiKey", "secret"} <= known
    assert set(told) == {f"value of {name}" for name in CREDENTIALS}
    assert secrets_of({"apiKey": "", "secret": None}) == []


# -- Answers that are too large --------------------------------------------------------------------


async def page(request: web.Request) -> web.Response:
    """Answer with as many spaces as the path says, packed small."""
    body = gzip.compress(b" " * int(request.match_info["size"]))
    return web.Response(body=body, headers={"Content-Encoding": "gzip"})


@pytest.fixture
async def bomber() -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/{size}", page)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_x8_a_packed_bomb_ends_at_the_limit(
    bomber: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RESPONSE_BYTES_MAX", 100_000)

    async with aiohttp.ClientSession(response_class=CappedResponse) as session:
        async with session.get(f"{bomber}/100000") as response:
            assert len(await response.text()) == 100_000
            assert len(await response.read()) == 100_000
        async with session.get(f"{bomber}/5000000") as response:
            with pytest.raises(aiohttp.ClientPayloadError, match="larger than 100000 bytes"):
                await response.text()
        async with session.get(f"{bomber}/10") as response:
            assert await response.text() == " " * 10


async def test_a_session_is_opened_once_and_caps_answers(address: SandboxAddress) -> None:
    exchange = await asyncio.to_thread(made, ccxt_options(address))

    open_session(exchange)
    session = exchange.session
    open_session(exchange)

    assert exchange.session is session
    assert session._response_class is CappedResponse
    await exchange.close()
    assert not session.closed, "it is ours to close"
    await session.close()


def test_a_dead_peer_does_not_hold_up_the_closing() -> None:
    async def main() -> float:
        await close_quietly(asyncio.sleep(3_600), 3.0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 3.0
