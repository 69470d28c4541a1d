"""A page holds everything that it needs, and no more than its sample can carry."""

import re
from dataclasses import replace
from functools import cache

from daemon.core.equity import account_of
from daemon.core.sizing import KellyCriterion, SizingSchema
from daemon.core.statistics import backtest_statistics
from daemon.reports.html.page import NOTHING_CLOSED, render_page
from daemon.reports.html.sheets import WorstCase
from tests.core.trades import trades
from tests.reports.html.sheets import a_lane, a_run, noted
from tests.reports.html.test_markup import Reader

CLOSED = trades(1.0, -2.0, 0.5)


@cache
def a_page() -> str:
    return render_page(a_run(a_lane(CLOSED)))


def without_library(page: str) -> str:
    """Return a page without its inline scripts, of which plotly's is most."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_a_page_needs_no_other_file_and_no_network() -> None:
    page = without_library(a_page())

    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_plotly_comes_once_and_only_with_something_to_draw() -> None:
    run = a_run(a_lane(CLOSED), a_lane(CLOSED, "ETH/USDT"))

    assert render_page(run).count("Plotly.register") <= a_page().count("Plotly.register")
    assert len(render_page(run)) - len(a_page()) < 100_000
    assert len(render_page(a_run(a_lane([])))) < 20_000


def test_a_page_shows_every_part() -> None:
    read = Reader(without_library(a_page())).read

    for heading in (
        "Equity and drawdown",
        "Trades on the market",
        "By month",
        "Distribution",
        "Exposure",
        "Why they closed",
        "What costs took",
        "Figures",
    ):
        assert heading in read, heading
    assert "-0.50%" in read


def test_what_a_sample_cannot_carry_is_not_told() -> None:
    read = Reader(without_library(render_page(a_run(a_lane(trades(1.0)))))).read

    assert "Sharpe ratioN/A" in read


def test_a_run_without_trades_says_so() -> None:
    read = Reader(render_page(a_run(a_lane([])))).read

    assert NOTHING_CLOSED in read


def test_a_note_with_markup_stays_a_note() -> None:
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    lane = replace(
        a_lane([noted(CLOSED[0], evil)]),
        strategy_name=evil,
        symbol=evil,
        remarks=[evil],
        parameters=[(evil, evil)],
        data=[(evil, evil)],
        counts=[(evil, evil)],
    )
    run = replace(a_run(lane, lane), title=evil, subtitle=evil, remarks=[evil])

    found = Reader(without_library(render_page(run)))

    assert "img" not in found.tags
    assert 'alert("x")' in found.read
    assert render_page(run).count("<script>") == 2, "plotly's and the page's own"


def test_the_worst_case_stands_beside_the_headline() -> None:
    worst = trades(-3.0, -2.0, 0.5)
    lane = replace(
        a_lane(CLOSED),
        ambiguous_bar_count=1,
        worst_case=WorstCase(figures=backtest_statistics(worst), trades=worst, is_whole=True),
    )

    page = render_page(a_run(lane))

    assert "worst case -4.50%" in page
    assert "In one bar both sides were touched" in page
    assert '"name":"Worst case"' in page


def test_what_holding_would_have_brought_has_its_tile_where_it_is_known() -> None:
    held = render_page(a_run(replace(a_lane(CLOSED), held_percent=3.456)))

    assert 'Held instead</span><span class="value good">+3.46%' in held
    assert "Held instead" not in a_page()


def test_charts_of_the_newest_trades_alone_say_so() -> None:
    page = render_page(a_run(replace(a_lane(CLOSED), trades_total=4)))

    assert "the newest 3 of 4 trades; the figures cover all. Charts, months" in page


def test_a_cut_list_says_so() -> None:
    page = render_page(a_run(a_lane(trades(*[1.0, -1.0] * 130))))

    assert "Listed are the newest 250 of 260 trades; the figures cover all." in page
    assert "Charts, months, reasons" not in page, "those are of all"
    assert page.count('<span class="note">') == 250


def test_an_account_says_what_it_could_not_size() -> None:
    sizing = SizingSchema(sizing_name="kelly", method=KellyCriterion())
    lane = replace(a_lane(CLOSED), account=account_of(CLOSED, sizing, 100.0))

    read = Reader(without_library(render_page(a_run(lane)))).read

    assert "no odds were known" in read
    assert "100.00 (0.00%)" in read


def test_the_same_run_gives_the_same_page() -> None:
    assert render_page(a_run(a_lane(CLOSED))) == a_page()
