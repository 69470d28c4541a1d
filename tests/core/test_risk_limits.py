"""The built-in limits, each at its edge."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from daemon.core.candles import DAY_MS
from daemon.core.pnl import Position
from daemon.core.risk import ActivePosition, DayClose, RiskPayload, RiskValidation, TradeHistory
from daemon.core.risk_limits import (
    HOUR_MS,
    allowed_hours,
    cooldown_after_loss,
    max_loss_per_day,
    max_positions,
    max_positions_per_side,
    max_positions_per_symbol,
    min_reward_risk,
    reward_risk,
)
from daemon.core.signal import Signal
from tests.core.samples import MINUTE, T0, a_row, a_signal

DAY = T0 // DAY_MS * DAY_MS


def a_position(position: Position | None = "long", symbol: str = "BTC/USDT") -> ActivePosition:
    """None: the state of the key is not trusted."""
    return ActivePosition(
        signal=None if position is None else a_row(position),
        strategy_name="breakout",
        exchange_name="sandbox",
        symbol=symbol,
        open_timestamp=T0,
    )


def a_payload(
    *positions: ActivePosition,
    histories: tuple[TradeHistory, ...] = (),
    timestamp: int = T0,
    signal: Signal | None = None,
) -> RiskPayload:
    return RiskPayload(
        symbol="BTC/USDT",
        pending_signal=signal or a_signal(),
        strategy_name="breakout",
        exchange_name="sandbox",
        current_price=100.0,
        timestamp=timestamp,
        active_position_count=len(positions),
        active_positions=positions,
        trade_histories=histories,
    )


def answer(rule: RiskValidation, payload: RiskPayload) -> object:
    return rule.validate(payload)


def test_positions_have_a_maximum() -> None:
    rule = max_positions(2)

    assert answer(rule, a_payload(a_position())) is None
    assert answer(rule, a_payload(a_position(), a_position(None))) == "2 of 2 positions are open"
    assert answer(max_positions(0), a_payload()) == "0 of 0 positions are open"


def test_positions_of_a_symbol_have_a_maximum() -> None:
    rule = max_positions_per_symbol(1)

    assert answer(rule, a_payload(a_position(symbol="ETH/USDT"))) is None
    assert answer(rule, a_payload(a_position())) == "1 of 1 positions on BTC/USDT"
    assert answer(rule, a_payload(a_position(None))) == "1 of 1 positions on BTC/USDT"


@pytest.mark.parametrize("side", ["long", "short"])
def test_positions_of_a_side_have_a_maximum(side: Position) -> None:
    rule = max_positions_per_side(1)
    other: Position = "short" if side == "long" else "long"
    signal = a_signal(side)

    assert answer(rule, a_payload(a_position(other), signal=signal)) is None
    refused = f"1 of 1 {side} positions are open"
    assert answer(rule, a_payload(a_position(side), signal=signal)) == refused
    assert answer(rule, a_payload(a_position(None), signal=signal)) == refused


@pytest.mark.parametrize("side", ["long", "short"])
def test_a_reward_has_a_minimum(side: Position) -> None:
    """Two percent to the target, one to the stop."""
    payload = a_payload(signal=a_signal(side))

    assert answer(min_reward_risk(2.0), payload) is None
    assert answer(min_reward_risk(2.01), payload) == "reward/risk is 2.00, the minimum is 2.01"


def test_a_reward_is_counted_from_the_entry() -> None:
    assert reward_risk(a_signal(), 100.0) == 2.0
    assert reward_risk(a_signal(), 101.0) == 0.5
    assert reward_risk(a_signal(price_open=101.0), 100.0) == 0.5
    assert reward_risk(a_row(), 1.0) == 2.0
    assert reward_risk(replace(a_signal(), price_stop_loss=100.0), 100.0) == float("inf")


def closes(*results: tuple[int, float]) -> TradeHistory:
    return TradeHistory(
        closes=tuple(DayClose(at_ms=at_ms, pnl_percentage=pnl) for at_ms, pnl in results)
    )


def test_the_loss_of_a_day_has_a_maximum() -> None:
    rule = max_loss_per_day(3.0)
    btc, eth = closes((DAY, -2.0), (DAY + 5, 0.5)), closes((DAY + 9, -1.5))

    assert answer(rule, a_payload(histories=(btc,))) is None
    assert answer(rule, a_payload(histories=(btc, eth))) == "today's result is -3.00 %"


def test_a_new_day_is_a_new_account() -> None:
    rule = max_loss_per_day(3.0)
    lost = closes((DAY - 1, -50.0))

    assert answer(rule, a_payload(histories=(lost,), timestamp=DAY)) is None
    assert answer(rule, a_payload(histories=(lost,), timestamp=DAY - 1)) is not None


@pytest.mark.parametrize("lost_at", [0, T0])
def test_a_loss_is_followed_by_a_pause(lost_at: int) -> None:
    rule = cooldown_after_loss(10)
    histories = (TradeHistory(), TradeHistory(last_loss_at=lost_at))

    def after(span_ms: int) -> object:
        return answer(rule, a_payload(histories=histories, timestamp=lost_at + span_ms))

    assert after(0) == "cooling down after a loss for another 10 min"
    assert after(9 * MINUTE) == "cooling down after a loss for another 1 min"
    assert after(10 * MINUTE - 1) == "cooling down after a loss for another 1 min"
    assert after(10 * MINUTE) is None
    assert answer(rule, a_payload(histories=histories[:1])) is None


def test_the_newest_loss_counts() -> None:
    rule = cooldown_after_loss(10)
    histories = (TradeHistory(last_loss_at=T0), TradeHistory(last_loss_at=T0 - 60 * MINUTE))

    assert answer(rule, a_payload(histories=histories, timestamp=T0 + MINUTE)) is not None


def test_hours_are_allowed() -> None:
    rule = allowed_hours([0, 22])

    assert answer(rule, a_payload(timestamp=DAY)) is None
    assert answer(rule, a_payload(timestamp=DAY + HOUR_MS - 1)) is None
    assert answer(rule, a_payload(timestamp=DAY + HOUR_MS)) == "hour 01 UTC is not an allowed hour"
    assert answer(rule, a_payload(timestamp=DAY + 22 * HOUR_MS)) is None


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (max_positions, 1),
        (max_positions_per_symbol, 1),
        (max_positions_per_side, 1),
        (min_reward_risk, 2.0),
        (max_loss_per_day, 1.0),
        (cooldown_after_loss, 5),
        (allowed_hours, [1, 2]),
    ],
)
def test_a_rule_that_was_sent_to_another_process_is_the_same(
    make: Callable[[Any], RiskValidation], limit: object
) -> None:
    rule = make(limit)
    sent = pickle.loads(pickle.dumps(rule))

    assert sent.note == rule.note
    assert (sent.validate.name, sent.validate.limit) == (make.__name__, limit)
