"""The page of a walk: the best first, the worst case beside, names as text."""

from dataclasses import replace

from daemon.core.statistics import backtest_statistics
from daemon.core.walker_statistics import walker_statistics
from daemon.reports.html.walk_page import BARS_MAX, render_walk_page
from tests.core.trades import trades
from tests.reports.html.test_markup import Reader
from tests.reports.html.test_page import without_library
from tests.reports.test_walker import SETUP

GOOD, POOR = backtest_statistics(trades(1.0, 3.0)), backtest_statistics(trades(-1.0, -2.5))
LONE = backtest_statistics(trades(0.25))


def test_all_are_shown_the_best_first_with_the_worst_case() -> None:
    stats = walker_statistics(SETUP, [("poor", POOR), ("lone", LONE), ("good", GOOD)])

    page = without_library(render_walk_page(stats, {"good": POOR}, ["mind this"], [("From", "x")]))

    read = Reader(page).read
    assert "BTC/USDT by sharpe_ratio: the best is good" in read
    assert "mind this" in read
    table = page[page.index("All of them") :]
    assert table.index("good") < table.index("poor") < table.index("lone")
    assert "-3.50%" in table[table.index("good") : table.index("poor")], "its worst case"
    assert "default-src 'none'" in page


def test_markup_in_a_name_is_text() -> None:
    stats = walker_statistics(SETUP, [("<b>bold</b>", GOOD), ("plain", POOR)])

    page = without_library(render_walk_page(stats, {}, [], []))

    assert "<b>bold" not in page


def test_a_picture_is_cut_and_says_so() -> None:
    many = [(f"s{number}", GOOD) for number in range(BARS_MAX + 3)]
    stats = walker_statistics(replace(SETUP, total_strategies=len(many)), many)

    page = without_library(render_walk_page(stats, {}, [], []))

    assert f"The best {BARS_MAX} of {BARS_MAX + 3}." in Reader(page).read
    assert f"s{BARS_MAX + 2}<" in page, "the table has all"


def test_before_the_first_result_nothing_is_drawn() -> None:
    page = render_walk_page(walker_statistics(SETUP, []), {}, ["ended early"], [])

    assert len(page) < 20_000
    assert "0 of 3" in Reader(page).read
