"""Folders and files of the store: readable, and never the same for two markets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.adapters.candles.names import (
    folder_name,
    month_of,
    months_in,
    span_of_month,
    text_of,
)
from daemon.core.columns import Span
from tests.adapters.candles.samples import FEBRUARY, JANUARY
from tests.core.samples import MINUTE


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("BTC/USDT", "BTC_USDT"),
        ("BTC/USDT:USDT", "BTC_USDT%3AUSDT"),
        ("A_B/C", "A%5FB_C"),
        ("..", "%2E%2E"),
    ],
)
def test_a_symbol_has_a_readable_folder(symbol: str, name: str) -> None:
    assert folder_name(symbol) == name


@given(st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_every_symbol_reads_back(symbol: str) -> None:
    name = folder_name(symbol)

    assert text_of(name) == symbol
    assert "/" not in name
    assert not name.startswith(".")


def test_a_folder_of_somebody_else_is_no_symbol() -> None:
    assert text_of("a b") is None


def test_months_are_those_of_the_calendar_in_utc() -> None:
    assert span_of_month("2025-01") == Span(JANUARY, FEBRUARY)
    assert month_of(FEBRUARY - 1) == "2025-01"
    assert months_in(Span(JANUARY - MINUTE, FEBRUARY + 1)) == ["2024-12", "2025-01", "2025-02"]
    assert months_in(Span(JANUARY, FEBRUARY)) == ["2025-01"]
