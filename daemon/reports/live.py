"""The report of a strategy that trades live."""

from daemon.core.events import SignalActive, SignalClosed, SignalIdle
from daemon.core.live_statistics import LiveEvent, LiveStatistics
from daemon.core.signal import SignalRow
from daemon.reports.signals import signal_id, trade_facts, with_note
from daemon.reports.text import (
    MISSING,
    Column,
    bullets,
    cut_note,
    document,
    moment,
    percent,
    plain,
    price,
    signed_percent,
    span_minutes,
    table,
)

NOTHING_HAPPENED = "No events recorded yet."


def render_live(
    stats: LiveStatistics, strategy_name: str, *, show_signal_note: bool = False
) -> str:
    """Return the report of a live strategy as Markdown."""
    title = f"# Live Trading Report: {plain(strategy_name)}"
    if not stats.total_events:
        return document(title, NOTHING_HAPPENED)
    columns = with_note(COLUMNS, NOTE, show_signal_note=show_signal_note)
    totals = [
        ("Total events", f"{stats.total_events:,}"),
        ("Closed signals", f"{stats.total_closed:,}"),
    ]
    return document(
        title,
        cut_note(len(stats.event_list), stats.total_events, "events"),
        table(columns, stats.event_list),
        bullets([*totals, *trade_facts(stats)]),
    )


def _row(event: LiveEvent) -> SignalRow | None:
    return None if isinstance(event, SignalIdle) else event.signal


def _signal_id(event: LiveEvent) -> str:
    row = _row(event)
    return MISSING if row is None else signal_id(row)


def _position(event: LiveEvent) -> str:
    row = _row(event)
    return MISSING if row is None else row.position.upper()


def _note(event: LiveEvent) -> str:
    row = _row(event)
    return MISSING if row is None else plain(row.note)


def _price_open(event: LiveEvent) -> str:
    row = _row(event)
    return price(row.price_open if row else None)


def _price_take_profit(event: LiveEvent) -> str:
    row = _row(event)
    return price(row.price_take_profit if row else None)


def _price_stop_loss(event: LiveEvent) -> str:
    row = _row(event)
    return price(row.price_stop_loss if row else None)


def _percent_tp(event: LiveEvent) -> str:
    return percent(event.percent_tp if isinstance(event, SignalActive) else None)


def _percent_sl(event: LiveEvent) -> str:
    return percent(event.percent_sl if isinstance(event, SignalActive) else None)


def _pnl(event: LiveEvent) -> str:
    return signed_percent(event.pnl.pnl_percentage if isinstance(event, SignalClosed) else None)


def _close_reason(event: LiveEvent) -> str:
    return event.close_reason if isinstance(event, SignalClosed) else MISSING


def _duration(event: LiveEvent) -> str:
    if not isinstance(event, SignalClosed):
        return MISSING
    return span_minutes(event.signal.pending_at, event.close_timestamp)


COLUMNS: tuple[Column[LiveEvent], ...] = (
    Column("Timestamp", lambda event: moment(event.at_ms)),
    Column("Action", lambda event: event.action.upper()),
    Column("Symbol", lambda event: plain(event.symbol)),
    Column("Signal ID", _signal_id),
    Column("Position", _position),
    Column("Current Price", lambda event: price(event.current_price)),
    Column("Open Price", _price_open),
    Column("Take Profit", _price_take_profit),
    Column("Stop Loss", _price_stop_loss),
    Column("% to TP", _percent_tp),
    Column("% to SL", _percent_sl),
    Column("PNL (net)", _pnl),
    Column("Close Reason", _close_reason),
    Column("Duration (min)", _duration),
)
NOTE: Column[LiveEvent] = Column("Note", _note)
