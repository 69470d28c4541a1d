"""A program compares strategies: on one core or two, heard, stopped, left and written."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from daemon import (
    RegistrationError,
    RiskPayload,
    Signal,
    UnknownNameError,
    Variant,
    View,
    Walker,
    WalkerCallbacks,
    WalkerContract,
    WalkerSchema,
    add_risk,
    add_strategy,
    add_walker,
    list_walkers,
    listen_done_walker,
    listen_error,
    listen_exit,
    listen_walker,
    listen_walker_complete,
    listen_walker_progress,
    variants,
)
from daemon.app import research_runs, walker_run, walker_schema
from daemon.app.registry import REGISTRY
from daemon.core.risk_limits import max_positions
from daemon.core.walker_statistics import WALKER_METRICS, metric_value
from daemon.reports.walker import NoResultsError
from tests.app.walk_stage import SYMBOL, Swing, a_registry

pytestmark = pytest.mark.one_loop("the work is done between the turns of a loop")
GRID = variants("swing", target=[8, 12, 20], side=["long", "short"])


@pytest.fixture(autouse=True)
def _a_clean_registry() -> Iterator[None]:
    with a_registry():
        add_walker(WalkerSchema(walker_name="grid", frame_name="all", strategies=GRID))
        yield
    walker_schema.WALKERS.clear()
    walker_run._RUNS.clear()


async def walked(name: str = "grid", cores: int = 1) -> list[WalkerContract]:
    return [event async for event in Walker.run(SYMBOL, walker_name=name, cores=cores)]


async def test_strategies_are_compared_by_the_metric_in_their_order() -> None:
    told = await walked()

    data = Walker.get_data(SYMBOL, "grid")
    assert [event.strategy_name for event in told] == [variant.name for variant in GRID]
    assert GRID[0].name == "swing(target=8, side=long)"
    values = [event.metric_value for event in told]
    assert len(set(values)) == len(values)
    assert told[-1].best_metric == data.best_metric == max(v for v in values if v is not None)
    assert told[-1].strategies_tested == told[-1].total_strategies == 6
    assert [run.status for run in Walker.list()] == ["fulfilled"]
    assert Walker.get_result(SYMBOL, "grid").is_complete


@pytest.mark.parametrize("metric", WALKER_METRICS)
async def test_each_metric_ranks_by_itself(metric: Any) -> None:
    add_walker(WalkerSchema(walker_name="by", frame_name="all", strategies=GRID[:2], metric=metric))
    await walked("by")

    data = Walker.get_data(SYMBOL, "by")
    assert data.best_stats is not None
    assert data.best_metric == metric_value(data.best_stats, metric)


async def test_two_cores_give_the_bytes_and_events_of_one() -> None:
    heard: list[object] = []
    forget = [listen_walker(heard.append), listen_walker_progress(heard.append)]
    texts, events = [], []
    for cores in (1, 2):
        heard.clear()
        await walked(cores=cores)
        texts.append(walker_run.walker_json(Walker.get_result(SYMBOL, "grid")))
        events.append(list(heard))
    for each in forget:
        each()

    assert texts[0] == texts[1]
    assert events[0] == events[1]
    assert len(json.loads(texts[0])["backtests"]) == 6


ALONE = """
import asyncio, os, threading
from tests.app.test_walker_run import GRID, SYMBOL, Walker, WalkerSchema, add_walker, walked
from tests.app.walk_stage import a_registry

async def walk(cores):
    forked = []
    os.register_at_fork(before=lambda: forked.append(1))
    await walked(cores=cores)
    return len(forked)

with a_registry():
    add_walker(WalkerSchema(walker_name="grid", frame_name="all", strategies=GRID))
    texts = []
    for cores in (1, 3):
        print(asyncio.run(walk(cores)))
        texts.append(Walker.get_report(SYMBOL, "grid"))
    print(texts[0] == texts[1])
