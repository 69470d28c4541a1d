"""The report of partial levels."""

from daemon.core.events import PartialProfitContract
from daemon.core.live_statistics import PartialEvent, PartialStatistics
from daemon.reports.signals import signal_id
from daemon.reports.text import Column, bullets, cut_note, document, moment, plain, price, table

NOTHING_REACHED = "No partial profit/loss events recorded yet."


def _action(event: PartialEvent) -> str:
    return "PROFIT" if isinstance(event, PartialProfitContract) else "LOSS"


def _level(event: PartialEvent) -> str:
    sign = "+" if isinstance(event, PartialProfitContract) else "-"
    return f"{sign}{event.level}%"


COLUMNS: tuple[Column[PartialEvent], ...] = (
    Column("Action", _action),
    Column("Symbol", lambda event: plain(event.symbol)),
    Column("Strategy", lambda event: plain(event.strategy_name)),
    Column("Signal ID", lambda event: signal_id(event.data)),
    Column("Position", lambda event: event.data.position.upper()),
    Column("Level %", _level),
    Column("Current Price", lambda event: price(event.current_price)),
    Column("Timestamp", lambda event: moment(event.at_ms)),
    Column("Mode", lambda event: "Backtest" if event.backtest else "Live"),
)


def render_partial(stats: PartialStatistics, symbol: str, strategy_name: str) -> str:
    """Return the report of partial levels as Markdown, the newest first."""
    title = f"# Partial Profit/Loss Report: {plain(symbol)}:{plain(strategy_name)}"
    if not stats.total_events:
        return document(title, NOTHING_REACHED)
    facts = [
        ("Total events", f"{stats.total_events:,}"),
        ("Profit events", f"{stats.total_profit:,}"),
        ("Loss events", f"{stats.total_loss:,}"),
    ]
    return document(
        title,
        cut_note(len(stats.event_list), stats.total_events, "events"),
        table(COLUMNS, stats.event_list),
        bullets(facts),
    )
