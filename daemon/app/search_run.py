"""`Search`: look for good parameters of a strategy, and learn how likely the best are luck.

The strategy says in `spaces` what may be tried. Every trial is kept in a file: a search that was
ended in any way goes on from it, and comes to the same as one that never was.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.app.extras import research_libraries
from daemon.app.hands import hand_limit, modules_of, open_hands, terms_of
from daemon.app.history import history
from daemon.app.json_text import json_text
from daemon.app.own_code import code_digest
from daemon.app.registry import REGISTRY, RegistrationError
from daemon.app.report_files import write_page_if_drawn, write_report
from daemon.app.research_runs import Runs, RunStatus, StopRun, in_background, kept_status
from daemon.app.search_schema import SearchSchema, find_search, ranges_of, windows_for
from daemon.core.errors import TickdError
from daemon.core.frame import Frame
from daemon.core.search import SearchResult
from daemon.core.signal import Key
from daemon.reports.places import report_path
from daemon.reports.search import render_search
from daemon.research import search as engine
from daemon.research.assignment import Assignment, Terms, plan_of
from daemon.research.columns import Minutes
from daemon.research.search import OpenStudy, SearchPlan, TrialTold
from daemon.research.walk_telling import WalkTeller

if TYPE_CHECKING:
    from daemon.adapters.optuna_studies import Studies


@dataclass(eq=False, slots=True, kw_only=True)
class SearchRun:
    """One search: what it is about, how it fares, and what it has come to."""

    symbol: str
    search_name: str
    plan: SearchPlan
    terms: Terms
    minutes: Minutes
    cores: int
    cluster: str
    file: Path
    engine: engine.Search
    status: RunStatus = "ready"

    async def go(self) -> AsyncGenerator[TrialTold, None]:
        """Run, once; whatever ends it, what there is by then stays readable, and in the file."""
        hand_count = min(self.cores, self.plan.batch_size)
        with kept_status(self):
            async with (
                _opened(self.file, self.plan, self.terms) as open_study,
                open_hands(self.terms, self.minutes, hand_count, self.cluster) as hands,
                aclosing(self.engine.run(hands, open_study)) as told,
            ):
                async for event in told:
                    yield event

    async def drain(self) -> None:
        """Run without yielding; what keeps it from its end is told on `exit`."""
        try:
            async for _ in self.go():
                pass
        except TickdError as error:
            key = Key(
                exchange_name=self.plan.exchange_name,
                symbol=self.symbol,
                strategy_name=self.search_name,
            )
            at_ms = self.plan.windows[0].train_start_ms
            with WalkTeller(REGISTRY.subjects, key, at_ms) as teller:
                await teller.exit("search", type(error).__name__, str(error))


class Search:
    """Runs, stops and reads searches. All of it belongs on one event loop."""

    @staticmethod
    async def run(
        symbol: str,
        *,
        search_name: str,
        cores: int | None = None,
        folder: str | Path = "dump",
        cluster: str = "",
    ) -> AsyncGenerator[TrialTold, None]:
        """Run the search, or go on with it; yield its trials in order, those kept before first.

        `folder` holds its file; `cores` are all if left out; with the address of a Dask `cluster`
        its workers do the work. Raises UnknownNameError,
        WindowError, BacktestError, StudyError and WorkerError, each in one line.
        """
        run = _prepare(symbol, search_name, Path(folder), cores, cluster)
        async with aclosing(run.go()) as told:
            async for event in told:
                yield event

    @staticmethod
    def background(
        symbol: str,
        *,
        search_name: str,
        cores: int | None = None,
        folder: str | Path = "dump",
        cluster: str = "",
    ) -> StopRun:
        """Run without yielding; return a function that stops the search and waits for its end.

        A failure is told on `exit`. Raises as `run` does.
        """
        run = _prepare(symbol, search_name, Path(folder), cores, cluster)
        return in_background(run.drain(), "search", run.engine.stop)

    @staticmethod
    def stop(symbol: str, search_name: str) -> None:
        """Begin no further trial; the search can be run again, and goes on."""
        _RUNS.find(symbol, search_name).engine.stop()

    @staticmethod
    def get_data(symbol: str, search_name: str) -> SearchResult:
        """Return what the newest run has come to so far. Raises UnknownNameError without one."""
        return _RUNS.find(symbol, search_name).engine.result()

    @staticmethod
    def get_report(symbol: str, search_name: str) -> str:
        """Return the newest run's report as Markdown."""
        return render_search(Search.get_data(symbol, search_name))

    @staticmethod
    async def dump(symbol: str, search_name: str, path: str | Path = "dump") -> Path:
        """Write the report below the folder `path`; return its place.

        Its JSON is written beside it, and, where plotly is installed, the page with charts.
        """
        place = Path(path) / report_path("search", search_name, symbol=symbol)
        result = Search.get_data(symbol, search_name)
        await asyncio.to_thread(write_report, place, render_search(result), search_json(result))
        await asyncio.to_thread(write_page_if_drawn, place, partial(search_page, result))
        return place

    @staticmethod
    def list() -> tuple[SearchRun, ...]:
        """Return the newest run of each (symbol, search), in the order of their start."""
        return tuple(_RUNS.values())


