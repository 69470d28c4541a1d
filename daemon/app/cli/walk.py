"""`tickd walk`: strategies, or variants of one, compared on one market."""

from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from daemon.app.cli.backtest_plan import Asked
from daemon.app.cli.backtest_show import new_table, toned
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.walk_plan import Stage, stage_of, variants_of
from daemon.app.cli.watching import run_watched
from daemon.app.config.problems import one_line
from daemon.app.config.settings import Config
from daemon.app.exit_codes import ExitCode
from daemon.app.extras import require_charts
from daemon.app.hands import hand_limit
from daemon.app.report_files import make_folder, write_report, write_whole
from daemon.app.walker_run import (
    WalkerRun,
    checkpoint_of,
    walker_json,
    walker_page,
    walker_remarks,
    walker_report,
)
from daemon.app.whole_run import run_whole
from daemon.core.research_events import ResearchSubjects
from daemon.core.walker_statistics import WalkerMetric, WalkerSetup
from daemon.reports.places import report_path
from daemon.reports.text import number, percent
from daemon.reports.walker import NoResultsError
from daemon.research import walker as engine
from daemon.research.assignment import Assignment, plan_of
from daemon.research.columns import moment_text
from daemon.research.walker import Walk, WalkerResult

SHOWN_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where reports are written, if anywhere, and whether with a page."""

    report_dir: Path | None
    with_html: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """By what is compared, who works on it, and what becomes of the result."""

    metric: WalkerMetric
    cores: int | None
    cluster: str
    as_json: bool
    pages: Pages

    @property
    def with_html(self) -> bool:
        """Say whether a page is drawn."""
        return self.pages.with_html

    @property
    def report_dir(self) -> Path | None:
        """Return the folder of the reports: a page that names none goes to the usual one."""
        return self.pages.report_dir or (Path("dump") if self.with_html else None)


def run_walk(
    terminal: Terminal, config: Config, asked: Asked, vary: tuple[str, ...], work: Work
) -> int:
    """Compare what is asked for, tell and write what it came to; return the exit code.

    Raises RejectedError, in one line, for what cannot be compared.
    """
    if work.with_html:
        require_charts()
    stage = stage_of(config, asked)
    run = _run_of(stage, vary, work)
    count = len(run.walk.assignments)

    def stand() -> tuple[str, float]:
        result = run.engine.result()
        return "walk", (len(result.backtests) + len(result.failures)) / count

    run.checkpoint = checkpoint_of(run, work.report_dir)
    place = _place_of(run, work)

    def save() -> None:
        if place is not None:
            result = run.engine.result()
            write_report(place, _report(result), walker_json(result))

    is_interrupted = run_whole(run_watched(run.go(), stand, save), terminal.note)
    result = run.engine.result()
    # Before anything is said: whoever reads may have gone.
    save()
    _draw(place, run, stage, work)
    if work.as_json:
        terminal.say(walker_json(result).rstrip("\n"))
    else:
        _show(terminal, result, stage)
    if run.checkpoint is not None and run.checkpoint.known_count:
        terminal.note(f"{run.checkpoint.known_count:,} of {count:,} were tested in an earlier walk")
    if place is not None:
        terminal.note(f"wrote {place} and {place.with_suffix('.json').name}")
        if work.with_html:
            terminal.note(f"wrote {place.with_suffix('.html')}")
    if is_interrupted:
        goes_on = "" if run.checkpoint is None else "; run it again to go on"
        terminal.note(f"interrupted: the comparison covers what was tested until then{goes_on}")
        return ExitCode.INTERRUPTED
    return ExitCode.OK if result.backtests else ExitCode.FINDINGS


def _draw(place: Path | None, run: WalkerRun, stage: Stage, work: Work) -> None:
    if place is not None and work.with_html:
        write_whole(place.with_suffix(".html"), walker_page(run, stage.told))


def _place_of(run: WalkerRun, work: Work) -> Path | None:
    if work.report_dir is None:
        return None
    place = work.report_dir / report_path("walker", run.walker_name)
    make_folder(place.parent)
    return place


def _run_of(stage: Stage, vary: tuple[str, ...], work: Work) -> WalkerRun:
    name = "-and-".join(each.name for each in stage.chosen)
    assignments = tuple(
        Assignment(
            name=variant.name,
            strategy_name=variant.strategy_name,
            frame=stage.frame,
            params=dict(variant.params),
        )
        for variant in variants_of(stage.chosen, vary)
    )
    # Raises, in one line, for a frame that lies outside of the candles.
    plan_of(stage.terms, stage.minutes, assignments[0])
    setup = WalkerSetup(
        walker_name=name,
        symbol=stage.terms.symbol,
        exchange_name=stage.terms.exchange_name,
        frame_name=stage.frame.frame_name,
        total_strategies=len(assignments),
        metric=work.metric,
    )
    walk = Walk(setup=setup, assignments=assignments)
    return WalkerRun(
        symbol=stage.terms.symbol,
        walker_name=name,
        walk=walk,
        terms=stage.terms,
        minutes=stage.minutes,
        cores=hand_limit(work.cores, work.cluster),
        cluster=work.cluster,
        engine=engine.Walker(walk, ResearchSubjects()),
    )


def _report(result: WalkerResult) -> str:
    try:
        return walker_report(result)
    except NoResultsError:
        remarks = "".join(f"- {line}\n" for line in walker_remarks(result))
        return f"# Walker Comparison Report\n\nNothing was tested.\n\n{remarks}"


def _show(terminal: Terminal, result: WalkerResult, stage: Stage) -> None:
    stats = result.statistics
    table = new_table(
        ("rank", "strategy"),
        (stats.metric, "trades", "won", "total PNL", "worst case", "drawdown", "Sharpe"),
    )
    backtests = {each.lanes[0].key.strategy_name: each.lanes[0] for each in result.backtests}
    last = len(stats.strategy_results) + 1
    rows = sorted(stats.strategy_results, key=lambda row: row.rank or last)
    for row in rows[:SHOWN_MAX]:
        worst = backtests[row.strategy_name].worst_case
        table.add_row(
            "N/A" if row.rank is None else str(row.rank),
            Text(row.strategy_name),
            number(row.metric_value),
            f"{row.stats.total_signals:,}",
            percent(row.stats.win_rate),
            toned(row.stats.total_pnl),
            Text("the same", "dim") if worst is None else toned(worst.total_pnl),
            percent(row.stats.max_drawdown),
            number(row.stats.sharpe_ratio),
        )
    if rows:
        terminal.console().print(table)
    if len(rows) > SHOWN_MAX:
        terminal.say(f"and {len(rows) - SHOWN_MAX:,} more: --json and --report-dir tell all")
    frame = stage.frame
    terminal.say(f"{moment_text(frame.start_ms)} to {moment_text(frame.end_ms)}")
    terminal.say(f"{stats.symbol}: {stage.told}, fingerprint {stage.minutes.fingerprint}")
    # The table says the worst case already.
    for line in walker_remarks(result, with_worst_case=False):
        terminal.say(one_line(line))
