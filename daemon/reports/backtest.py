"""The report of a backtest."""

from dataclasses import dataclass

from daemon.core.events import SignalClosed
from daemon.core.statistics import BacktestStatistics
from daemon.reports.signals import signal_id, trade_facts, with_note
from daemon.reports.text import (
    Column,
    bullets,
    cut_note,
    document,
    moment,
    plain,
    price,
    signed_percent,
    span_minutes,
    table,
)

NOTHING_CLOSED = "No signals closed yet."

COLUMNS: tuple[Column[SignalClosed], ...] = (
    Column("Signal ID", lambda event: signal_id(event.signal)),
    Column("Symbol", lambda event: plain(event.symbol)),
    Column("Position", lambda event: event.signal.position.upper()),
    Column("Open Price", lambda event: price(event.signal.price_open)),
    Column("Close Price", lambda event: price(event.current_price)),
    Column("Take Profit", lambda event: price(event.signal.price_take_profit)),
    Column("Stop Loss", lambda event: price(event.signal.price_stop_loss)),
    Column("PNL (net)", lambda event: signed_percent(event.pnl.pnl_percentage)),
    Column("Close Reason", lambda event: event.close_reason),
    Column(
        "Duration (min)", lambda event: span_minutes(event.signal.pending_at, event.close_timestamp)
    ),
    Column("Open Time", lambda event: moment(event.signal.pending_at)),
    Column("Close Time", lambda event: moment(event.close_timestamp)),
)
NOTE: Column[SignalClosed] = Column("Note", lambda event: plain(event.signal.note))


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestRemarks:
    """What a reader must know beside the figures.

    `ambiguous_bar_count` counts the bars in which nobody knows what came first; `worst_case` is
    the same run with the worst order in them. `lines` are sentences of the run's own.
    """

    ambiguous_bar_count: int = 0
    worst_case: BacktestStatistics | None = None
    lines: tuple[str, ...] = ()


def render_backtest(
    stats: BacktestStatistics,
    strategy_name: str,
    *,
    remarks: BacktestRemarks | None = None,
    show_signal_note: bool = False,
) -> str:
    """Return the report of a backtest as Markdown."""
    told = remarks or BacktestRemarks()
    title = f"# Backtest Report: {plain(strategy_name)}"
    lines = "\n\n".join(map(plain, told.lines))
    if not stats.total_signals:
        return document(title, NOTHING_CLOSED, lines)
    columns = with_note(COLUMNS, NOTE, show_signal_note=show_signal_note)
    return document(
        title,
        lines,
        cut_note(len(stats.signal_list), stats.total_signals, "signals"),
        table(columns, stats.signal_list),
        bullets([("Total signals", f"{stats.total_signals:,}"), *trade_facts(stats)]),
        _ambiguity(told),
    )


def _ambiguity(remarks: BacktestRemarks) -> str:
    if not remarks.ambiguous_bar_count:
        return ""
    count = f"{remarks.ambiguous_bar_count:,}"
    told = (
        f"In {count} of the bars both sides were touched, and a bar does not say which came first."
    )
    if remarks.worst_case is None:
        return f"## Ambiguous Bars\n\n{told}"
    figures = bullets(trade_facts(remarks.worst_case))
    return f"## Ambiguous Bars\n\n{told} With the worst order in each of them:\n\n{figures}"
