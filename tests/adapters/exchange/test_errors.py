"""Errors say what the caller should do, and never what nobody may know."""

from importlib import import_module

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.exchange.budget import WeightBudget
from daemon.adapters.exchange.errors import Translator, words_of
from daemon.core.errors import (
    RateLimitedError,
    RejectedError,
    StateLockedError,
    TickdError,
    TransientError,
    UntrustedDataError,
)
from daemon.core.redaction import Redactor
from daemon.simulation.loop import run_virtual

ccxt = import_module("ccxt.base.errors")
KEY = "cAnArYkEy0123456789abcdefghijklmnopqrstuvwxyz"


def translated(error: BaseException) -> TickdError:
    async def main() -> TickdError:
        return Translator(WeightBudget(100.0), Redactor([KEY])).translate("asking", error)

    return run_virtual(main())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ccxt.RequestTimeout("slow"), TransientError),
        (ccxt.NetworkError("cut"), TransientError),
        (ccxt.ExchangeNotAvailable("503"), TransientError),
        (ccxt.OnMaintenance("soon"), TransientError),
        (ccxt.OperationFailed("-1000"), TransientError),
        (ccxt.InvalidNonce("-1021"), TransientError),
        (ccxt.ExchangeError("unheard of"), TransientError),
        (ccxt.DDoSProtection("418"), RateLimitedError),
        (ccxt.RateLimitExceeded("429"), RateLimitedError),
        (ccxt.BadSymbol("no such market"), RejectedError),
        (ccxt.BadRequest("-1100"), RejectedError),
        (ccxt.AuthenticationError("-2014"), RejectedError),
        (ccxt.PermissionDenied("no"), RejectedError),
        (ccxt.NotSupported("no candles"), RejectedError),
        (ccxt.BadResponse("<html>"), UntrustedDataError),
        (ccxt.NullResponse("empty"), UntrustedDataError),
        (KeyError("symbols"), UntrustedDataError),
        (TypeError("NoneType"), UntrustedDataError),
        (aiohttp.ClientPayloadError("cut off"), UntrustedDataError),
        (ConnectionResetError("reset"), TransientError),
        (TimeoutError(), TransientError),
        (aiohttp.ServerDisconnectedError(), TransientError),
    ],
)
def test_x8_each_error_becomes_what_the_caller_should_do(
    error: Exception, kind: type[TickdError]
) -> None:
    told = translated(error)

    assert type(told) is kind
    assert str(told).startswith(f"asking: {type(error).__name__}")


def test_only_our_own_errors_come_out_of_the_door_and_the_cause_is_kept() -> None:
    async def main() -> None:
        translator = Translator(WeightBudget(100.0), Redactor())
        cause = ccxt.NetworkError("cut")
        with pytest.raises(TransientError) as raised, translator.door("asking"):
            raise cause
        assert raised.value.__cause__ is cause
        with pytest.raises(StateLockedError), translator.door("asking"):
            raise StateLockedError("ours stays what it is")

    run_virtual(main())


def test_x7_a_busy_exchange_names_the_time_that_the_budget_knows() -> None:
    async def main() -> None:
        budget = WeightBudget(100.0)
        translator = Translator(budget, Redactor())
        unknown = translator.translate("asking", ccxt.DDoSProtection("429"))
        budget.told(429, {"Retry-After": "90"})
        known = translator.translate("asking", ccxt.DDoSProtection("429"))
        assert isinstance(unknown, RateLimitedError)
        assert isinstance(known, RateLimitedError)
        assert unknown.retry_after_s == pytest.approx(30)
        assert known.retry_after_s == pytest.approx(90)

    run_virtual(main())


@pytest.mark.parametrize(
    "text",
    [
        f"binance GET https://api.example.com/api/v3/account?timestamp=1&signature={KEY}",
        f"wss://example.com/ws?listenKey={KEY} closed",
        f'{{"code":-2014,"msg":"API-key {KEY} is bad"}}',
        f"headers: X-MBX-APIKEY: {KEY}",
        f"apiKey={KEY}",
        f"secret: '{KEY}'",
        "x" * 280 + KEY,
    ],
)
def test_q2_a_key_shows_in_no_error(text: str) -> None:
    told = translated(ccxt.NetworkError(text))

    for shown in (str(told), repr(told), str(told.args)):
        assert KEY not in shown
        assert KEY[:8] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "binance GET https://api.example.com/v3/order?symbol=A&signature=0123456789abcdef",
        "https://example.com/x?a=1&signature=0123456789abcdef HTTP 500",
        "signature=0123456789abcdef was refused",
        "signature: 0123456789abcdef",
    ],
)
def test_q2_a_signature_that_nobody_configured_is_taken_out_too(text: str) -> None:
    words = words_of(ccxt.ExchangeNotAvailable(text))

    assert "0123456789abcdef" not in words
    assert words.startswith("ExchangeNotAvailable: ")


def test_x15_why_the_network_failed_is_told_although_ccxt_names_the_address_alone() -> None:
    error = ccxt.ExchangeNotAvailable("binance GET https://a.example/b?c=1")
    error.__cause__ = ConnectionRefusedError(111, f"Connect call failed for {KEY}")

    assert str(translated(error)) == (
        "asking: ExchangeNotAvailable: binance GET https://a.example/b "
        "(ConnectionRefusedError: [Errno 111] Connect call failed for [redacted])"
    )


@given(st.text())
def test_words_are_one_short_line(text: str) -> None:
    words = words_of(ValueError(text))

    assert len(words.splitlines()) <= 1
    assert len(words) <= 320
    assert words.startswith("ValueError")
