"""The report of scheduled signals."""

from daemon.core.events import SignalCancelled, SignalOpened
from daemon.core.live_statistics import ScheduleEvent, ScheduleStatistics
from daemon.reports.signals import signal_id, with_note
from daemon.reports.text import (
    MISSING,
    Column,
    bullets,
    cut_note,
    document,
    minutes,
    moment,
    percent,
    plain,
    price,
    span_minutes,
    table,
)

NOTHING_SCHEDULED = "No scheduled signals recorded yet."


def _waited(event: ScheduleEvent) -> str:
    match event:
        case SignalOpened(signal=row):
            return span_minutes(row.scheduled_at, row.pending_at)
        case SignalCancelled(signal=row):
            return span_minutes(row.scheduled_at, event.close_timestamp)
        case _:
            return MISSING


COLUMNS: tuple[Column[ScheduleEvent], ...] = (
    Column("Timestamp", lambda event: moment(event.at_ms)),
    Column("Action", lambda event: event.action.upper()),
    Column("Symbol", lambda event: plain(event.symbol)),
    Column("Signal ID", lambda event: signal_id(event.signal)),
    Column("Position", lambda event: event.signal.position.upper()),
    Column("Current Price", lambda event: price(event.current_price)),
    Column("Entry Price", lambda event: price(event.signal.price_open)),
    Column("Take Profit", lambda event: price(event.signal.price_take_profit)),
    Column("Stop Loss", lambda event: price(event.signal.price_stop_loss)),
    Column("Wait Time (min)", _waited),
)
NOTE: Column[ScheduleEvent] = Column("Note", lambda event: plain(event.signal.note))


def render_schedule(
    stats: ScheduleStatistics, strategy_name: str, *, show_signal_note: bool = False
) -> str:
    """Return the report of scheduled signals as Markdown."""
    title = f"# Scheduled Signals Report: {plain(strategy_name)}"
    if not stats.total_events:
        return document(title, NOTHING_SCHEDULED)
    facts = [
        ("Total events", f"{stats.total_events:,}"),
        ("Scheduled signals", f"{stats.total_scheduled:,}"),
        ("Opened signals", f"{stats.total_opened:,}"),
        ("Cancelled signals", f"{stats.total_cancelled:,}"),
        ("Activation rate", percent(stats.activation_rate)),
        ("Cancellation rate", percent(stats.cancellation_rate)),
        ("Average activation time (min)", minutes(stats.avg_activation_time)),
        ("Average wait time of cancelled (min)", minutes(stats.avg_wait_time)),
    ]
    return document(
        title,
        cut_note(len(stats.event_list), stats.total_events, "events"),
        table(with_note(COLUMNS, NOTE, show_signal_note=show_signal_note), stats.event_list),
        bullets(facts),
    )
