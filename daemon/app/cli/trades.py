"""`tickd trades`: every signal that the journal tells of, one line each."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from daemon.app.cli.history_options import since_ms
from daemon.app.cli.journal import moment_text, time_of
from daemon.app.cli.terminal import Terminal
from daemon.app.cli.whole_journal import read_whole
from daemon.app.journal_report import Scope
from daemon.app.trade_rows import COLUMNS, TradeRow
from daemon.core.candles import MINUTE_MS
from daemon.core.records import Journaled
from daemon.core.stories import Story, gather_stories
from daemon.reports.text import signed_percent

Format = Literal["table", "json", "csv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesWanted:
    """Which trades are shown, and how. `since` and `until` are as a person wrote them."""

    strategies: Sequence[str]
    symbols: Sequence[str]
    since: str | None
    until: str | None
    with_all: bool
    lines: int
    format: Format


def show_trades(terminal: Terminal, folder: Path, wanted: TradesWanted) -> bool:
    """Print the trades that the journal in `folder` tells of; return whether there are any.

    Raises FatalError if there is no journal, BadParameter for a time that is none.
    """
    newest_ms = 0

    def read() -> Iterator[Journaled]:
        nonlocal newest_ms
        for journaled in read_whole(terminal, folder):
            newest_ms = max(newest_ms, time_of(journaled.entry))
            yield journaled

    stories = gather_stories(read())
    scope = Scope(
        strategies=wanted.strategies,
        symbols=wanted.symbols,
        start_ms=since_ms(wanted.since, "--since", newest_ms),
        end_ms=since_ms(wanted.until, "--until", newest_ms),
    )
    told = [
        story
        for story in stories.values()
        if wanted.with_all or story.opened is not None
        if scope.holds(story.row.key, story.ended_ms or newest_ms)
    ]
    _print(terminal, sorted(told, key=lambda story: story.begun_ms), wanted, folder)
    return bool(told)


def trade_record(story: Story) -> TradeRow:
    """Return a signal's story in one row of plain values."""
    row, opened, closed = story.row, story.opened, story.closed
    return {
        "id": row.id,
        "symbol": row.symbol,
        "strategy": row.strategy_name,
        "exchange": row.exchange_name,
        "position": row.position,
        "state": story.standing,
        "scheduled_at": row.scheduled_at,
        "opened_at": opened.at_ms if opened else None,
        "ended_at": story.ended_ms,
        "price_open": row.price_open,
        "price_take_profit": row.price_take_profit,
        "price_stop_loss": row.price_stop_loss,
        "price_close": closed.current_price if closed else None,
        "reason": _reason(story),
        "pnl_percentage": closed.pnl.pnl_percentage if closed else None,
        "levels": [_signed_level(story, number) for number in range(len(story.levels))],
        "note": row.note,
    }


def _print(
    terminal: Terminal, stories: Sequence[Story], wanted: TradesWanted, folder: Path
) -> None:
    match wanted.format:
        case "json":
            records = [trade_record(story) for story in stories]
            terminal.say(json.dumps(records, ensure_ascii=False, indent=2))
        case "csv":
            terminal.say(_csv(stories).rstrip("\n"))
        case "table" if not stories:
            terminal.say(f"the journal in {folder} tells of no trade that was asked for")
        case "table":
            terminal.console().print(_table(stories[-wanted.lines :]))
            terminal.say(_summary(stories, wanted.lines))


def _csv(stories: Sequence[Story]) -> str:
    told = io.StringIO()
    records = [trade_record(story) for story in stories]
    writer = csv.DictWriter(told, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({**record, "levels": " ".join(map(str, record["levels"]))})
    return told.getvalue()


def _table(stories: Sequence[Story]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("opened (UTC)", "symbol", "strategy", "side"):
        table.add_column(name, no_wrap=True)
    for name in ("entry", "exit", "PNL", "minutes", "levels"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("ended by")
    table.add_column("signal", no_wrap=True)
    for story in stories:
        row, closed = story.row, story.closed
        pnl = closed.pnl.pnl_percentage if closed else None
        tone = "dim" if pnl is None else "green" if pnl > 0 else "red"
        table.add_row(
            moment_text(row.pending_at)[:16],
            Text(row.symbol),
            Text(row.strategy_name),
            row.position,
            f"{row.price_open:.10g}",
            f"{closed.current_price:.10g}" if closed else "",
            Text(signed_percent(pnl) if closed else "", tone),
            _minutes(story),
            _levels(story),
            Text(_reason(story) or story.standing, "" if story.ended_ms else "bold"),
            Text(row.id, "dim"),
        )
    return table


def _summary(stories: Sequence[Story], lines: int) -> str:
    gains = [story.closed.pnl.pnl_percentage for story in stories if story.closed]
    won = sum(gain > 0 for gain in gains)
    is_open = sum(story.standing == "open" for story in stories)
    told = f"{len(gains):,} closed, {won:,} won, in sum {signed_percent(sum(gains))}"
    if is_open:
        told += f"; {is_open:,} open"
    if len(stories) > lines:
        told += f". Shown are the newest {lines:,} of {len(stories):,}: --lines shows more"
    return told


def _reason(story: Story) -> str:
    if story.closed is not None:
        return story.closed.close_reason
    if story.cancelled is not None:
        return story.cancelled.reason
    return story.refused.risk_name if story.standing == "refused" and story.refused else ""


def _signed_level(story: Story, number: int) -> int:
    level = story.levels[number]
    return level.level if level.kind == "partial_profit" else -level.level


def _levels(story: Story) -> str:
    """Return the farthest levels on both sides, as in "+30 -10"."""
    signed = [_signed_level(story, number) for number in range(len(story.levels))]
    best, worst = max(signed, default=0), min(signed, default=0)
    return " ".join([f"{best:+d}"] * (best > 0) + [f"{worst:+d}"] * (worst < 0))


def _minutes(story: Story) -> str:
    if story.opened is None or story.ended_ms is None:
        return ""
    return f"{(story.ended_ms - story.opened.at_ms) / MINUTE_MS:.0f}"
