"""The report of a search for parameters: train beside test, and how likely the winner is luck."""

from collections.abc import Mapping

from daemon.core.search import (
    Luck,
    OutOfSample,
    SearchResult,
    SearchTrial,
    Value,
    WindowResult,
    told_of_faults,
)
from daemon.reports.text import (
    MISSING,
    Column,
    bullets,
    document,
    moment,
    number,
    percent,
    plain,
    signed_percent,
    table,
)

TOP_MAX = 10

TRIALS: tuple[Column[SearchTrial], ...] = (
    Column("Trial", lambda row: str(row.number)),
    Column("Parameters", lambda row: params_text(row.params)),
    Column("Train Metric", lambda row: number(row.train.metric_value if row.train else None)),
    Column("Test Metric", lambda row: number(row.test.metric_value if row.test else None)),
    Column("Train PNL", lambda row: signed_percent(row.train.total_pnl if row.train else None)),
    Column("Test PNL", lambda row: signed_percent(row.test.total_pnl if row.test else None)),
    Column("Train Signals", lambda row: f"{row.train.total_signals:,}" if row.train else MISSING),
    Column("Test Signals", lambda row: f"{row.test.total_signals:,}" if row.test else MISSING),
    Column("Train Win Rate", lambda row: percent(row.train.win_rate if row.train else None)),
    Column("Test Win Rate", lambda row: percent(row.test.win_rate if row.test else None)),
)


def render_search(result: SearchResult) -> str:
    """Return the search as Markdown: what won, where, and what that is worth."""
    return document(
        f"# Search Report: {plain(result.search_name)}",
        bullets(_facts(result)),
        "" if result.is_complete else UNFINISHED,
        "" if result.windows else f"{NO_TRIAL.capitalize()}.",
        *(_window(window) for window in result.windows),
        _together(result.out_of_sample),
        _HOW_TO_READ,
    )


def params_text(params: Mapping[str, Value]) -> str:
    """Return parameters as they are written: fast=10, slow=30."""
    return plain(params_words(params))


def params_words(params: Mapping[str, Value]) -> str:
    """Return the same for what is no Markdown."""
    return ", ".join(f"{name}={_value(value)}" for name, value in params.items())


UNFINISHED = (
    "This search was ended before its time: the figures cover what there was by then. Run it again "
    "to go on from here."
)

NO_TRIAL = "no trial came to its end"

_HOW_TO_READ = """\
## How to read this

The winner was picked by its train figures alone; only the test figures say what it may be worth.
Every set of parameters that was tried makes a lucky one among them likelier:

- the **deflated Sharpe ratio** is the probability that the winner's Sharpe ratio is more than what
  the best of so many trials shows without any skill; below 95 % the winner may well be luck.
- the **probability of backtest overfitting** is how often, over all splits of the train range
  into two halves, the best of one half is no better than the middle of all in the other half;
  at 50 % choosing by the past tells nothing."""


def _facts(result: SearchResult) -> list[tuple[str, str]]:
    return [
        ("Strategy", plain(result.strategy_name)),
        ("Symbol", plain(result.symbol)),
        ("Exchange", plain(result.exchange_name)),
        ("Metric", result.metric),
        ("Trials per Window", f"{result.trial_count:,}"),
        ("Windows", f"{len(result.windows):,}"),
        ("Seed", str(result.seed)),
        ("Data", plain(result.data_fingerprint)),
    ]


def _window(result: WindowResult) -> str:
    window, luck = result.window, result.luck
    best = next((trial for trial in result.trials if trial.number == result.best), None)
    test = MISSING
    if window.test_start_ms is not None and window.test_end_ms is not None:
        test = f"{moment(window.test_start_ms)} to {moment(window.test_end_ms)}"
    facts = [
        ("Train", f"{moment(window.train_start_ms)} to {moment(window.train_end_ms)}"),
        ("Test", test),
        ("Best Parameters", MISSING if best is None else params_text(best.params)),
        *luck_facts(luck),
    ]
    judged = judged_trials(result)
    shown = judged[:TOP_MAX]
    left = (
        f"Listed are the best {len(shown)} of {len(judged):,} different trials by the train metric."
    )
    return document(
        f"## Window {window.number + 1}",
        bullets(facts),
        table(TRIALS, shown) if shown else "No trial came to a result.",
        left if len(judged) > len(shown) else "",
        *(plain(line) for line in told_of_faults(result.trials)),
    ).rstrip("\n")


def judged_trials(result: WindowResult) -> list[SearchTrial]:
    """Return the different trials that came to a result, the best on the train range first."""
    # The same parameters came to the same.
    different = {params_text(trial.params): trial for trial in reversed(result.trials)}
    return sorted((each for each in different.values() if each.train is not None), key=_place)


def luck_facts(luck: Luck) -> list[tuple[str, str]]:
    """Return by name how likely a window's winner is luck."""
    overfitting = luck.overfitting
    return [
        ("Trials", f"{luck.trial_count:,}, {luck.distinct_count:,} of them different"),
        ("Winner's Sharpe Ratio per Slice", number(luck.sharpe_ratio)),
        ("Best Expected of Luck Alone", number(luck.expected_maximum)),
        ("Deflated Sharpe Ratio", _probability(luck.deflated_sharpe_ratio)),
        (
            "Probability of Backtest Overfitting",
            _probability(overfitting.probability if overfitting else None),
        ),
    ]


def _together(found: OutOfSample | None) -> str:
    if found is None:
        return ""
    facts = [
        ("Test Ranges", f"{found.window_count:,}"),
        ("Signals", f"{found.total_signals:,}"),
        ("Total PNL", signed_percent(found.total_pnl)),
        ("Sharpe Ratio per Slice", number(found.sharpe_ratio_of_slices)),
    ]
    return f"## Winners on Their Test Ranges\n\n{bullets(facts)}"


def _place(trial: SearchTrial) -> tuple[bool, float, int]:
    value = trial.train.metric_value if trial.train else None
    return (value is None, -(value or 0.0), trial.number)


def _probability(value: float | None) -> str:
    return MISSING if value is None else f"{value * 100:.1f}%"


def _value(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
