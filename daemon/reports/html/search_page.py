"""The page of a search: train beside test for the best trials, and how likely luck is."""

from collections.abc import Sequence

from daemon.core.search import (
    OutOfSample,
    Score,
    SearchResult,
    SearchTrial,
    WindowResult,
    told_of_faults,
)
from daemon.core.wording import count_text
from daemon.reports.html import charts
from daemon.reports.html.markup import Html, element, facts, join, section, table, tile, tone, toned
from daemon.reports.html.shell import heading, remarks, whole_page
from daemon.reports.html.traces import stamp
from daemon.reports.search import (
    NO_TRIAL,
    TOP_MAX,
    UNFINISHED,
    judged_trials,
    luck_facts,
    params_words,
)
from daemon.reports.text import MISSING, number, signed_percent

_ADVICE = (
    "The winner was picked by its train figures alone; only the test figures say what it may be"
    " worth. Every set that was tried makes a lucky one likelier: below 95 % of the deflated"
    " Sharpe ratio the winner may well be luck, and at 50 % of overfitting choosing by the past"
    " tells nothing."
)


def render_search_page(result: SearchResult) -> str:
    """Return a search as one HTML page."""
    drawn = [_dots(window) for window in result.windows]
    about = (
        ("Exchange", result.exchange_name),
        ("Trials per window", f"{result.trial_count:,}"),
        ("Seed", str(result.seed)),
        ("Fingerprint", result.data_fingerprint),
    )
    parts = (
        heading(f"Search: {result.search_name}", f"{result.symbol} by {result.metric}"),
        remarks(() if result.is_complete else (UNFINISHED,)),
        _together(result.out_of_sample),
        "" if result.windows else element("p", f"{NO_TRIAL.capitalize()}.", kind="card"),
        *(_window(*pair, result.metric) for pair in zip(result.windows, drawn, strict=True)),
        section("How to read this", element("p", _ADVICE)),
        section("Data", facts(about)),
        element("footer", "Times are UTC. PnL is in percent of the stake, after costs."),
    )
    return whole_page(f"Search: {result.search_name}", parts, is_drawn=any(map(len, drawn)))


def _together(found: OutOfSample | None) -> Html:
    if found is None:
        return Html("")
    pnl = found.total_pnl
    below = f"over {count_text(found.window_count, 'test range')}"
    return element(
        "div",
        tile("Winners, total PNL", signed_percent(pnl), kind=tone(pnl), below=below),
        tile("Their trades", f"{found.total_signals:,}"),
        tile("Sharpe ratio", number(found.sharpe_ratio_of_slices), below="per slice"),
        kind="tiles",
    )


def _window(result: WindowResult, dots: Sequence[charts.Dot], metric: str) -> Html:
    name, window = f"window-{result.window.number + 1}", result.window
    judged = judged_trials(result)
    best = next((trial for trial in result.trials if trial.number == result.best), None)
    rows = (
        ("Train", _range(window.train_start_ms, window.train_end_ms)),
        ("Test", _range(window.test_start_ms, window.test_end_ms)),
        ("Best parameters", MISSING if best is None else params_words(best.params)),
        *luck_facts(result.luck),
    )
    shown = judged[:TOP_MAX]
    cut = f"The best {TOP_MAX} of {len(judged):,} by the train metric." if judged[TOP_MAX:] else ""
    title = Html(f'<h2 id="{name}">Window {window.number + 1}</h2>')
    return join(
        title,
        remarks(told_of_faults(result.trials)),
        section("What won, and how likely luck is", facts(rows)),
        section(
            "Train beside test",
            charts.trials_chart(f"{name}-trials", metric, dots) if dots else "",
            hint="The best trials on the train range; the winner is green.",
        ),
        section("Trials", _trials(shown, metric), hint=cut)
        if shown
        else element("p", "No trial came to a result.", kind="card"),
    )


def _dots(result: WindowResult) -> list[charts.Dot]:
    """Return the trials with both metrics."""
    return [
        charts.Dot(
            name=params_words(each.params),
            train=each.train.metric_value,
            test=each.test.metric_value,
            is_winner=each.number == result.best,
        )
        for each in judged_trials(result)
        if each.train is not None and each.train.metric_value is not None
        if each.test is not None and each.test.metric_value is not None
    ]


def _trials(trials: Sequence[SearchTrial], metric: str) -> Html:
    titles = (
        "Parameters", "Trial", f"Train {metric}", f"Test {metric}", "Train PNL", "Test PNL",
        "Train trades", "Test trades",
    )  # fmt: skip
    return table(titles, [_row(trial) for trial in trials])


def _row(trial: SearchTrial) -> Sequence[str]:
    train, test = trial.train, trial.test
    return (
        element("span", params_words(trial.params), kind="note"),
        str(trial.number),
        number(None if train is None else train.metric_value),
        number(None if test is None else test.metric_value),
        _pnl(train),
        _pnl(test),
        MISSING if train is None else f"{train.total_signals:,}",
        MISSING if test is None else f"{test.total_signals:,}",
    )


def _pnl(score: Score | None) -> str:
    pnl = None if score is None else score.total_pnl
    return toned(signed_percent(pnl), pnl)


def _range(start_ms: int | None, end_ms: int | None) -> str:
    if start_ms is None or end_ms is None:
        return MISSING
    return f"{stamp(start_ms)[:16]} to {stamp(end_ms)[:16]}"
