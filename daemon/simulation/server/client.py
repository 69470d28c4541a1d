"""How a client finds the sandbox: the overrides that turn ccxt's Binance client to it."""

from dataclasses import dataclass
from typing import Any


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
