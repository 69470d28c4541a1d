"""The report of refused signals."""

from collections.abc import Mapping

from daemon.core.events import RiskContract
from daemon.core.live_statistics import RiskStatistics
from daemon.reports.signals import signal_id, with_note
from daemon.reports.text import Column, bullets, cut_note, document, moment, plain, price, table

NOTHING_REFUSED = "No risk rejections recorded yet."

COLUMNS: tuple[Column[RiskContract], ...] = (
    Column("Symbol", lambda event: plain(event.symbol)),
    Column("Strategy", lambda event: plain(event.strategy_name)),
    Column("Signal ID", lambda event: signal_id(event.pending_signal)),
    Column("Position", lambda event: event.pending_signal.position.upper()),
    Column("Exchange", lambda event: plain(event.exchange_name)),
    Column("Open Price", lambda event: price(event.pending_signal.price_open)),
    Column("Take Profit", lambda event: price(event.pending_signal.price_take_profit)),
    Column("Stop Loss", lambda event: price(event.pending_signal.price_stop_loss)),
    Column("Current Price", lambda event: price(event.current_price)),
    Column("Active Positions", lambda event: str(event.active_position_count)),
    Column("Reason", lambda event: plain(event.comment)),
    Column("Timestamp", lambda event: moment(event.at_ms)),
)
NOTE: Column[RiskContract] = Column("Note", lambda event: plain(event.pending_signal.note))


def render_risk(
    stats: RiskStatistics, symbol: str, strategy_name: str, *, show_signal_note: bool = False
) -> str:
    """Return the report of refused signals as Markdown, the newest first."""
    title = f"# Risk Rejection Report: {plain(symbol)}:{plain(strategy_name)}"
    if not stats.total_rejections:
        return document(title, NOTHING_REFUSED)
    return document(
        title,
        cut_note(len(stats.event_list), stats.total_rejections, "rejections"),
        table(with_note(COLUMNS, NOTE, show_signal_note=show_signal_note), stats.event_list),
        bullets([("Total rejections", f"{stats.total_rejections:,}")]),
        "## Rejections by Symbol",
        _counts(stats.by_symbol),
        "## Rejections by Strategy",
        _counts(stats.by_strategy),
    )


def _counts(counts: Mapping[str, int]) -> str:
    return bullets([(plain(name), f"{count:,}") for name, count in counts.items()])
