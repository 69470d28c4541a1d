"""What walkers and optimizers tell, and who hears it."""

from typing import get_args

import pytest

from daemon.core.events import DoneContract
from daemon.core.research_events import (
    ProgressOptimizerContract,
    ProgressWalkerContract,
    ResearchEvent,
    ResearchSubjects,
    WalkerCompleteContract,
    WalkerContract,
    WalkerStopContract,
    route_research,
)
from daemon.core.statistics import backtest_statistics
from tests.core.trades import trades

STATS = backtest_statistics(trades(1.0, 2.0))
WHERE = {"exchange_name": "sandbox", "frame_name": "year", "symbol": "BTC/USDT"}

EVENTS: dict[str, ResearchEvent] = {
    "done_walker": DoneContract(strategy_name="w", backtest=True, **WHERE),
    "progress_walker": ProgressWalkerContract(
        walker_name="w", total_strategies=2, processed_strategies=1, progress=0.5, **WHERE
    ),
    "progress_optimizer": ProgressOptimizerContract(
        optimizer_name="o", symbol="BTC/USDT", total_sources=2, processed_sources=1, progress=0.5
    ),
    "walker": WalkerContract(
        walker_name="w",
        strategy_name="sma",
        stats=STATS,
        metric_value=1.0,
        metric="sharpe_ratio",
        best_metric=1.0,
        best_strategy="sma",
        strategies_tested=1,
        total_strategies=2,
        **WHERE,
    ),
    "walker_complete": WalkerCompleteContract(
        walker_name="w",
        metric="sharpe_ratio",
        total_strategies=2,
        best_strategy=None,
        best_metric=None,
        best_stats=None,
        **WHERE,
    ),
    "walker_stop": WalkerStopContract(symbol="BTC/USDT", strategy_name="sma", walker_name="w"),
}


def test_every_event_is_tried() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(ResearchEvent))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_reaches_its_own_emitter_and_no_other(name: str) -> None:
    subjects, heard = ResearchSubjects(), []
    for each in EVENTS:
        getattr(subjects, each).subscribe(lambda event, each=each: heard.append((each, event)))
    subjects.done_backtest.subscribe(lambda event: heard.append(("done_backtest", event)))

    for delivery in route_research(EVENTS[name], subjects):
        delivery.call()

    assert heard == [(name, EVENTS[name])]
