"""Turns whatever ccxt raises into our errors, by what was seen to come of it.

Only reading is dealt with here: nothing that is asked again can do harm. An order's error says
too little about whether the order was carried out, and must never pass through this table.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

import aiohttp

from daemon.adapters.exchange.budget import WeightBudget
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    TickdError,
    TransientError,
    UntrustedDataError,
)
from daemon.core.redaction import Redactor

TEXT_LENGTH_MAX = 300
WAIT_USUAL_S = 30.0

# What a broken answer makes ccxt's parsers raise, outside its own hierarchy.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    aiohttp.ClientPayloadError,
)
UNREACHABLE = (OSError, TimeoutError, aiohttp.ClientError)

_REFUSED = (
    "ArgumentsRequired",
    "AuthenticationError",
    "BadRequest",
    "InvalidProxySettings",
    "MarketClosed",
    "RestrictedLocation",
    "NotSupported",
)
_BUSY = ("DDoSProtection", "RateLimitExceeded")
_BROKEN = ("BadResponse", "NullResponse")


class Translator:
    """Knows ccxt's error classes; made once ccxt has been loaded.

    An exchange may say our key back to us, and ccxt repeats what it says: `redactor` knows it.
    """

    def __init__(self, budget: WeightBudget, redactor: Redactor) -> None:
        module = import_module("ccxt.base.errors")
        self._budget = budget
        self._redactor = redactor
        self._foreign: tuple[type[Exception], ...] = (
            *_classes(module, ("BaseError",)),
            *UNREADABLE,
            *UNREACHABLE,
        )
        self._refused = _classes(module, _REFUSED)
        self._busy = _classes(module, _BUSY)
        self._broken = _classes(module, _BROKEN)

    @contextmanager
    def door(self, doing: str) -> Iterator[None]:
        """Let nothing but our own errors out of the block; `doing` begins their text."""
        try:
            yield
        except TickdError:
            raise
        except self._foreign as error:
            raise self.translate(doing, error) from error

    def translate(self, doing: str, error: BaseException) -> TickdError:
        """Return our error for what ccxt raised while `doing` something."""
        text = self._redactor.redact(f"{doing}: {words_of(error)}")
        if isinstance(error, self._busy):
            return RateLimitedError(text, self._budget.quiet_s() or WAIT_USUAL_S)
        if isinstance(error, self._refused):
            return RejectedError(text)
        unreadable = (*self._broken, *UNREADABLE)
        if isinstance(error, unreadable) or isinstance(error.__cause__, unreadable):
            return UntrustedDataError(text)
        return TransientError(text)


def words_of(error: BaseException) -> str:
    """Return an error's class and text on one line, without the parts that may carry keys.

    ccxt only names the address where the network fails: why it failed stands in the cause.
    """
    words = _own_words_of(error)
    return f"{words} ({_own_words_of(error.__cause__)})" if error.__cause__ else words


def _own_words_of(error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = re.sub(r"((?:http|ws)s?://[^\s?'\"]*)\?[^\s'\"]*", r"\1", text)
    text = re.sub(r"(?i)\b(signature|api_?key|secret|token)(\W{1,4})[\w%+/=-]{6,}", r"\1\2…", text)
    return f"{type(error).__name__}: {text[:TEXT_LENGTH_MAX]}" if text else type(error).__name__


def _classes(module: ModuleType, names: tuple[str, ...]) -> tuple[type[Exception], ...]:
    return tuple(getattr(module, name) for name in names)
