"""Numbers leave as text that reads back to the market's own floats."""

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from daemon.simulation.generator import a_usdt_pair
from daemon.simulation.server.payloads import decimal_text, symbol_payload


@given(st.floats(min_value=0, max_value=1e15, allow_nan=False))
def test_a_number_reads_back_as_it_was(value: float) -> None:
    text = decimal_text(value)

    assert float(text) == value
    assert re.fullmatch(r"\d+\.\d{8,}|\d+", text)


def test_what_fits_has_eight_decimals() -> None:
    assert decimal_text(60_000.01) == "60000.01000000"


def test_a_fault_s_nan_survives() -> None:
    assert math.isnan(float(decimal_text(math.nan)))


def test_the_filters_are_the_pair_s_grid() -> None:
    pair = a_usdt_pair("BTC", price_start=6e4, quantity_step=0.00001, volatility_percent=0.2)

    filters = {row["filterType"]: row for row in symbol_payload(pair)["filters"]}

    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == filters["LOT_SIZE"]["minQty"] == "0.00001000"
    assert filters["LOT_SIZE"]["maxQty"] == "90000.00000000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
