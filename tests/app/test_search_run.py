"""A program searches for parameters: on one core or two, whole or resumed."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from daemon import (
    BacktestError,
    Frame,
    RegistrationError,
    Search,
    SearchSchema,
    StudyError,
    UnknownNameError,
    WalkForward,
    WindowError,
    add_frame,
    add_search,
    get_default_config,
    list_searches,
    listen_exit,
    set_config,
)
from daemon.app import research_runs, search_run, search_schema
from daemon.app.registry import REGISTRY
from daemon.app.search_run import search_json
from daemon.core.search import ranked
from daemon.research.search import TrialTold
from tests.app.walk_stage import MINUTES, SYMBOL, a_registry
from tests.core.samples import MINUTE, T0

pytestmark = pytest.mark.one_loop("the work is done between the turns of a loop")

SCHEMA = SearchSchema(
    search_name="find",
    strategy_name="swing",
    frame_name="early",
    test_frame_name="late",
    trials=10,
    batch_size=4,
    seed=7,
)


@pytest.fixture(autouse=True)
def _a_clean_registry() -> Iterator[None]:
    with a_registry():
        middle, end = T0 + 1600 * MINUTE, T0 + (MINUTES - 1) * MINUTE
        early = Frame(
            frame_name="early", interval="1m", start_ms=T0 + 10 * MINUTE, end_ms=middle - MINUTE
        )
        add_frame(early)
        add_frame(replace(early, frame_name="late", start_ms=middle, end_ms=end))
        add_search(SCHEMA)
        # What lies between train and test is short, as the candles are few.
        set_config(max_signal_lifetime_minutes=60, schedule_await_minutes=60)
        yield
        set_config(**asdict(get_default_config()))
    search_schema.SEARCHES.clear()
    search_run._RUNS.clear()


async def searched(folder: Path, cores: int = 1, name: str = "find") -> list[TrialTold]:
    run = Search.run(SYMBOL, search_name=name, cores=cores, folder=folder)
    return [told async for told in run]


def the_json(name: str = "find") -> str:
    return search_json(Search.get_data(SYMBOL, name))


async def test_a_search_tells_its_trials_in_order_and_shows_train_beside_test(
    tmp_path: Path,
) -> None:
    told = await searched(tmp_path)

    result = Search.get_data(SYMBOL, "find")
    (window,) = result.windows
    best = window.trials[window.best or 0]
    assert [each.trial.number for each in told] == list(range(10))
    assert [each.done for each in told] == list(range(1, 11))
    assert {each.total for each in told} == {10}
    assert result.is_complete
    assert best.train is not None
    assert best.test is not None
    assert best.number == ranked([each.trial for each in told])[0].number
    assert result.out_of_sample is not None
    assert result.out_of_sample.total_signals == best.test.total_signals
    assert all(5 <= each.params["target"] <= 30 for each in window.trials)  # type: ignore[operator]  # whole numbers
    assert window.luck.trial_count == 10
    assert 0 <= (window.luck.deflated_sharpe_ratio or 0) <= 1
    assert window.luck.overfitting is not None


async def test_no_signal_of_the_train_frame_lasts_into_what_is_judged(tmp_path: Path) -> None:
    await searched(tmp_path)

    (window,) = (each.window for each in Search.get_data(SYMBOL, "find").windows)
    assert window.test_start_ms == window.train_end_ms + 121 * MINUTE
    assert window.test_end_ms == REGISTRY.frame("late").end_ms


async def test_two_cores_give_the_bytes_of_one(tmp_path: Path) -> None:
    texts = []
    for cores in (1, 2):
        await searched(tmp_path / str(cores), cores)
        texts.append(the_json())

    assert texts[0] == texts[1]
    assert json.loads(texts[0])["is_complete"]


@pytest.mark.parametrize("left_after", [1, 6])
async def test_a_search_that_was_left_goes_on_to_the_same_end(
    tmp_path: Path, left_after: int
) -> None:
    await searched(tmp_path / "whole")
    whole = the_json()

    run = Search.run(SYMBOL, search_name="find", cores=1, folder=tmp_path / "left")
    async with aclosing(run) as told:
        async for each in told:
            if each.done == left_after:
                break
    partial = Search.get_data(SYMBOL, "find")
    report = Search.get_report(SYMBOL, "find")
    file = tmp_path / "left" / "search" / "BTC%2FUSDT_find.journal"
    # What a process that is killed in the middle of a line leaves.
    with file.open("ab") as journal:
        journal.write(b'{"op_code": 4, "wor')
    resumed = await searched(tmp_path / "left")

    assert not partial.is_complete
    assert len(partial.windows[0].trials) == left_after
    assert "ended before its time" in report
    assert [each.is_resumed for each in resumed] == [n < left_after for n in range(10)]
    assert the_json() == whole


async def test_a_finished_search_is_read_and_not_run_again(tmp_path: Path) -> None:
    await searched(tmp_path)
    first = the_json()
    again = await searched(tmp_path)

    assert all(each.is_resumed for each in again)
    assert the_json() == first


async def test_the_file_of_another_search_is_refused_with_what_differs(tmp_path: Path) -> None:
    await searched(tmp_path)
    search_schema.SEARCHES["find"] = replace(SCHEMA, seed=8, metric="win_rate")

    with pytest.raises(StudyError, match="what differs is metric, seed"):
        await searched(tmp_path)


async def test_two_searches_cannot_share_a_file(tmp_path: Path) -> None:
    ended: list[str] = []
    forget = listen_exit(lambda event: ended.append(event.message))
    run = Search.run(SYMBOL, search_name="find", cores=1, folder=tmp_path)
    async with aclosing(run) as told:
        await anext(told)
        stop = Search.background(SYMBOL, search_name="find", cores=1, folder=tmp_path)
        for task in tuple(research_runs.TASKS):
            await task
        await stop()
    forget()

    assert len(ended) == 1
    assert "is in use by another search" in ended[0]


async def test_a_file_that_is_no_search_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "search" / "BTC%2FUSDT_find.journal"
    file.parent.mkdir()
    file.write_text("a diary\n")

    with pytest.raises(StudyError, match="it is not the file of a search"):
        await searched(tmp_path)
    assert file.read_text() == "a diary\n"
    assert [run.status for run in Search.list()] == ["rejected"]


async def test_a_walk_forward_chains_its_windows(tmp_path: Path) -> None:
    walk = WalkForward(train_days=0.5, test_days=0.5, purge_minutes=60)
    add_search(
        SearchSchema(
            search_name="forward",
            strategy_name="swing",
            frame_name="all",
            walk_forward=walk,
            trials=4,
            batch_size=4,
        )
    )
    told = await searched(tmp_path, name="forward")

    result = Search.get_data(SYMBOL, "forward")
    place = await Search.dump(SYMBOL, "forward", tmp_path)
    report = place.read_text()
    assert [window.window.number for window in result.windows] == [0, 1, 2]
    assert len(told) == 12
    assert told[-1].done == told[-1].total == 12
    assert result.out_of_sample is not None
    assert result.out_of_sample.window_count == 3
    assert "## Window 2" in report
    assert "## Winners on Their Test Ranges" in report
    assert "Deflated Sharpe Ratio" in report
    assert json.loads((tmp_path / "search" / "BTC%2FUSDT_forward.json").read_text())["windows"]
    assert "<h1>Search: forward</h1>" in place.with_suffix(".html").read_text()


async def test_a_space_smaller_than_the_trials_ends_when_all_is_tried(tmp_path: Path) -> None:
    strategy = REGISTRY.strategy("swing")
    small = type("Small", (strategy,), {"spaces": {"side": strategy.spaces["side"]}})
    REGISTRY.strategies["swing"] = small
    told = await searched(tmp_path)

    assert len(told) < 10
    assert len(told) % 4 == 0
    assert Search.get_data(SYMBOL, "find").is_complete


async def test_a_stop_keeps_what_there_is(tmp_path: Path) -> None:
    told = []
    async with aclosing(Search.run(SYMBOL, search_name="find", cores=1, folder=tmp_path)) as trials:
        async for each in trials:
            told.append(each)
            if each.done == 3:
                Search.stop(SYMBOL, "find")

    assert len(told) == 3
    assert not Search.get_data(SYMBOL, "find").is_complete
    assert [run.status for run in Search.list()] == ["fulfilled"]


async def test_what_cannot_be_searched_is_one_clear_line(tmp_path: Path) -> None:
    set_config(**asdict(get_default_config()))
    changes: list[tuple[dict[str, Any], str]] = [
        ({"search_name": "find"}, "search 'find' already exists"),
        ({"search_name": ""}, "needs a search_name"),
        ({"metric": "luck"}, "unknown metric 'luck'"),
        ({"trials": 0}, "trials must be at least 1"),
        ({"walk_forward": WalkForward(train_days=1, test_days=1)}, "not both of them"),
    ]
    for change, message in changes:
        with pytest.raises(RegistrationError, match=message):
            add_search(replace(SCHEMA, **{"search_name": "new", **change}))
    with pytest.raises(UnknownNameError, match="no search 'x'; registered: 'find'"):
        await searched(tmp_path, name="x")
    with pytest.raises(UnknownNameError, match="no search of find on"):
        Search.get_data(SYMBOL, "find")
    bad = {
        "split": (replace(SCHEMA, test_frame_name=""), WindowError, "too short to be split"),
        "swap": (
            replace(SCHEMA, frame_name="late", test_frame_name="early"),
            RegistrationError,
            "the test frame 'early' begins before the train frame 'late' has ended",
        ),
        "purged": (
            replace(SCHEMA, frame_name="all", test_frame_name="last"),
            RegistrationError,
            "the test frame 'last' ends before signals of the train frame 'all' must have ended",
        ),
        "long": (
            replace(
                SCHEMA,
                test_frame_name="",
                walk_forward=WalkForward(train_days=1, test_days=9),
            ),
            WindowError,
            "one window takes 11.08 days",
        ),
    }
    last_ms = T0 + MINUTES * MINUTE
    add_frame(
        Frame(frame_name="last", interval="1m", start_ms=last_ms, end_ms=last_ms + 1_560 * MINUTE)
    )
    for name, (schema, error, message) in bad.items():
        add_search(replace(schema, search_name=name))
        with pytest.raises(error, match=message):
            await searched(tmp_path, name=name)
    add_frame(Frame(frame_name="beyond", interval="1m", start_ms=T0 + 1600 * MINUTE, end_ms=2 * T0))
    add_search(replace(SCHEMA, search_name="beyond", test_frame_name="beyond"))
    with pytest.raises(BacktestError, match="lies outside the candles"):
        await searched(tmp_path, name="beyond")
    assert len(list_searches()) == 6
    assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir()))


async def test_a_search_in_the_background_is_stopped(tmp_path: Path) -> None:
    stop = Search.background(SYMBOL, search_name="find", cores=1, folder=tmp_path)
    async with asyncio.timeout(20):
        await stop()

    assert not Search.get_data(SYMBOL, "find").is_complete
