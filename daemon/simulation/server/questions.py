"""Reading a request's parameters the way Binance does, with its own errors for bad ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from daemon.core.candles import INTERVAL_MS
from daemon.simulation.market import Market
from daemon.simulation.server.errors import (
    illegal_characters,
    invalid_data,
    invalid_interval,
    invalid_symbol,
    missing_parameter,
    unexpected_combination,
)
from daemon.simulation.server.payloads import market_id
from daemon.simulation.server.scene import Scene

WHOLE_NUMBER = "^[0-9]{1,20}$"
SYMBOL_TEXT = "^[A-Z0-9-_.]{1,20}$"


def names_of(market: Market) -> dict[str, str]:
    """Return the symbols of a market by their exchange names: {"BTCUSDT": "BTC/USDT"}."""
    return {market_id(spec): symbol for symbol, spec in market.specs.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request: what is asked, by which parameters, of which scene.

    `names` are the market's symbols by exchange name.
    """

    scene: Scene
    names: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def market(self) -> Market:
        """The market as this request sees it."""
        return self.scene.market

    @property
    def name(self) -> str:
        """The mandatory `symbol`, as the exchange writes it. Raises ApiError."""
        return self.known_name(self.text("symbol"))

    @property
    def symbol(self) -> str:
        """The mandatory `symbol`, as the market writes it. Raises ApiError."""
        return self.names[self.name]

    @property
    def interval(self) -> str:
        """The mandatory `interval`. Raises ApiError."""
        interval = self.text("interval")
        if interval not in INTERVAL_MS:
            raise invalid_interval()
        return interval

    def text(self, parameter: str) -> str:
        """Return a mandatory parameter. Raises ApiError if it is missing or empty."""
        found = self.parameters.get(parameter, "")
        if not found:
            raise missing_parameter(parameter)
        return found

    def whole(self, parameter: str) -> int | None:
        """Return a whole number, None if it was not sent. Raises ApiError for anything else."""
        found = self.parameters.get(parameter)
        if found is None:
            return None
        if not re.fullmatch(WHOLE_NUMBER, found):
            raise illegal_characters(parameter, WHOLE_NUMBER)
        return int(found)

    def limit(self, usual: int, most: int) -> int:
        """Return `limit`, cut to `most`. Raises ApiError if it is zero or no number."""
        asked = self.whole("limit")
        if asked is None:
            return usual
        if asked == 0:
            raise invalid_data("limit")
        return min(asked, most)

    def chosen(self) -> list[str] | None:
        """Return the names in `symbol` or `symbols`, None if neither was sent. Raises ApiError."""
        has_one, has_many = "symbol" in self.parameters, "symbols" in self.parameters
        if has_one and has_many:
            raise unexpected_combination()
        if has_one:
            return [self.name]
        if has_many:
            return [self.known_name(name) for name in self._list("symbols")]
        return None

    def known_name(self, name: str) -> str:
        """Return `name` if the market has it. Raises ApiError otherwise."""
        if not re.fullmatch(SYMBOL_TEXT, name):
            raise illegal_characters("symbol", SYMBOL_TEXT)
        if name not in self.names:
            raise invalid_symbol()
        return name

    def _list(self, parameter: str) -> list[str]:
        try:
            found = orjson.loads(self.parameters[parameter])
        except orjson.JSONDecodeError:
            raise invalid_data(parameter) from None
        if not isinstance(found, list) or not found:
            raise invalid_data(parameter)
        if not all(isinstance(item, str) for item in found):
            raise invalid_data(parameter)
        return found
