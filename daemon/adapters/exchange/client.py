"""One ccxt exchange object, set up to ask for little, wait for the budget and take no bombs."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
import certifi

from daemon.adapters.exchange.budget import Lane, WeightBudget
from daemon.adapters.exchange.loading import load_exchange_class

MILLISECONDS_PER_MINUTE = 60_000.0
RATE_LIMIT_USUAL_MS = 1_000.0
CANDLES_CACHED = 60
RESPONSE_BYTES_MAX = 64 * 1024 * 1024
"""More than any list of markets (some 20 MiB); a compressed bomb ends here."""

USED_WEIGHT_HEADERS = {"x-mbx-used-weight-1m": 6_000.0}
"""Where exchanges tell the weight that they have counted, and how much a minute allows."""

CREDENTIALS = ("apiKey", "secret", "password", "privateKey", "token", "twofa", "uid", "login")
"""Settings of ccxt's that must never be seen."""

Settings = Mapping[str, Any]


class Line(Protocol):
    """What is used of a ccxt WebSocket client."""

    is_given_up: bool  # ours
    resolve: Callable[[object, object], object]
    handle_message: Callable[[object], None]
    on_connected_callback: Callable[[object], None]
    on_error: Callable[[BaseException], None]
    future: Callable[[str], asyncio.Future[object]]


Cache = Sequence[Sequence[object]]
"""The candles that ccxt keeps of a stream, oldest first. It goes on changing them."""


class Exchange(Protocol):
    """What is used of a ccxt exchange."""

    id: str
    has: Mapping[str, Any]
    options: dict[str, Any]
    timeframes: Mapping[str, str] | None
    clients: dict[str, Line]
    ohlcvs: dict[str, dict[str, Cache]]
    session: Any
    ping: Any
    rateLimit: float | None  # noqa: N815  # ccxt's name
    throttle: Callable[[float | None], Awaitable[None]]
    on_rest_response: Callable[..., str]
    client: Callable[[str], Line]

    async def fetch_markets(self) -> Sequence[Mapping[str, Any]]: ...
    def set_markets(self, markets: Sequence[Mapping[str, Any]]) -> object: ...
    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> object: ...
    async def fetch_time(self) -> object: ...
    async def watch_ohlcv(self, symbol: str, timeframe: str) -> object: ...
    async def watch_ohlcv_for_symbols(self, wanted: Sequence[Sequence[str]]) -> object: ...
    def ws_dial_delay(self, url: str) -> float: ...
    async def close_ws_clients(self) -> None: ...
    async def close(self) -> None: ...


class CappedResponse(aiohttp.ClientResponse):
    """A response that is given up once it is larger than any honest one."""

    async def read(self) -> bytes:
        if self._body is None:
            is_whole = False
            try:
                self._body = await self._read_up_to(RESPONSE_BYTES_MAX)
                is_whole = True
            finally:
                if not is_whole:
                    self.close()
        return await super().read()

    async def _read_up_to(self, bytes_max: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.content.iter_any():
            size += len(chunk)
            if size > bytes_max:
                raise aiohttp.ClientPayloadError(f"the answer is larger than {bytes_max} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


def make_exchange(
    exchange_id: str, overrides: Settings, *, timeout_s: float, ping_interval_s: float
) -> Exchange:
    """Return ccxt's object for the exchange. Reads files: call it before the loop runs.

    `overrides` are ccxt's own settings, laid over ours. Raises RejectedError for an unknown id.
    """
    usual: Settings = {
        "timeout": int(timeout_s * 1000),
        "enableRateLimit": True,  # asks `throttle`, which is the budget's
        "session": None,  # ours, see `open_session`
        "timeout_on_exit": 0,  # a pause for ccxt's own session
        "options": {
            "defaultType": "spot",
            "fetchCurrencies": False,
            "fetchMargins": False,
            "OHLCVLimit": CANDLES_CACHED,
        },
    }
    settings = {**merged(usual, overrides), "ssl_context": _ssl_context(overrides)}
    exchange: Exchange = load_exchange_class(exchange_id)(settings)
    if exchange.ping is None:
        # Dead lines show by two missed pongs. Exchanges with a ping of their own set its pace.
        exchange.__dict__["streaming"] = {
            "maxPingPongMisses": 2,
            "keepAlive": ping_interval_s * 1000,
        }
    _ask_for_spot_alone(exchange)
    return exchange


def merged(usual: Settings, over: Settings) -> dict[str, Any]:
    """Return `usual` with `over` laid over it, mappings deeply."""
    together = dict(usual)
    for name, value in over.items():
        before = together.get(name)
        is_deep = isinstance(before, Mapping) and isinstance(value, Mapping)
        together[name] = merged(before, value) if is_deep else value  # type: ignore[arg-type]  # is_deep
    return together


def secrets_of(overrides: Settings) -> list[str]:
    """Return every credential among the settings, for a redactor alone."""
    return [str(overrides[name]) for name in CREDENTIALS if overrides.get(name)]


def make_budget(exchange: Exchange) -> WeightBudget:
    """Return a budget in the units in which ccxt counts the costs of this exchange's requests."""
    rate_limit_ms = exchange.rateLimit or RATE_LIMIT_USUAL_MS
    return WeightBudget(MILLISECONDS_PER_MINUTE / rate_limit_ms)


def spend_from(budget: WeightBudget, exchange: Exchange, lane: Lane) -> None:
    """Let every request of `exchange` wait for `budget` and tell it of each answer.

    ccxt's own limiter would send the next request into a 429's waiting time, and put an order
    behind fifty candles.
    """
    told = exchange.on_rest_response

    async def throttle(cost: float | None = None) -> None:
        await budget.take(1.0 if cost is None else cost, lane)

    def on_rest_response(status: int, *rest: Any) -> str:  # noqa: ANN401  # as ccxt has it
        _reason, _url, _method, headers, body, *_request = rest
        budget.told(status, headers)
        for name, value in headers.items():
            limit = USED_WEIGHT_HEADERS.get(name.lower())
            if limit is not None and value.isdigit():
                budget.told_used(float(value), limit)
        if status == HTTPStatus.OK and not body.strip():
            # ccxt would make an empty list of it, as if there were no candles.
            raise aiohttp.ClientPayloadError("the answer is empty")
        return told(status, *rest)

    exchange.throttle = throttle
    exchange.on_rest_response = on_rest_response


def open_session(exchange: Exchange) -> None:
    """Give `exchange` a session that caps answers. Call it on the loop; ccxt never closes it."""
    if exchange.session is None:
        context = exchange.__dict__["ssl_context"]
        exchange.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            response_class=CappedResponse,
            trust_env=bool(exchange.__dict__.get("aiohttp_trust_env", False)),
        )


async def close_quietly(closing: Awaitable[None], timeout_s: float) -> None:
    """Close something, but do not wait longer for a dead peer than `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            await closing
    except TimeoutError:
        return


def _ssl_context(overrides: Settings) -> ssl.SSLContext | bool:
    if overrides.get("verify") is False:
        return False
    return ssl.create_default_context(cafile=overrides.get("cafile", certifi.where()))


def _ask_for_spot_alone(exchange: Exchange) -> None:
    """Keep markets that nobody here trades, and hosts that may be down, out of the list."""
    wanted = exchange.options.get("fetchMarkets")
    if not isinstance(wanted, dict):
        return
    types = wanted.get("types")
    if isinstance(types, list) and "spot" in types:
        exchange.options["fetchMarkets"] = {**wanted, "types": ["spot"]}
