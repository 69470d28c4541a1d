"""One exchange of ccxt is loaded without the others, and the whole is there if asked for."""

import subprocess
import sys

import pytest

from daemon.adapters.exchange.loading import exchange_ids, load_exchange_class
from daemon.core.errors import RejectedError


def run(code: str) -> list[str]:
    """Run `code` in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


LOADING = """
import sys
from daemon.adapters.exchange.loading import load_exchange_class
made = load_exchange_class("binance")
"""


def test_one_exchange_is_loaded_alone_and_the_streaming_one() -> None:
    loaded = run(
        LOADING
        + """
print(made.__module__)
print(*sorted(name for name in sys.modules if name.startswith("ccxt.") and "kraken" in name))
"""
    )

    assert loaded == ["ccxt.pro.binance", ""]


def test_all_of_ccxt_can_still_be_imported_afterwards() -> None:
    loaded = run(
        LOADING
        + """
import ccxt.pro, ccxt.async_support
print(ccxt.pro.kraken.__module__, ccxt.async_support.kraken.__module__)
print(ccxt.pro.binance is made, issubclass(made, ccxt.async_support.binance))
print(ccxt.NetworkError is ccxt.base.errors.NetworkError, len(ccxt.exchanges) > 100)
print(ccxt.async_support.Exchange.__module__)
try:
    ccxt.pro.nothing_like_that
except AttributeError as error:
    print(error)
"""
    )

    assert loaded == [
        "ccxt.pro.kraken ccxt.async_support.kraken",
        "True True",
        "True True",
        "ccxt.async_support.base.exchange",
        "module 'ccxt.pro' has no attribute 'nothing_like_that'",
    ]


def test_an_exchange_without_a_stream_is_loaded_plain() -> None:
    assert "watch_ohlcv" not in vars(load_exchange_class("zaif"))


def test_it_makes_no_difference_whether_ccxt_was_there_before() -> None:
    assert run("import ccxt.pro" + LOADING + "print(made is ccxt.pro.binance)") == ["True"]


@pytest.mark.parametrize(
    ("typo", "near"), [("binanse", "binance"), ("Binance", "binance"), ("krakn", "kraken")]
)
def test_c1_an_unknown_exchange_is_refused_with_those_that_are_near(typo: str, near: str) -> None:
    with pytest.raises(RejectedError, match=rf"no exchange '{typo}'; did you mean .*{near}"):
        load_exchange_class(typo)


@pytest.mark.parametrize("exchange_id", ["../os", "", "base", "__init__", "qqqqqqqqqqqq"])
def test_what_is_no_exchange_is_not_imported(exchange_id: str) -> None:
    with pytest.raises(RejectedError):
        load_exchange_class(exchange_id)


def test_ids_are_ccxts_own() -> None:
    ids = exchange_ids()

    assert {"binance", "kraken", "coinbase", "okx"} <= set(ids)
    assert list(ids) == sorted(ids)
    assert "base" not in ids
