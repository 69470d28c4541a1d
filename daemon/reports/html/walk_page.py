"""The page of a walk: strategies side by side, the best first."""

from collections.abc import Mapping, Sequence

from daemon.core.statistics import BacktestStatistics
from daemon.core.walker_statistics import WalkerStatistics, WalkerStrategyResult
from daemon.reports.html import charts
from daemon.reports.html.markup import Html, element, facts, section, table, text, tile, tone, toned
from daemon.reports.html.sheets import Facts
from daemon.reports.html.shell import heading, remarks, whole_page
from daemon.reports.text import MISSING, number, percent, signed_percent

BARS_MAX = 40
"""More bars than this are no picture any more; the table has all."""

WorstCases = Mapping[str, BacktestStatistics]
"""By the strategies' names, where the order inside of bars was open."""


def render_walk_page(
    stats: WalkerStatistics, worst: WorstCases, lines: Sequence[str], about: Facts
) -> str:
    """Return a comparison as one page; `lines` must be known, `about` says on which data."""
    last = len(stats.strategy_results) + 1
    rows = sorted(stats.strategy_results, key=lambda row: row.rank or last)
    bars = [(row.strategy_name, row.metric_value) for row in rows if row.metric_value is not None]
    shown = bars[:BARS_MAX]
    parts = (
        heading(f"Walk: {stats.walker_name}", _subtitle(stats)),
        remarks(lines),
        _tiles(stats),
        section(
            f"By {stats.metric}",
            charts.ranks_chart("ranks", stats.metric, shown) if shown else "",
            hint=f"The best {BARS_MAX} of {len(bars):,}." if len(bars) > BARS_MAX else "",
        ),
        section("All of them", element("div", _table(stats, rows, worst), kind="tall")),
        section("Data", facts(about)),
        element("footer", "Times are UTC. PnL is in percent of the stake, after costs."),
    )
    return whole_page(f"Walk: {stats.walker_name}", parts, is_drawn=bool(shown))


def _subtitle(stats: WalkerStatistics) -> str:
    # Names of variants are too long for a tile.
    best = "" if stats.best_strategy is None else f": the best is {stats.best_strategy}"
    return f"{stats.symbol} by {stats.metric}{best}"


def _tiles(stats: WalkerStatistics) -> Html:
    best = stats.best_stats
    total = None if best is None else best.total_pnl
    return element(
        "div",
        tile(f"Best {stats.metric}", number(stats.best_metric)),
        tile("Total PNL of the best", signed_percent(total), kind=tone(total)),
        tile("Trades of the best", MISSING if best is None else f"{best.total_signals:,}"),
        tile("Tested", f"{len(stats.strategy_results):,} of {stats.total_strategies:,}"),
        kind="tiles",
    )


def _table(
    stats: WalkerStatistics, rows: Sequence[WalkerStrategyResult], worst: WorstCases
) -> Html:
    titles = (
        "Strategy", "Rank", stats.metric, "Trades", "Win rate", "Total PNL", "Worst case",
        "Max drawdown", "Sharpe ratio",
    )  # fmt: skip
    return table(titles, [_row(row, worst.get(row.strategy_name)) for row in rows])


def _row(row: WalkerStrategyResult, worst: BacktestStatistics | None) -> Sequence[str]:
    figures = row.stats
    other = None if worst is None else worst.total_pnl
    return (
        element("span", row.strategy_name, kind="note"),
        MISSING if row.rank is None else str(row.rank),
        number(row.metric_value),
        f"{figures.total_signals:,}",
        percent(figures.win_rate),
        toned(signed_percent(figures.total_pnl), figures.total_pnl),
        text("the same") if worst is None else toned(signed_percent(other), other),
        percent(figures.max_drawdown),
        number(figures.sharpe_ratio),
    )
