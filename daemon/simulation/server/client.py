"""How a client finds the sandbox: the overrides that turn ccxt's Binance client to it."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from daemon.core.errors import FatalError
from daemon.simulation.clock import SandboxClock

ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class SandboxAddress:
    """Where a running sandbox listens: `rest_url` ends in /api/v3, `ws_url` in /stream/ws."""

    rest_url: str
    ws_url: str
    port: int

    @property
    def root_url(self) -> str:
        """The server's root, below which `/sandbox/time` and `/sandbox/requests` lie."""
        return self.rest_url.removesuffix("/api/v3")


def address_of(host: str, port: int) -> SandboxAddress:
    """Return the address of a sandbox on `host` and `port`."""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return SandboxAddress(f"http://{place}/api/v3", f"ws://{place}/stream/ws", port)


def parse_address(url: str) -> SandboxAddress:
    """Return the address of the sandbox at `url`, as in "http://127.0.0.1:8090".

    Raises ValueError for what names no host and port.
    """
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise ValueError(f"{url!r} names no host and port")
    return address_of(parts.hostname, parts.port)


async def ask_clock(address: SandboxAddress) -> SandboxClock:
    """Return a clock that goes with that of a running sandbox.

    Half of the time that the question took is taken for the way back. Raises FatalError where no
    sandbox answers.
    """
    loop = asyncio.get_running_loop()
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            asked_s = loop.time()
            async with session.get(f"{address.root_url}/sandbox/time") as answer:
                answered_s = loop.time()
                told = await answer.json()
        speed = float(told["speed"])
        back_ms = (answered_s - asked_s) / 2 * speed * 1000
        return SandboxClock(int(told["market_time_ms"] + back_ms), speed, loop.time)
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"sandbox.url: no sandbox answers at {address.root_url}: start one with"
            " `tickd sandbox --port PORT`, or remove the setting for an embedded one"
        ) from error


def ccxt_options(address: SandboxAddress) -> dict[str, Any]:
    """Return constructor arguments for `ccxt.async_support.binance` and `ccxt.pro.binance`.

    No request leaves for the real exchange: every base URL that spot trading uses is here, and
    the loading of markets asks for spot alone.
    """
    return {
        "urls": {
            "api": {
                "public": address.rest_url,
                "private": address.rest_url,
                "v1": f"{address.root_url}/api/v1",
                "sapi": f"{address.root_url}/sapi/v1",
                "ws": {
                    "spot": address.ws_url,
                    "ws-api": {"spot": f"ws{address.root_url.removeprefix('http')}/ws-api/v3"},
                },
            }
        },
        "options": {
            "defaultType": "spot",
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
        },
    }
