"""The report of a search: train beside test, and what luck is."""

from dataclasses import replace

from daemon.core.search import (
    OutOfSample,
    Score,
    SearchResult,
    SearchTrial,
    SearchWindow,
    WindowResult,
    luck_of,
)
from daemon.reports.search import params_text, render_search
from tests.core.samples import MINUTE, T0
from tests.core.test_search import a_trial, noise

WINDOW = SearchWindow(
    number=0,
    train_start_ms=T0,
    train_end_ms=T0 + MINUTE,
    test_start_ms=T0 + 2 * MINUTE,
    test_end_ms=T0 + 3 * MINUTE,
)


def a_score(value: float | None) -> Score:
    return Score(
        metric_value=value,
        total_signals=1200,
        win_rate=40.0,
        avg_pnl=0.1,
        total_pnl=12.0,
        sharpe_ratio=value,
        max_drawdown=1.0,
    )


def a_result(trial_count: int = 12) -> SearchResult:
    trials = tuple(
        SearchTrial(
            number=number,
            params={"fast": number, "share": 0.123456789, "kind": "s|ma"},
            train=a_score(float(number)) if number else None,
            test=a_score(0.5) if number == trial_count - 1 else None,
            error="" if number else "the strategy cannot be made",
            error_count=number,
        )
        for number in range(trial_count)
    )
    window = WindowResult(
        window=WINDOW,
        is_complete=True,
        trials=trials,
        best=trial_count - 1,
        luck=luck_of([a_trial(number, 1.0, noise(number)) for number in range(3)]),
    )
    return SearchResult(
        search_name="find",
        strategy_name="sma",
        symbol="BTC/USDT",
        exchange_name="sandbox",
        metric="sharpe_ratio",
        seed=1,
        trial_count=trial_count,
        is_complete=True,
        data_fingerprint="f" * 32,
        windows=(window,),
        out_of_sample=OutOfSample(
            window_count=1, total_signals=1200, total_pnl=12.0, sharpe_ratio_of_slices=None
        ),
    )


def test_the_best_trials_stand_with_train_beside_test() -> None:
    report = render_search(a_result())

    assert report.startswith("# Search Report: find\n\n- **Strategy:** sma\n")
    assert (
        "| 11 | fast=11, share=0.123457, kind=s\\|ma | 11.000 | 0.500 | +12.00% | +12.00% "
        "| 1,200 | 1,200 | 40.00% | 40.00% |\n" in report
    )
    assert "| 10 | fast=10, share=0.123457, kind=s\\|ma | 10.000 | N/A | +12.00% | N/A " in report
    assert "Listed are the best 10 of 11 different trials by the train metric." in report
    assert "1 trial failed, the first with: the strategy cannot be made" in report
    assert "In 11 of 12 trials calls of the strategy went wrong, most in number 11 (11)" in report
    assert "- **Trials:** 3, 3 of them different" in report
    assert "- **Deflated Sharpe Ratio:** " in report
    assert "## Winners on Their Test Ranges" in report
    assert "\n\n\n" not in report


def test_an_unfinished_search_says_so() -> None:
    result = replace(a_result(), is_complete=False, windows=(), out_of_sample=None)

    report = render_search(result)

    assert "ended before its time" in report
    assert "Run it again to go on from here" in report
    assert "No trial came to its end." in report


def test_parameters_read_as_they_are_written() -> None:
    assert params_text({"a": True, "b": 1e-7}) == "a=True, b=1e-07"
