"""Where a result comes from: reasons, costs, time in the market."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.breakdown import by_reason, costs, exposure
from daemon.core.events import SignalClosed
from daemon.core.pnl import Position, profit_loss
from daemon.core.rules import Rules
from tests.core.some_events import a_closed, a_row
from tests.core.trades import a_trade, trades

RULES = Rules()


def priced(position: Position, price_close: float) -> SignalClosed:
    row = a_row(position=position)
    pnl = profit_loss(position, row.price_open, price_close, RULES)
    return replace(a_closed(), signal=row, current_price=price_close, pnl=pnl)


def test_reasons_come_in_the_order_of_the_rules_with_their_shares() -> None:
    won, lost = a_trade(1.0), replace(a_trade(-2.0, number=1), close_reason="stop_loss")

    rows = by_reason([lost, won, won])

    assert [(row.reason, row.count, row.win_count) for row in rows] == [
        ("take_profit", 2, 2),
        ("stop_loss", 1, 0),
    ]
    assert rows[1].share_percent == pytest.approx(100 / 3)
    assert rows[1].total_pnl == -2.0
    assert rows[0].avg_minutes == 12 * 60
    assert by_reason([]) == ()


@given(st.lists(st.tuples(st.sampled_from(["long", "short"]), st.floats(50, 150)), min_size=1))
def test_what_costs_took_and_left_adds_up(closes: list[tuple[Position, float]]) -> None:
    closed = [priced(position, price) for position, price in closes]

    told = costs(closed, RULES)

    assert told is not None
    assert told.gross - told.slippage - told.fee == pytest.approx(told.net)
    assert told.net == pytest.approx(sum(event.pnl.pnl_percentage for event in closed))
    assert told.slippage > 0
    assert told.fee > 0


def test_without_trades_costs_took_nothing_to_tell() -> None:
    assert costs([], RULES) is None


def test_exposure_is_the_share_of_the_time_with_a_position() -> None:
    trade = a_trade(1.0, held_ms=30_000)
    start_ms = trade.signal.pending_at - 10_000

    whole = exposure([trade], start_ms, start_ms + 100_000, 1)
    parts = exposure([trade], start_ms, start_ms + 100_000, 10)

    assert [(span.long_percent, span.short_percent) for span in whole] == [(30.0, 0.0)]
    assert [span.long_percent for span in parts] == [0.0, *[100.0] * 3, *[0.0] * 6]


def test_what_lies_outside_of_the_time_does_not_count() -> None:
    trade = a_trade(1.0, held_ms=30_000)
    start_ms = trade.signal.pending_at + 20_000

    (span,) = exposure([trade], start_ms, start_ms + 20_000, 1)

    assert span.long_percent == 50.0
    assert exposure([trade], start_ms, start_ms, 1) == ()
    assert exposure([trade], start_ms + 90_000, start_ms + 91_000, 1)[0].long_percent == 0.0


@given(st.integers(1, 50), st.integers(1, 10_000_000))
def test_the_parts_of_exposure_make_up_the_whole(spans: int, length_ms: int) -> None:
    closed = trades(1.0, -1.0, held_ms=1_000_003)
    start_ms = closed[0].signal.pending_at - 777

    parts = exposure(closed, start_ms, start_ms + length_ms, spans)
    (whole,) = exposure(closed, start_ms, start_ms + length_ms, 1)

    held = sum(part.long_percent * (part.end_ms - part.start_ms) for part in parts)
    assert held / length_ms == pytest.approx(whole.long_percent)
