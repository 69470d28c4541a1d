"""`tickd report`: the statistics of live strategies, from the journal of the state folder."""

import json
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from daemon.app.cli.terminal import Terminal
from daemon.app.cli.whole_journal import read_whole
from daemon.app.extras import research_libraries
from daemon.app.journal_report import (
    JournalReport,
    Scope,
    by_key,
    gather_journal,
    page_of_journal,
    report_files,
    report_record,
)
from daemon.app.report_files import write_whole
from daemon.core.rules import Rules
from daemon.reports.html.sheets import RunSheet
from daemon.reports.places import report_path
from daemon.reports.text import number, percent, signed_percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What becomes of the statistics."""

    as_json: bool
    with_html: bool
    with_notes: bool
    report_dir: Path | None


def show_report(
    terminal: Terminal, folder: Path, scope: Scope, output: Output, rules: Rules
) -> bool:
    """Print and write what the journal in `folder` tells; return whether it tells anything.

    Raises FatalError if there is no journal, MissingLibraryError for a page without plotly.
    """
    report = gather_journal(read_whole(terminal, folder), scope, with_candles=output.with_html)
    record = json.dumps(report_record(report), ensure_ascii=False, indent=2)
    # Before anything is said: whoever reads may have gone.
    if output.report_dir is not None and not report.is_empty:
        _write(terminal, report, output, output.report_dir)
        if output.with_html:
            sheet = page_of_journal(report, rules, str(folder))
            names = "-and-".join(sorted(report.strategies))
            place = output.report_dir / report_path("live", names, suffix="html")
            _write_one(terminal, place, _page(sheet))
    if output.as_json:
        terminal.say(record)
    elif report.is_empty:
        terminal.say(f"the journal in {folder} tells of nothing that was asked for")
    else:
        terminal.console().print(_table(report))
    return not report.is_empty


def _page(sheet: RunSheet) -> str:
    with research_libraries("the HTML report"):
        from daemon.reports.html.page import render_page  # noqa: PLC0415 - plotly is an extra
    return render_page(sheet)


def _write(terminal: Terminal, report: JournalReport, output: Output, folder: Path) -> None:
    for place, text in report_files(report, with_notes=output.with_notes):
        _write_one(terminal, folder / place, text)


def _write_one(terminal: Terminal, place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, text)
    terminal.note(f"wrote {place}")


def _table(report: JournalReport) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("strategy", "symbol"):
        table.add_column(name)
    for name in (
        "closed", "won", "total PNL", "average", "drawdown", "Sharpe", "scheduled", "cancelled",
        "refused", "levels", "errors",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for key, of_key in by_key(report):
        stats, waited = of_key.live.statistics(), of_key.schedule.statistics()
        errors = of_key.errors.total()
        tone = "" if not stats.total_pnl else "green" if stats.total_pnl > 0 else "red"
        table.add_row(
            Text(key.strategy_name),
            Text(key.symbol),
            f"{stats.total_closed:,}",
            percent(stats.win_rate),
            Text(signed_percent(stats.total_pnl), tone),
            signed_percent(stats.avg_pnl),
            percent(stats.max_drawdown),
            number(stats.sharpe_ratio),
            f"{waited.total_scheduled:,}",
            f"{waited.total_cancelled:,}",
            f"{of_key.risk.statistics().total_rejections:,}",
            f"{of_key.partial.statistics().total_events:,}",
            Text(f"{errors:,}", "red" if errors else "dim"),
        )
    return table
