"""The page of a search: the winner, train beside test, and what luck can do."""

from dataclasses import replace

from daemon.reports.html.search_page import render_search_page
from tests.reports.html.test_markup import Reader
from tests.reports.html.test_page import without_library
from tests.reports.test_search import a_result


def test_the_winner_its_luck_and_the_best_trials_are_shown() -> None:
    page = without_library(render_search_page(a_result()))

    read = Reader(page).read
    for told in (
        "Window 1",
        "Deflated Sharpe Ratio",
        "Train beside test",
        "The best 10 of 11 by the train metric.",
        "1 trial failed, the first with: the strategy cannot be made",
        "In 11 of 12 trials calls of the strategy went wrong",
        "How to read this",
    ):
        assert told in read, told
    # Text of an author is text, and no Markdown either.
    assert "fast=11, share=0.123457, kind=s|ma" in read
    assert page.count('"--good"') == 1, "one dot, the winner's, is green"


def test_one_that_was_ended_says_so_and_draws_nothing() -> None:
    ended = replace(a_result(), windows=(), out_of_sample=None, is_complete=False)

    page = render_search_page(ended)

    assert "This search was ended before its time" in Reader(page).read
    assert "No trial came to its end." in Reader(page).read
    assert len(page) < 20_000
