"""The portfolio heatmap: one strategy over its symbols."""

from daemon.core.heatmap import HeatmapRow, HeatmapStatistics
from daemon.reports.text import (
    Column,
    bullets,
    document,
    number,
    percent,
    plain,
    signed_percent,
    table,
)

NOTHING_CLOSED = "No signals closed yet."

COLUMNS: tuple[Column[HeatmapRow], ...] = (
    Column("Symbol", lambda row: plain(row.symbol)),
    Column("Total PNL", lambda row: signed_percent(row.total_pnl)),
    Column("Sharpe", lambda row: number(row.sharpe_ratio)),
    Column("PF", lambda row: number(row.profit_factor)),
    Column("Expect", lambda row: signed_percent(row.expectancy)),
    Column("WR", lambda row: percent(row.win_rate)),
    Column("Avg Win", lambda row: signed_percent(row.avg_win)),
    Column("Avg Loss", lambda row: signed_percent(row.avg_loss)),
    Column("Max DD", lambda row: percent(row.max_drawdown)),
    Column("W Streak", lambda row: str(row.max_win_streak)),
    Column("L Streak", lambda row: str(row.max_loss_streak)),
    Column("Trades", lambda row: f"{row.total_trades:,}"),
)


def render_heat(stats: HeatmapStatistics, strategy_name: str) -> str:
    """Return the heatmap as Markdown, the best Sharpe ratio first."""
    title = f"# Portfolio Heatmap: {plain(strategy_name)}"
    if not stats.total_symbols:
        return document(title, NOTHING_CLOSED)
    facts = [
        ("Total symbols", f"{stats.total_symbols:,}"),
        ("Portfolio PNL", signed_percent(stats.portfolio_total_pnl)),
        ("Portfolio Sharpe", number(stats.portfolio_sharpe_ratio)),
        ("Total trades", f"{stats.portfolio_total_trades:,}"),
    ]
    return document(title, bullets(facts), table(COLUMNS, stats.symbols))
