"""`tickd backtest`: strategies over history, from the command line."""

# ruff: noqa: PLC0415 - tables, reports and accounts are imported where they are wanted

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.app.backtest_remarks import trades_of
from daemon.app.cli.backtest_plan import Asked, Output, Prepared, prepare
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.watching import run_watched
from daemon.app.config.settings import Config
from daemon.app.exit_codes import ExitCode
from daemon.app.whole_run import run_whole
from daemon.core.subjects import Subjects
from daemon.research.backtest import Backtest
from daemon.research.result import BacktestResult

if TYPE_CHECKING:
    from daemon.app.cli.sizing_text import SizingWanted
    from daemon.core.equity import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run that is over: what it came to, and whether somebody ended it."""

    result: BacktestResult
    is_interrupted: bool


def run_backtest(
    terminal: Terminal, config: Config, asked: Asked, output: Output, sizing: "SizingWanted | None"
) -> int:
    """Run what is asked for, tell and write what it came to; return the exit code.

    Raises RejectedError, in one line, for what cannot be run.
    """
    if output.report_dir is not None:
        from daemon.app.report_files import make_folder

        make_folder(output.report_dir)
    prepared = prepare(config, asked)

    def save(result: BacktestResult) -> None:
        accounts = _accounts(result, prepared, sizing)
        _write(result, prepared, replace(output, with_html=False), accounts)

    outcome = run_whole(_run(prepared, save), terminal.note)
    accounts = _accounts(outcome.result, prepared, sizing)
    # Before anything is said: whoever reads may have gone.
    written = _write(outcome.result, prepared, output, accounts)
    if output.as_json:
        from daemon.app.cli.backtest_reports import record_text

        terminal.say(record_text(outcome.result, prepared, accounts))
    else:
        from daemon.app.cli.backtest_show import summary

        summary(terminal, outcome.result, prepared.history, accounts)
    for path in written:
        terminal.note(f"wrote {path}")
    if outcome.is_interrupted:
        terminal.note("interrupted: the figures cover what there was until then")
        return ExitCode.INTERRUPTED
    return ExitCode.OK


async def _run(prepared: Prepared, save: Callable[[BacktestResult], None]) -> Outcome:
    engine = Backtest(prepared.plan, Subjects())

    def stand() -> tuple[str, float]:
        return "worst case" if engine.is_in_worst_case else "backtest", engine.progress

    is_interrupted = await run_watched(engine.run(), stand, lambda: save(engine.result()))
    return Outcome(result=engine.result(), is_interrupted=is_interrupted)


def _accounts(
    result: BacktestResult, prepared: Prepared, sizing: "SizingWanted | None"
) -> Sequence["Account | None"]:
    """Return for each lane what an account of its own would have made of it."""
    if sizing is None:
        return [None] * len(result.lanes)
    from daemon.app.backtest_page import atr_of
    from daemon.core.equity import account_of

    return [
        account_of(trades_of(lane.statistics), sizing.schema, sizing.balance, atr_of(job.minutes))
        for lane, job in zip(result.lanes, prepared.plan.jobs, strict=True)
    ]


def _write(
    result: BacktestResult,
    prepared: Prepared,
    output: Output,
    accounts: Sequence["Account | None"],
) -> list[Path]:
    if output.report_dir is None:
        return []
    from daemon.app.cli.backtest_reports import write_reports

    return write_reports(result, prepared, output, accounts)
