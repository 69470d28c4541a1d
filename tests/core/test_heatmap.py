"""The heatmap: symbols side by side, best first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.heatmap import HeatmapCollector, heatmap_statistics
from daemon.core.statistics import backtest_statistics
from tests.core.some_events import an_idle
from tests.core.trades import on_symbol, trades


def test_two_symbols_by_hand() -> None:
    """BTC: 3, 1, -1: mean 1, deviation sqrt(8/3). ETH: 1, 3: mean 2, deviation 1."""
    btc = on_symbol(trades(3.0, 1.0, -1.0), "BTC/USDT")
    eth = on_symbol(trades(1.0, 3.0), "ETH/USDT")

    stats = heatmap_statistics([btc[0], eth[0], an_idle(), btc[1], eth[1], btc[2]])

    first, second = stats.symbols
    assert (first.symbol, first.sharpe_ratio, first.profit_factor) == ("ETH/USDT", 2.0, None)
    assert (second.symbol, second.total_trades) == ("BTC/USDT", 3)
    assert second.sharpe_ratio == pytest.approx((8 / 3) ** -0.5)
    assert (second.profit_factor, second.avg_win, second.avg_loss) == (4.0, 2.0, -1.0)
    assert (second.max_drawdown, second.max_win_streak, second.max_loss_streak) == (1.0, 2, 1)
    assert second.expectancy == pytest.approx(1.0)
    assert (stats.total_symbols, stats.portfolio_total_trades) == (2, 5)
    assert stats.portfolio_total_pnl == 7.0
    assert stats.portfolio_sharpe_ratio == pytest.approx((3 * (8 / 3) ** -0.5 + 2 * 2.0) / 5)


def test_a_symbol_without_a_sharpe_ratio_comes_last_and_weighs_in_as_zero() -> None:
    lone = on_symbol(trades(9.0), "AAA/USDT")
    bad = on_symbol(trades(-3.0, -1.0), "ZZZ/USDT")

    stats = heatmap_statistics([*lone, *bad])

    assert [row.symbol for row in stats.symbols] == ["ZZZ/USDT", "AAA/USDT"]
    assert stats.portfolio_sharpe_ratio == pytest.approx(2 * -2.0 / 3)


def test_nothing_closed() -> None:
    stats = heatmap_statistics([])

    assert (stats.symbols, stats.portfolio_total_pnl, stats.portfolio_sharpe_ratio) == (
        (),
        None,
        None,
    )


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-500, 500)), max_size=40))
def test_each_row_agrees_with_the_backtest_of_its_symbol(pairs: list[tuple[str, int]]) -> None:
    events = [
        on_symbol([event], symbol)[0]
        for (symbol, _), event in zip(
            pairs, trades(*(cents / 100 for _, cents in pairs)), strict=True
        )
    ]
    collector = HeatmapCollector()
    for event in events:
        collector.add(event)

    assert collector.statistics() == heatmap_statistics(events)
    for row in collector.statistics().symbols:
        alone = backtest_statistics([event for event in events if event.symbol == row.symbol])
        assert row.total_pnl == alone.total_pnl
        assert row.sharpe_ratio == alone.sharpe_ratio
        assert row.max_drawdown == alone.max_drawdown
        assert row.win_rate == alone.win_rate