def search_json(result: SearchResult) -> str:
    """Return `result` as JSON: byte for byte the same for the same inputs, on any cores."""
    return json_text(result) + "\n"


def search_page(result: SearchResult) -> str:
    """Return `result` as an HTML page. Raises MissingLibraryError without plotly."""
    with research_libraries("the HTML report"):
        # Only here: plotly is large, and most searches draw nothing.
        from daemon.reports.html.search_page import render_search_page  # noqa: PLC0415

    return render_search_page(result)


_RUNS: Runs[SearchRun] = Runs("search")


def _prepare(
    symbol: str, search_name: str, folder: Path, cores: int | None, cluster: str
) -> SearchRun:
    schema = find_search(search_name)
    terms = terms_of(symbol, schema.exchange_name, [schema.strategy_name])
    minutes = history(schema.exchange_name, symbol)
    plan = search_plan(schema, REGISTRY.frame(schema.frame_name), terms, minutes)
    run = SearchRun(
        symbol=symbol,
        search_name=search_name,
        plan=plan,
        terms=terms,
        minutes=minutes,
        cores=hand_limit(cores, cluster),
        cluster=cluster,
        file=(folder / report_path("search", search_name, symbol=symbol)).with_suffix(".journal"),
        engine=engine.Search(plan),
    )
    _RUNS.keep(symbol, search_name, run)
    return run


def search_plan(schema: SearchSchema, frame: Frame, terms: Terms, minutes: Minutes) -> SearchPlan:
    """Return what a search on `frame` is about.

    Raises RegistrationError for a strategy without spaces, WindowError, and BacktestError for
    ranges that lie outside of the candles.
    """
    spaces = terms.strategies[schema.strategy_name].spaces
    if not spaces:
        raise RegistrationError(
            f"strategy {schema.strategy_name!r} says nothing of what may be tried: give it spaces, "
            'as in spaces = {"fast": Int(5, 30)}'
        )
    windows = windows_for(schema, frame, terms)
    for start_ms, end_ms in ranges_of(windows):
        wanted = replace(frame, start_ms=start_ms, end_ms=end_ms, on_timeframe=None)
        # Raises, in one line, for what lies outside of the candles.
        name = schema.strategy_name
        plan_of(terms, minutes, Assignment(name=name, strategy_name=name, frame=wanted))
    return SearchPlan(
        search_name=schema.search_name,
        strategy_name=schema.strategy_name,
        symbol=terms.symbol,
        exchange_name=schema.exchange_name,
        spaces=spaces,
        windows=windows,
        interval=frame.interval,
        metric=schema.metric,
        trial_count=schema.trials,
        batch_size=schema.batch_size,
        seed=schema.seed,
        data_fingerprint=minutes.fingerprint,
    )


def _about(plan: SearchPlan, terms: Terms) -> Callable[[int], Mapping[str, str]]:
    """Return what the trials of a window depend on, in words: the file holds trials of no other."""
    strategy = terms.strategies[plan.strategy_name]
    risks: list[object] = [profile.risk_name for profile in terms.profiles]
    configured = terms.configured.get(plan.strategy_name)
    params = strategy.params
    if configured is not None:
        # A configuration changes all this while the code stays the same.
        risks += [configured.risk_names, configured.interval, configured.about]
        params = {**params, **configured.params}
    fixed = {
        "data": plan.data_fingerprint,
        "strategy": f"{plan.exchange_name} {plan.symbol} {plan.strategy_name} {risks}",
        "code": code_digest(modules_of(terms)),
        "params": repr(sorted((name, repr(params[name])) for name in params)),
        "spaces": repr(sorted(plan.spaces.items())),
        "rules": repr(terms.rules),
        "metric": plan.metric,
        "seed": str(plan.seed),
        "batch_size": str(plan.batch_size),
        "interval": plan.interval,
    }
    return lambda number: {**fixed, "ranges": repr(plan.windows[number])}


@asynccontextmanager
async def _opened(file: Path, plan: SearchPlan, terms: Terms) -> AsyncGenerator[OpenStudy, None]:
    """Give what opens the study of a window, and let the file go in the end."""
    about = await asyncio.to_thread(_about, plan, terms)
    studies = await asyncio.to_thread(_open_studies, file, plan)
    try:
        yield lambda number: studies.study(plan.search_name, number, about(number))
    finally:
        studies.close()


def _open_studies(file: Path, plan: SearchPlan) -> "Studies":
    # Only a search loads it: optuna takes a second.
    with research_libraries("a search for parameters"):
        home = import_module("daemon.adapters.optuna_studies")
    studies: Studies = home.Studies(file, plan.spaces, plan.seed)
    return studies
