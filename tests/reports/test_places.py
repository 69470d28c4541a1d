"""Where reports go: the seeds' places, and no name that leaves them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.reports.places import report_path

NAMES = st.text(min_size=1, max_size=20) | st.text("A_%~./", min_size=1, max_size=6)


def test_the_seeds_places() -> None:
    assert report_path("backtest", "sma_cross") == "backtest/sma_cross.md"
    assert report_path("walker", "compare", suffix="json") == "walker/compare.json"
    partial = report_path("partial", "sma_cross", symbol="BTCUSDT")
    assert partial == "partial/BTCUSDT_sma_cross.md"


@pytest.mark.parametrize("name", ["..", "../../etc/passwd", "/etc/passwd", ".hidden", "a/b", ""])
def test_no_name_leaves_its_folder_or_hides(name: str) -> None:
    folder, file = report_path("live", name).split("/")

    assert folder == "live"
    assert not file.startswith(".")


def test_a_symbol_with_a_slash() -> None:
    assert report_path("risk", "sma", symbol="BTC/USDT") == "risk/BTC%2FUSDT_sma.md"


@given(NAMES, NAMES)
@example("a~", "a%7E")
@example("ä" * 70, "ä" * 70 + "b")
def test_different_names_never_share_a_file(one: str, other: str) -> None:
    assert (report_path("live", one) == report_path("live", other)) == (one == other)


@given(NAMES, NAMES, NAMES, NAMES)
@example("A_B", "C", "A", "B_C")
@example("A%5FB", "C", "A_B", "C")
def test_different_pairs_never_share_a_file(
    symbol: str, name: str, other_symbol: str, other_name: str
) -> None:
    one = report_path("risk", name, symbol=symbol)
    other = report_path("risk", other_name, symbol=other_symbol)

    assert (one == other) == ((symbol, name) == (other_symbol, other_name))


def test_no_short_name_is_that_of_a_long_one() -> None:
    long = report_path("live", "a" * 300)

    assert report_path("live", long.removeprefix("live/").removesuffix(".md")) != long


def test_long_names_stay_apart_and_fit() -> None:
    one = report_path("live", "ß" * 300)
    other = report_path("live", "ß" * 299 + "s")

    assert one != other
    assert max(len(one), len(other)) < 200
    assert one.isascii()
