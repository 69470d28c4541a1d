"""The portfolio heatmap."""

from daemon.core.heatmap import heatmap_statistics
from daemon.reports.heat import render_heat
from tests.core.trades import on_symbol, trades


def test_a_whole_heatmap() -> None:
    btc = on_symbol(trades(3.0, 1.0, -1.0), "BTC/USDT")
    lone = on_symbol(trades(2.0), "ETH/USDT")

    report = render_heat(heatmap_statistics([*btc, *lone]), "breakout")

    assert report == (
        "# Portfolio Heatmap: breakout\n\n"
        "- **Total symbols:** 2\n"
        "- **Portfolio PNL:** +5.00%\n"
        "- **Portfolio Sharpe:** 0.459\n"
        "- **Total trades:** 4\n\n"
        "| Symbol | Total PNL | Sharpe | PF | Expect | WR | Avg Win | Avg Loss | Max DD"
        " | W Streak | L Streak | Trades |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| BTC/USDT | +3.00% | 0.612 | 4.000 | +1.00% | 66.67% | +2.00% | -1.00% | 1.00%"
        " | 2 | 1 | 3 |\n"
        "| ETH/USDT | +2.00% | N/A | N/A | +2.00% | 100.00% | +2.00% | N/A | 0.00%"
        " | 1 | 0 | 1 |\n"
    )


def test_nothing_closed() -> None:
    assert "No signals closed yet." in render_heat(heatmap_statistics([]), "breakout")
