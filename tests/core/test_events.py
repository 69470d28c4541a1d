"""What is told: frozen facts under the documents' names."""

from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from daemon.core.events import (
    Announcement,
    DoneContract,
    ErrorContract,
    ExitContract,
    Keyed,
    PartialLossContract,
    PartialProfitContract,
    PerformanceContract,
    PerformanceMetric,
    ProgressBacktestContract,
    RiskContract,
    SignalTransition,
    TickResult,
    Transition,
    name_of,
)
from tests.core import some_events


def test_tick_results_are_told_apart_by_their_action() -> None:
    actions = [kind.__dataclass_fields__["action"].default for kind in get_args(TickResult)]

    assert actions == ["idle", "scheduled", "opened", "active", "closed", "cancelled"]


def test_transitions_have_names_of_their_own() -> None:
    names = [name_of(event) for event in some_events.every_transition()]

    assert names == [
        "scheduled",
        "opened",
        "closed",
        "cancelled",
        "partial_profit",
        "partial_loss",
        "risk",
        "error",
        "exit",
    ]
    assert {type(event) for event in some_events.every_transition()} == set(get_args(Transition))


def test_every_durable_fact_has_an_id_and_the_rest_has_none() -> None:
    for kind in get_args(Announcement):
        has_id = "id" in {field.name for field in fields(kind)}
        assert has_id is (kind in get_args(Transition)), kind


def test_what_a_step_makes_is_durable() -> None:
    assert set(get_args(SignalTransition)) < set(get_args(Transition))


@pytest.mark.parametrize("event", some_events.every_event(), ids=lambda event: type(event).__name__)
def test_every_event_names_its_task_and_its_mode(event: Announcement) -> None:
    if isinstance(event, Keyed):
        assert event.symbol == event.key.symbol
        assert event.strategy_name == event.key.strategy_name
        assert event.exchange_name == event.key.exchange_name
        assert event.timestamp == event.at_ms
    if isinstance(event, ProgressBacktestContract):
        return  # its name says so
    assert event.backtest is False
    with pytest.raises(FrozenInstanceError):
        event.backtest = True  # type: ignore[misc]  # what a listener might try


def test_contracts_carry_the_documents_fields() -> None:
    def names(kind: type) -> set[str]:
        return set(kind.__dataclass_fields__)  # type: ignore[attr-defined]  # all are dataclasses

    level = {"data", "current_price", "level", "backtest", "progress_percent", "price_percent"}
    assert names(PartialProfitContract) >= level | {"revenue_percent"}
    assert names(PartialLossContract) >= level | {"loss_percent"}
    assert names(RiskContract) >= {
        "pending_signal",
        "current_price",
        "active_position_count",
        "comment",
    }
    assert names(DoneContract) == {
        "exchange_name",
        "strategy_name",
        "symbol",
        "backtest",
        "frame_name",
    }
    assert names(PerformanceContract) >= {
        "timestamp",
        "previous_timestamp",
        "metric_type",
        "duration_ms",
    }
    assert names(ErrorContract) == names(ExitContract)


def test_the_metrics_are_the_documents() -> None:
    assert get_args(PerformanceMetric) == (
        "live_tick",
        "backtest_total",
        "backtest_timeframe",
        "backtest_signal",
        "strategy_execution",
        "exchange_fetch",
        "risk_validation",
        "persistence_write",
    )
