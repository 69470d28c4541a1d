"""Records of a backtest: what is counted, what is listed, and that nothing is cut silently."""

import pickle
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.events import Announcement
from daemon.core.statistics import BacktestCollector, backtest_statistics
from daemon.core.trade_figures import FigureFields, TradeFigures
from tests.core.some_events import (
    a_cancelled,
    an_idle,
    an_opened,
    every_event,
)
from tests.core.trades import a_trade, trades


def test_a_backtest_counts_closed_signals_alone() -> None:
    stats = backtest_statistics([an_idle(), *trades(2.0, -1.0), a_cancelled(), an_opened()])

    assert (stats.total_signals, stats.win_count, stats.loss_count) == (2, 1, 1)
    assert (stats.total_pnl, stats.win_rate) == (1.0, 50.0)
    assert [event.pnl.pnl_percentage for event in stats.signal_list] == [-1.0, 2.0]


def test_a_backtest_lists_the_newest_and_its_figures_cover_all() -> None:
    stats = backtest_statistics(trades(*[1.0] * 300))

    assert (len(stats.signal_list), stats.total_signals, stats.total_pnl) == (250, 300, 300.0)
    assert stats.signal_list[0].id == "e299"


def test_an_empty_backtest_is_all_none() -> None:
    stats = backtest_statistics([])

    assert (stats.total_signals, stats.signal_list) == (0, ())
    assert (stats.win_rate, stats.total_pnl, stats.sharpe_ratio) == (None, None, None)


def test_figure_fields_are_those_of_the_record() -> None:
    names = [item.name for item in fields(TradeFigures)]

    assert list(FigureFields.__annotations__) == names


@given(st.lists(st.sampled_from(every_event()), max_size=60))
def test_a_collector_says_the_same_at_the_end_as_the_whole_sequence(
    events: list[Announcement],
) -> None:
    """Asking in between changes nothing."""
    collector = BacktestCollector()
    for event in events:
        collector.add(event)
        collector.statistics()

    assert collector.statistics() == backtest_statistics(events)


def test_a_record_travels_between_processes() -> None:
    """A walk on several cores sends them."""
    record = backtest_statistics([a_trade(1.0)])

    assert pickle.loads(pickle.dumps(record)) == record
