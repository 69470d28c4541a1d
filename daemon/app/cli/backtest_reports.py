"""What `tickd backtest` leaves of a result: its record as JSON, reports, rows of trades, a page."""

# ruff: noqa: PLC0415 - pages are drawn by a library that is an extra

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.app.backtest_remarks import held_percent, remarks_of, shortened, trades_of
from daemon.app.cli.backtest_plan import Output, Prepared
from daemon.app.extras import research_libraries
from daemon.app.json_text import json_text
from daemon.app.report_files import write_whole
from daemon.app.trade_rows import trades_csv
from daemon.reports.as_json import Json, as_json
from daemon.reports.backtest import render_backtest
from daemon.reports.places import report_path
from daemon.research.result import BacktestResult, LaneResult

if TYPE_CHECKING:
    from daemon.core.equity import Account


def record_text(
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


def write_reports(
    result: BacktestResult,
    prepared: Prepared,
    output: Output,
    accounts: Sequence["Account | None"],
) -> list[Path]:
    """Write below `output.report_dir` what is wanted of a result; return where."""
    assert output.report_dir is not None
    written = [_write_lane(result, lane, output) for lane in result.lanes]
    names = "-and-".join(dict.fromkeys(lane.key.strategy_name for lane in result.lanes))
    record_place = output.report_dir / report_path("backtest", names, suffix="json")
    write_whole(record_place, f"{record_text(result, prepared, accounts)}\n")
    written.append(record_place)
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
    with research_libraries("the HTML report"):
        from daemon.app.backtest_page import LaneFacts, page_of
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