"""


def test_where_nothing_else_runs_the_other_cores_are_copies_of_this_process() -> None:
    command = [sys.executable, "-c", ALONE]

    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)

    assert ended.stdout.split() == ["0", "2", "True"]


async def test_listeners_and_callbacks_hear_in_the_order_of_the_documents() -> None:
    heard: list[object] = []

    async def start(name: str, symbol: str) -> None:
        heard.append(("start", name, symbol))

    callbacks = WalkerCallbacks(
        on_strategy_start=start,
        on_strategy_complete=lambda name, *_: heard.append(("complete", name)),
        on_complete=lambda results: heard.append(("all", results.best_strategy)),
    )
    add_walker(
        WalkerSchema(walker_name="one", frame_name="all", strategies=["swing"], callbacks=callbacks)
    )
    forget = [
        listen(lambda event: heard.append(type(event).__name__))
        for listen in (
            listen_walker,
            listen_walker_progress,
            listen_walker_complete,
            listen_done_walker,
        )
    ]
    await walked("one")
    for each in forget:
        each()

    assert heard == [
        ("start", "swing", SYMBOL),
        "ProgressWalkerContract",
        ("complete", "swing"),
        "WalkerContract",
        ("all", "swing"),
        "WalkerCompleteContract",
        "DoneContract",
    ]


async def test_a_strategy_that_cannot_be_tested_is_told_and_skipped(tmp_path: Path) -> None:
    errors: list[object] = []
    failed: list[tuple[str, ...]] = []
    callbacks = WalkerCallbacks(on_strategy_error=lambda *told: failed.append(told))
    add_walker(
        WalkerSchema(
            walker_name="mixed",
            frame_name="all",
            strategies=["unmade", "swing"],
            callbacks=callbacks,
        )
    )
    forget = listen_error(lambda event: errors.append(event.message))
    told = await walked("mixed")
    forget()

    place = await Walker.dump(SYMBOL, "mixed", tmp_path)
    message = "BTC/USDT/unmade: the strategy cannot be made: RuntimeError: no model"
    assert [event.strategy_name for event in told] == ["swing"]
    assert failed[0][:2] == ("unmade", SYMBOL)
    assert failed[0][2].startswith(message)
    assert errors == [f"unmade: {failed[0][2]}"]
    assert f"unmade could not be tested: {message}" in place.read_text()
    assert json.loads(place.with_suffix(".json").read_text())["failures"][0]["error"]
    assert f"unmade could not be tested: {message}" in place.with_suffix(".html").read_text()


async def test_a_strategy_that_kills_its_process_costs_its_own_result() -> None:
    lethal = Variant(strategy_name="lethal", params={"target": os.getpid()})
    mixed = [lethal, GRID[0], GRID[1]]  # the other process has the first one
    add_walker(WalkerSchema(walker_name="deadly", frame_name="all", strategies=mixed))
    told = await walked("deadly", cores=2)

    result = Walker.get_result(SYMBOL, "deadly")
    assert [event.strategy_name for event in told] == [GRID[0].name, GRID[1].name]
    assert [failure.message for failure in result.failures] == [
        "its worker process died 2 times (killed by SIGKILL)"
    ]


async def test_a_listener_that_raises_and_a_callback_that_raises_cost_their_calls() -> None:
    errors: list[str] = []

    def broken(*_: object) -> None:
        raise RuntimeError("mine")

    callbacks = WalkerCallbacks(on_complete=broken)
    add_walker(
        WalkerSchema(walker_name="one", frame_name="all", strategies=["swing"], callbacks=callbacks)
    )
    forget = [listen_walker(broken), listen_error(lambda event: errors.append(event.where))]
    told = await walked("one")
    for each in forget:
        each()

    assert len(told) == 1
    assert errors == ["listener", "callback on_complete"]


async def test_a_walk_that_is_stopped_keeps_what_was_tested() -> None:
    stopped: list[str] = []
    forget = REGISTRY.subjects.walker_stop.subscribe(
        lambda event: stopped.append(event.strategy_name)
    )
    done: list[object] = []
    forget_done = listen_done_walker(done.append)

    async def hear(event: WalkerContract) -> None:
        if event.strategies_tested == 2:
            await Walker.stop(SYMBOL, "grid")

    forget_walker = listen_walker(hear)
    told = await walked(cores=2)
    for each in (forget, forget_done, forget_walker):
        each()

    assert len(told) == 2
    assert stopped == [variant.name for variant in GRID]
    assert len(done) == 1
    assert not Walker.get_result(SYMBOL, "grid").is_complete
    assert "ended before its time" in Walker.get_report(SYMBOL, "grid")


async def test_a_walk_that_is_left_keeps_a_valid_report_and_no_process(tmp_path: Path) -> None:
    run = Walker.run(SYMBOL, walker_name="grid", cores=2)
    async with aclosing(run) as told:
        async for _ in told:
            break

    place = await Walker.dump(SYMBOL, "grid", tmp_path)
    assert "Strategies Tested:** 1 of 6" in place.read_text()
    assert not json.loads(place.with_suffix(".json").read_text())["is_complete"]
    assert [run.status for run in Walker.list()] == ["rejected"]


async def test_a_walk_in_the_background_is_stopped_or_tells_why_it_ended() -> None:
    done: list[object] = []
    ended: list[str] = []
    forget = [listen_done_walker(done.append), listen_exit(lambda e: ended.append(e.message))]
    stop = Walker.background(SYMBOL, walker_name="grid", cores=1)
    await stop()

    class Local(Swing):
        strategy_name = "local"

    add_strategy(Local)
    pair = ["swing", "local"]
    add_walker(WalkerSchema(walker_name="local", frame_name="all", strategies=pair))
    Walker.background(SYMBOL, walker_name="local", cores=2)
    for task in tuple(research_runs.TASKS):
        await task
    for each in forget:
        each()

    assert len(done) == 1
    assert len(ended) == 1
    assert ended[0].startswith("this cannot be sent to other processes: put strategies")


async def test_risk_profiles_go_with_the_strategies_that_name_them() -> None:
    add_risk("never", [max_positions(5), never])
    add_strategy(Careful)
    add_walker(
        WalkerSchema(walker_name="careful", frame_name="all", strategies=["swing", "careful"])
    )
    results = []
    for cores in (1, 2):
        await walked("careful", cores=cores)
        results.append(Walker.get_result(SYMBOL, "careful"))

    assert results[0] == results[1]
    assert results[0].backtests[1].lanes[0].refused_count > 0
    assert results[0].backtests[1].lanes[0].opened_count == 0


class Careful(Swing):
    strategy_name = "careful"
    risk_name = "never"

    def get_signal(self, view: View) -> Signal:
        return super().get_signal(view)


def never(payload: RiskPayload) -> str:
    return "never"


async def test_what_cannot_be_walked_is_one_clear_line() -> None:
    schema = WalkerSchema(walker_name="new", frame_name="all", strategies=["swing"])
    for change, message in (
        ({"walker_name": "grid"}, "walker 'grid' already exists"),
        ({"walker_name": ""}, "needs a walker_name"),
        ({"metric": "luck"}, "unknown metric 'luck': use one of sharpe_ratio"),
        ({"strategies": []}, "no strategies to compare"),
        ({"strategies": ["swing", "swing"]}, "swing is named twice"),
    ):
        with pytest.raises(RegistrationError, match=message):
            add_walker(replace(schema, **change))
    with pytest.raises(UnknownNameError, match="no walker 'x'; registered: 'grid'"):
        await walked("x")
    with pytest.raises(UnknownNameError, match="no walk of grid on"):
        Walker.get_data(SYMBOL, "grid")
    with pytest.raises(RegistrationError, match="cores must be at least 1"):
        await walked(cores=0)
    typo = WalkerSchema(
        walker_name="typo", frame_name="all", strategies=variants("swing", tarhet=[1])
    )
    add_walker(typo)
    with pytest.raises(RegistrationError, match=r"has no parameter 'tarhet' \(params: target"):
        await walked("typo")
    assert [each.walker_name for each in list_walkers()] == ["grid", "typo"]


async def test_there_is_no_report_before_the_first_result() -> None:
    Walker.background(SYMBOL, walker_name="grid", cores=1)

    with pytest.raises(NoResultsError):
        Walker.get_report(SYMBOL, "grid")
    await Walker.stop(SYMBOL, "grid")
    for task in tuple(research_runs.TASKS):
        await task
