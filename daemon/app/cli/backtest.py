"""`tickd backtest`: strategies over history, from the command line."""

# ruff: noqa: PLC0415 - tables, pages and accounts are imported where they are wanted

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.app.backtest_remarks import held_percent, remarks_of, shortened, trades_of
from daemon.app.cli.backtest_plan import Asked, Prepared, prepare
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.watching import run_watched
from daemon.app.config.settings import Config
from daemon.app.exit_codes import ExitCode
from daemon.app.extras import research_libraries
from daemon.app.json_text import json_text
from daemon.app.report_files import make_folder, write_whole
from daemon.app.whole_run import run_whole
from daemon.core.subjects import Subjects
from daemon.reports.as_json import Json, as_json
from daemon.reports.backtest import render_backtest
from daemon.reports.places import report_path
from daemon.research.backtest import Backtest
from daemon.research.result import BacktestResult, LaneResult

if TYPE_CHECKING:
    from daemon.app.cli.sizing_text import SizingWanted
    from daemon.core.equity import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What becomes of the result."""

    as_json: bool
    with_html: bool
    with_notes: bool
    report_dir: Path | None


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
        make_folder(output.report_dir)
    prepared = prepare(config, asked)

    def save(result: BacktestResult) -> None:
        accounts = _accounts(result, prepared, sizing)
        _write(result, prepared, replace(output, with_html=False), accounts)

    outcome = run_whole(_run(prepared, save))
    accounts = _accounts(outcome.result, prepared, sizing)
    if output.as_json:
        terminal.say(_record(outcome.result, prepared, accounts))
    else:
        from daemon.app.cli.backtest_show import summary

        summary(terminal, outcome.result, prepared.history, accounts)
    written = _write(outcome.result, prepared, output, accounts)
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


def _record(
    result: BacktestResult, prepared: Prepared, accounts: Sequence["Account | None"]
) -> str:
    """Return the whole result as JSON: the same bytes for the same inputs."""
    told: dict[str, object] = {item.name: getattr(result, item.name) for item in fields(result)}
    told["params"] = [
        {name: _plain(value) for name, value in chosen.params.items()} for chosen in prepared.lanes
    ]
    told["held_percent"] = [held_percent(result, job.minutes) for job in prepared.plan.jobs]
    if any(account is not None for account in accounts):
        told["accounts"] = accounts
    return json_text(told)


def _plain(value: object) -> Json:
    try:
        return as_json(value)
    except TypeError:
        # How it prints may hold its place in memory, which is another one each time.
        return type(value).__name__


def _write(
    result: BacktestResult,
    prepared: Prepared,
    output: Output,
    accounts: Sequence["Account | None"],
) -> list[Path]:
    if output.report_dir is None:
        return []
    written = [_write_lane(result, lane, output) for lane in result.lanes]
    names = "-and-".join(dict.fromkeys(lane.key.strategy_name for lane in result.lanes))
    record_place = output.report_dir / report_path("backtest", names, suffix="json")
    write_whole(record_place, f"{_record(result, prepared, accounts)}\n")
    written.append(record_place)
    from daemon.app.trade_rows import trades_csv

    rows_place = output.report_dir / report_path("backtest", names, suffix="csv")
    trades = (event for lane in result.lanes for event in trades_of(lane.statistics))
    write_whole(rows_place, trades_csv(sorted(trades, key=lambda event: event.close_timestamp)))
    written.append(rows_place)
    if output.with_html:
        page_place = output.report_dir / report_path("backtest", names, suffix="html")
        write_whole(page_place, _page(result, prepared, accounts))
        written.append(page_place)
    return written


def _write_lane(result: BacktestResult, lane: LaneResult, output: Output) -> Path:
    name, folder = lane.key.strategy_name, output.report_dir
    assert folder is not None
    is_alone = sum(other.key.strategy_name == name for other in result.lanes) == 1
    symbol = None if is_alone else lane.key.symbol
    place = folder / report_path("backtest", name, symbol=symbol)
    remarks = remarks_of(result, lane)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(
        place,
        render_backtest(
            shortened(lane.statistics), name, remarks=remarks, show_signal_note=output.with_notes
        ),
    )
    return place


def _page(result: BacktestResult, prepared: Prepared, accounts: Sequence["Account | None"]) -> str:
    from daemon.app.backtest_page import LaneFacts, page_of

    with research_libraries("the HTML report"):
        from daemon.reports.html.page import render_page
    facts = [
        LaneFacts(
            minutes=job.minutes,
            source=prepared.history.told[job.key.symbol],
            parameters=chosen.params,
            account=account,
        )
        for job, chosen, account in zip(prepared.plan.jobs, prepared.lanes, accounts, strict=True)
    ]
    return render_page(page_of(result, facts))
