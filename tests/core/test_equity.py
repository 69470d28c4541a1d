"""What an account makes of signals, sized as each opens."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.equity import KELLY_SIGNALS_MIN, account_of, falls, running_pnl
from daemon.core.events import SignalClosed
from daemon.core.sizing import (
    AtrBased,
    FixedPercentage,
    KellyCriterion,
    SizingError,
    SizingSchema,
)
from tests.core.trades import trades

ONE_PERCENT = SizingSchema(sizing_name="one", method=FixedPercentage(risk_percentage=1.0))


def overlapping(*pnls: float) -> list[SignalClosed]:
    """Return trades that all open before the first of them closes."""
    closed = trades(*pnls)
    opened_at = closed[0].signal.pending_at
    return [replace(each, signal=replace(each.signal, pending_at=opened_at)) for each in closed]


def test_the_running_sum_and_how_far_it_fell() -> None:
    sums = running_pnl(trades(1.0, -3.0, 1.0))

    assert sums == [1.0, -2.0, -1.0]
    assert falls(sums) == [0.0, -3.0, -2.0]
    assert falls([-1.0]) == [-1.0], "the start is a peak too"


def test_a_fixed_percentage_stakes_what_the_stop_would_lose() -> None:
    """Entry 100, stop 99: one percent of 10,000 is 100 units; a win of 1 % of 100.2 each."""
    account = account_of(trades(1.0), ONE_PERCENT, 10_000.0)

    (trade,) = account.trades
    assert trade.quantity == 100.0
    assert trade.notional == 10_000.0
    assert trade.pnl == pytest.approx(100 * 100.2 * 0.01)
    assert account.balance_end == pytest.approx(10_100.2)
    assert account.return_percent == pytest.approx(1.002)
    assert account.leverage_max == 1.0


def test_the_next_position_is_sized_by_what_the_last_one_left() -> None:
    account = account_of(trades(-50.0, 1.0), ONE_PERCENT, 10_000.0)

    first, second = account.trades
    assert second.quantity == pytest.approx(first.balance / 100)
    assert account.drawdown_percent == pytest.approx(50.1)


def test_profits_of_positions_still_open_size_nothing() -> None:
    account = account_of(overlapping(10.0, 10.0), ONE_PERCENT, 10_000.0)

    assert [trade.quantity for trade in account.trades] == [100.0, 100.0]


def test_nothing_is_staked_once_nothing_is_left() -> None:
    account = account_of(trades(-100.0, 5.0), ONE_PERCENT, 10_000.0)

    assert account.balance_end < 0
    assert account.unsized_count == 1
    assert account.first_fault == "the account is empty"


def test_kelly_stakes_nothing_before_odds_are_known() -> None:
    kelly = SizingSchema(sizing_name="kelly", method=KellyCriterion())

    account = account_of(trades(*[2.0, -1.0] * 15), kelly, 10_000.0)

    assert account.unsized_count == KELLY_SIGNALS_MIN
    assert "no odds were known" in account.first_fault
    # Half win twice what the others lose: a quarter of the Kelly fraction of 0.25.
    assert account.trades[0].notional == pytest.approx(10_000 * 0.25 * 0.25)


def test_a_range_must_be_known_when_the_position_opens() -> None:
    by_range = SizingSchema(sizing_name="atr", method=AtrBased(risk_percentage=1.0))
    closed = trades(1.0, 1.0)

    account = account_of(
        closed, by_range, 10_000.0, lambda event: 2.0 if event is closed[1] else None
    )

    assert account.unsized_count == 1
    assert [trade.quantity for trade in account.trades] == [25.0]
    with pytest.raises(SizingError, match="needs candles"):
        account_of(closed, by_range, 10_000.0)


@pytest.mark.parametrize("balance", [0.0, -1.0, float("nan"), float("inf")])
def test_a_balance_must_be_a_positive_number(balance: float) -> None:
    with pytest.raises(SizingError, match="balance must be a positive number"):
        account_of([], ONE_PERCENT, balance)


@given(st.lists(st.floats(-20, 20), max_size=30))
def test_the_end_is_the_start_and_all_that_was_won_and_lost(pnls: list[float]) -> None:
    account = account_of(overlapping(*pnls) if pnls else [], ONE_PERCENT, 1_000.0)

    assert account.balance_end == pytest.approx(1_000.0 + sum(t.pnl for t in account.trades))
    assert len(account.trades) + account.unsized_count == len(pnls)
