"""The report of a walker: strategies side by side."""

from dataclasses import dataclass

from daemon.core.events import SignalClosed
from daemon.core.walker_statistics import WalkerMetric, WalkerStatistics, WalkerStrategyResult
from daemon.reports.signals import signal_id
from daemon.reports.text import (
    MISSING,
    Column,
    bullets,
    document,
    moment,
    number,
    percent,
    plain,
    signed_percent,
    table,
)

TOP_MAX = 10


class NoResultsError(ValueError):
    """A walker was asked for its report before any strategy was tested."""


@dataclass(frozen=True, slots=True)
class _Trade:
    strategy_name: str
    event: SignalClosed


TRADE_COLUMNS: tuple[Column[_Trade], ...] = (
    Column("Strategy", lambda row: plain(row.strategy_name)),
    Column("Signal ID", lambda row: signal_id(row.event.signal)),
    Column("Symbol", lambda row: plain(row.event.symbol)),
    Column("Position", lambda row: row.event.signal.position.upper()),
    Column("PNL (net)", lambda row: signed_percent(row.event.pnl.pnl_percentage)),
    Column("Close Reason", lambda row: row.event.close_reason),
    Column("Open Time", lambda row: moment(row.event.signal.pending_at)),
    Column("Close Time", lambda row: moment(row.event.close_timestamp)),
)


def render_walker(stats: WalkerStatistics) -> str:
    """Return the comparison as Markdown, the best ten first.

    Raises NoResultsError before the first result.
    """
    if not stats.strategy_results:
        raise NoResultsError(f"walker {stats.walker_name!r} has no results yet")
    ordered = sorted(stats.strategy_results, key=_place)
    return document(
        f"# Walker Comparison Report: {plain(stats.walker_name)}",
        bullets(_facts(stats)),
        "## Top Strategies",
        table(_columns(stats.metric), ordered[:TOP_MAX]),
        _top_note(len(ordered)),
        "## All Signals",
        _trades(ordered),
    )


def _facts(stats: WalkerStatistics) -> list[tuple[str, str]]:
    best = stats.best_stats
    return [
        ("Symbol", plain(stats.symbol)),
        ("Exchange", plain(stats.exchange_name)),
        ("Frame", plain(stats.frame_name)),
        ("Optimization Metric", stats.metric),
        ("Strategies Tested", f"{len(stats.strategy_results)} of {stats.total_strategies}"),
        ("Best Strategy", plain(stats.best_strategy)),
        ("Best Metric", number(stats.best_metric)),
        ("Best Strategy's Signals", MISSING if best is None else f"{best.total_signals:,}"),
    ]


def _columns(metric: WalkerMetric) -> tuple[Column[WalkerStrategyResult], ...]:
    return (
        Column("Rank", lambda row: MISSING if row.rank is None else str(row.rank)),
        Column("Strategy", lambda row: plain(row.strategy_name)),
        Column(metric, lambda row: number(row.metric_value)),
        Column("Total Signals", lambda row: f"{row.stats.total_signals:,}"),
        Column("Win Rate", lambda row: percent(row.stats.win_rate)),
        Column("Avg PNL", lambda row: signed_percent(row.stats.avg_pnl)),
        Column("Total PNL", lambda row: signed_percent(row.stats.total_pnl)),
        Column("Sharpe Ratio", lambda row: number(row.stats.sharpe_ratio)),
        Column("Std Dev", lambda row: number(row.stats.std_dev)),
    )


def _place(row: WalkerStrategyResult) -> tuple[bool, int]:
    return (row.rank is None, row.rank or 0)


def _top_note(count: int) -> str:
    return f"Listed are the best {TOP_MAX} of {count:,} strategies." if count > TOP_MAX else ""


def _trades(results: list[WalkerStrategyResult]) -> str:
    trades = [
        _Trade(row.strategy_name, event) for row in results for event in row.stats.signal_list
    ]
    if not trades:
        return "No signals closed yet."
    total = sum(row.stats.total_signals for row in results)
    listed = table(TRADE_COLUMNS, trades)
    if len(trades) == total:
        return listed
    note = f"Listed are the newest signals of each strategy, {len(trades):,} of {total:,} in all."
    return f"{note}\n\n{listed}"
