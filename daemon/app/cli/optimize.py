"""`tickd optimize`: look for good parameters of a strategy, and how likely the best are luck."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.app.cli.backtest_data import DataError
from daemon.app.cli.backtest_plan import Asked
from daemon.app.cli.backtest_show import new_table, toned
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.walk import Work
from daemon.app.cli.walk_plan import Stage, stage_of
from daemon.app.cli.watching import run_watched
from daemon.app.config.settings import Config
from daemon.app.exit_codes import ExitCode
from daemon.app.extras import require_charts
from daemon.app.hands import hand_limit
from daemon.app.report_files import make_folder, write_report, write_whole
from daemon.app.search_run import SearchRun, search_json, search_page, search_plan
from daemon.app.search_schema import SearchSchema
from daemon.app.whole_run import run_whole
from daemon.core.search import Score, SearchResult, told_of_faults
from daemon.reports.places import report_path
from daemon.reports.search import NO_TRIAL, params_text, render_search
from daemon.reports.text import number
from daemon.research import search as engine
from daemon.research.columns import moment_text
from daemon.research.walk_forward import WalkForward


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """How long is searched, where, from which seed, and in which file the trials are kept.

    `days` to train and to test are both given, or neither: then the last 30 % of the frame judge.
    """

    trials: int
    seed: int
    days: tuple[float | None, float | None]
    anchored: bool
    study: Path | None


def run_optimize(terminal: Terminal, config: Config, asked: Asked, hunt: Hunt, work: Work) -> int:
    """Search, or go on with it; tell and write what it came to; return the exit code.

    Raises RejectedError, in one line, for what cannot be searched.
    """
    if work.with_html:
        require_charts()
    run = _run_of(stage_of(config, asked), hunt, work)
    total = run.plan.trial_count * len(run.plan.windows)

    def stand() -> tuple[str, float]:
        done = sum(len(window.trials) for window in run.engine.result().windows)
        return "search", done / total

    place = _place_of(run, work)

    def save() -> None:
        if place is not None:
            result = run.engine.result()
            write_report(place, render_search(result), search_json(result))

    is_interrupted = run_whole(run_watched(run.go(), stand, save), terminal.note)
    result = run.engine.result()
    # Before anything is said: whoever reads may have gone.
    save()
    if place is not None and work.with_html:
        write_whole(place.with_suffix(".html"), search_page(result))
    if work.as_json:
        terminal.say(search_json(result).rstrip("\n"))
    else:
        _show(terminal, result)
    if place is not None:
        terminal.note(f"wrote {place} and {place.with_suffix('.json').name}")
        if work.with_html:
            terminal.note(f"wrote {place.with_suffix('.html')}")
    if is_interrupted:
        terminal.note(f"interrupted: the trials are in {run.file}; run it again to go on")
        return ExitCode.INTERRUPTED
    terminal.note(f"the trials are in {run.file}")
    return ExitCode.OK


def _place_of(run: SearchRun, work: Work) -> Path | None:
    if work.report_dir is None:
        return None
    place = work.report_dir / report_path("search", run.search_name, symbol=run.symbol)
    make_folder(place.parent)
    return place


def _run_of(stage: Stage, hunt: Hunt, work: Work) -> SearchRun:
    name, symbol = stage.chosen[0].name, stage.terms.symbol
    searched = sorted({*stage.chosen[0].given} & {*stage.chosen[0].strategy.spaces})
    if searched:
        raise DataError(f"{searched[0]} is in the spaces: what is searched, --param cannot fix")
    schema = SearchSchema(
        search_name=name,
        strategy_name=name,
        frame_name=stage.frame.frame_name,
        exchange_name=stage.terms.exchange_name,
        walk_forward=_scheme(hunt),
        metric=work.metric,
        trials=hunt.trials,
        seed=hunt.seed,
    )
    plan = search_plan(schema, stage.frame, stage.terms, stage.minutes)
    kept = (work.report_dir or Path("dump")) / report_path("search", name, symbol=symbol)
    return SearchRun(
        symbol=symbol,
        search_name=name,
        plan=plan,
        terms=stage.terms,
        minutes=stage.minutes,
        cores=hand_limit(work.cores, work.cluster),
        cluster=work.cluster,
        file=hunt.study or kept.with_suffix(".journal"),
        engine=engine.Search(plan),
    )


def _scheme(hunt: Hunt) -> WalkForward | None:
    train_days, test_days = hunt.days
    if train_days is None and test_days is None:
        if hunt.anchored:
            raise DataError("--anchored needs --train-days and --test-days")
        return None
    if train_days is None or test_days is None:
        raise DataError("--train-days and --test-days belong together: give both")
    return WalkForward(train_days=train_days, test_days=test_days, anchored=hunt.anchored)


def _show(terminal: Terminal, result: SearchResult) -> None:
    if not result.windows:
        terminal.say(f"{result.strategy_name} on {result.symbol}: {NO_TRIAL}")
        return
    terminal.say(f"{result.strategy_name} on {result.symbol}: the winner of each window")
    table = new_table(
        ("trained from", "to", "parameters"),
        ("trials", f"train {result.metric}", "test", "train PNL", "test PNL"),
    )
    for window in result.windows:
        best = next((each for each in window.trials if each.number == window.best), None)
        table.add_row(
            moment_text(window.window.train_start_ms),
            moment_text(window.window.train_end_ms),
            "N/A" if best is None else params_text(best.params),
            f"{len(window.trials):,}",
            number(_metric(best.train if best else None)),
            number(_metric(best.test if best else None)),
            toned(_pnl(best.train if best else None)),
            toned(_pnl(best.test if best else None)),
        )
    terminal.console().print(table)
    for line in _luck(result):
        terminal.say(line)
    if not result.is_complete:
        terminal.say("This search was ended before its time: the figures cover what there was.")


def _luck(result: SearchResult) -> Iterator[str]:
    """Yield how likely each winner is luck, and what could not be run."""
    for window in result.windows:
        deflated, overfitting = window.luck.deflated_sharpe_ratio, window.luck.overfitting
        overfit = None if overfitting is None else overfitting.probability
        yield (
            f"window {window.window.number + 1}: more than luck with a probability of "
            f"{_probability(deflated)} (deflated Sharpe ratio over "
            f"{window.luck.distinct_count:,} different trials; below 95 % it may well be "
            f"nothing); probability of backtest overfitting {_probability(overfit)}"
        )
        yield from told_of_faults(window.trials)


def _metric(score: Score | None) -> float | None:
    return None if score is None else score.metric_value


def _pnl(score: Score | None) -> float | None:
    return None if score is None else score.total_pnl


def _probability(share: float | None) -> str:
    return "N/A" if share is None else f"{share:.0%}".replace("%", " %")
