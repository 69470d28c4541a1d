"""The thresholds and their defaults."""

from dataclasses import FrozenInstanceError, replace

import pytest

from daemon.core.rules import Rules


def test_the_defaults_are_the_documents() -> None:
    rules = Rules()

    assert (rules.percent_slippage, rules.percent_fee) == (0.1, 0.1)
    assert rules.min_takeprofit_distance_percent == 0.3
    assert rules.min_stoploss_distance_percent == 0.1
    assert rules.max_stoploss_distance_percent == 20.0
    assert rules.require_profit_after_costs
    assert rules.max_signal_lifetime_minutes == 1440
    assert rules.schedule_await_minutes == 120
    assert rules.max_signal_generation_seconds == 180
    assert rules.avg_price_candles_count == 5
    assert rules.align
    assert (rules.partial_basis, rules.intrabar) == ("progress", "seed")
    assert rules.max_price_age_s == 60
    assert rules.max_price_jump_percent == 50.0
    assert (rules.get_candles_retry_count, rules.get_candles_retry_delay_ms) == (3, 5000)
    assert rules.get_candles_price_anomaly_threshold_factor == 1000
    assert rules.get_candles_min_candles_for_median == 5


def test_spans_are_told_in_milliseconds() -> None:
    rules = replace(Rules(), schedule_await_minutes=2, max_price_age_s=3)

    assert rules.schedule_await_ms == 120_000
    assert rules.price_age_ms_max == 3_000


def test_rules_do_not_change_while_they_are_used() -> None:
    with pytest.raises(FrozenInstanceError):
        Rules().percent_fee = 0.0  # type: ignore[misc]  # what a strategy might try
