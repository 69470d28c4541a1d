"""A backtest's result on a screen: the headline beside the worst case, reasons, errors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from daemon.app.backtest_remarks import held_percent, remarks_of, trades_of
from daemon.app.cli.backtest_data import History
from daemon.app.cli.terminal import Terminal
from daemon.app.config.problems import one_line
from daemon.core.breakdown import by_reason
from daemon.core.wording import count_text
from daemon.reports.text import number, percent, signed_percent
from daemon.research.columns import moment_text
from daemon.research.result import BacktestResult, LaneResult

if TYPE_CHECKING:
    from daemon.core.equity import Account


def summary(
    terminal: Terminal,
    result: BacktestResult,
    history: History,
    accounts: Sequence["Account | None"],
) -> None:
    """Print what a run came to."""
    console = terminal.console()
    console.print(_headline(result))
    if any(lane.statistics.total_signals for lane in result.lanes):
        console.print(_reasons(result))
    if any(account is not None for account in accounts):
        console.print(_accounts(result, accounts))
    terminal.say(f"{moment_text(result.start_ms)} to {moment_text(result.end_ms)}")
    for symbol, source in history.told.items():
        lane = next(lane for lane in result.lanes if lane.key.symbol == symbol)
        terminal.say(f"{symbol}: {source}, fingerprint {lane.data.fingerprint}")
        held = held_percent(result, history.minutes[symbol])
        terminal.say(f"{symbol}: held all the time instead {signed_percent(held)} after costs")
    for lane in result.lanes:
        if lane.ambiguous_bar_count:
            terminal.say(
                f"{lane.key}: what came first is open in"
                f" {count_text(lane.ambiguous_bar_count, 'bar')}; the worst case takes the stop"
            )
        for line in remarks_of(result, lane).lines:
            # What the table says already.
            if not line.startswith(lane.key.symbol):
                terminal.say(f"{lane.key}: {one_line(line)}")


def _headline(result: BacktestResult) -> Table:
    table = new_table(
        ("strategy", "symbol"),
        ("trades", "won", "total PNL", "worst case", "average", "drawdown", "Sharpe", "errors"),
    )
    for lane in result.lanes:
        stats = lane.statistics
        errors = sum(count.count for count in lane.error_counts)
        table.add_row(
            Text(lane.key.strategy_name),
            Text(lane.key.symbol),
            f"{stats.total_signals:,}",
            percent(stats.win_rate),
            toned(stats.total_pnl),
            _worst(result, lane),
            signed_percent(stats.avg_pnl),
            percent(stats.max_drawdown),
            number(stats.sharpe_ratio),
            Text(f"{errors:,}", "red" if errors else "dim"),
        )
    return table


def _worst(result: BacktestResult, lane: LaneResult) -> Text:
    """Return the total of the worst case; what is no other than the headline says so."""
    if lane.worst_case is not None:
        return toned(lane.worst_case.total_pnl)
    if not result.is_complete:
        return Text("N/A", "dim")
    return Text("the same", "dim")


def _reasons(result: BacktestResult) -> Table:
    table = new_table(
        ("strategy", "symbol", "closed by"), ("trades", "share", "won", "total PNL", "minutes")
    )
    for lane in result.lanes:
        for row in by_reason(trades_of(lane.statistics)):
            table.add_row(
                Text(lane.key.strategy_name),
                Text(lane.key.symbol),
                row.reason,
                f"{row.count:,}",
                percent(row.share_percent),
                f"{row.win_count:,}",
                toned(row.total_pnl),
                f"{row.avg_minutes:,.1f}",
            )
    return table


def _accounts(result: BacktestResult, accounts: Sequence["Account | None"]) -> Table:
    table = new_table(
        ("strategy", "symbol", "sizing"),
        ("start", "end", "return", "drawdown", "largest position", "not sized"),
    )
    for lane, account in zip(result.lanes, accounts, strict=True):
        if account is None:
            continue
        table.add_row(
            Text(lane.key.strategy_name),
            Text(lane.key.symbol),
            Text(account.sizing_name),
            f"{account.balance_start:,.2f}",
            f"{account.balance_end:,.2f}",
            toned(account.return_percent),
            percent(account.drawdown_percent),
            f"{account.leverage_max:.2f} x",
            f"{account.unsized_count:,}",
        )
    return table


def new_table(words: Sequence[str], numbers: Sequence[str]) -> Table:
    """Return an empty table: columns of words, then columns of numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def toned(value: float | None) -> Text:
    """Return a percentage, green above zero and red below."""
    style = "" if not value else "green" if value > 0 else "red"
    return Text(signed_percent(value), style)
