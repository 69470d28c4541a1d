"""`Search`: look for good parameters of a strategy, and learn how likely the best are luck.

The strategy says in `spaces` what may be tried. Every trial is kept in a file: a search that was
ended in any way goes on from it, and comes to the same as one that never was.
"""

import asyncio
import inspect
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from daemon.app.extras import research_libraries
from daemon.app.hands import core_count, open_hands, terms_of
from daemon.app.history import history
from daemon.app.registry import REGISTRY, RegistrationError, UnknownNameError
from daemon.app.report_files import write_report
from daemon.core.errors import TickdError
from daemon.core.frame import Frame
from daemon.core.search import SearchResult, SearchWindow
from daemon.core.signal import Key
from daemon.core.walker_statistics import WALKER_METRICS, WalkerMetric
from daemon.reports.as_json import as_json
from daemon.reports.places import report_path
from daemon.reports.search import render_search
from daemon.research import search as engine
from daemon.research.assignment import Assignment, Terms, plan_of
from daemon.research.columns import Minutes
from daemon.research.search import OpenStudy, SearchPlan, TrialTold
from daemon.research.walk_forward import WalkForward, split, windows_of
from daemon.research.walk_telling import WalkTeller

if TYPE_CHECKING:
    from daemon.adapters.optuna_studies import Studies

TRAIN_SHARE = 0.7
"""Without a word on ranges, so much of the frame is searched on, and the rest judges."""

RunStatus = Literal["ready", "pending", "fulfilled", "rejected"]
StopRun = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSchema:
    """A search: which strategy, on which frame, by which metric (larger is better), how long.

    It judges on `test_frame_name` if given, on the windows of `walk_forward`, or else on the last
    30 % of the frame. `batch_size` trials are worked on before the next ones are thought of.
    """

    search_name: str
    strategy_name: str
    frame_name: str
    exchange_name: str = "sandbox"
    test_frame_name: str = ""
    walk_forward: WalkForward | None = None
    metric: WalkerMetric = "sharpe_ratio"
    trials: int = 100
    batch_size: int = 8
    seed: int = 1
    note: str = ""


@dataclass(eq=False, slots=True, kw_only=True)
class SearchRun:
    """One search: what it is about, how it fares, and what it has come to."""

    symbol: str
    search_name: str
    plan: SearchPlan
    terms: Terms
    minutes: Minutes
    cores: int
    file: Path
    engine: engine.Search
    status: RunStatus = "ready"

    async def go(self) -> AsyncGenerator[TrialTold, None]:
        """Run, once; whatever ends it, what there is by then stays readable, and in the file."""
        self.status = "pending"
        hand_count = min(self.cores, self.plan.batch_size)
        try:
            async with (
                _opened(self.file, self.plan, self.terms) as open_study,
                open_hands(self.terms, self.minutes, hand_count) as hands,
                aclosing(self.engine.run(hands, open_study)) as told,
            ):
                async for event in told:
                    yield event
            self.status = "fulfilled"
        finally:
            if self.status == "pending":
                self.status = "rejected"

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
        symbol: str, *, search_name: str, cores: int | None = None, folder: str | Path = "dump"
    ) -> AsyncGenerator[TrialTold, None]:
        """Run the search, or go on with it; yield its trials in order, those kept before first.

        `folder` holds its file; `cores` are all if left out. Raises UnknownNameError,
        WindowError, BacktestError, StudyError and WorkerError, each in one line.
        """
        run = _prepare(symbol, search_name, cores, Path(folder))
        async with aclosing(run.go()) as told:
            async for event in told:
                yield event

    @staticmethod
    def background(
        symbol: str, *, search_name: str, cores: int | None = None, folder: str | Path = "dump"
    ) -> StopRun:
        """Run without yielding; return a function that stops the search and waits for its end.

        A failure is told on `exit`. Raises as `run` does.
        """
        run = _prepare(symbol, search_name, cores, Path(folder))
        task = asyncio.get_running_loop().create_task(run.drain(), name="search")
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)

        async def stop() -> None:
            run.engine.stop()
            await asyncio.wait([task])

        return stop

    @staticmethod
    def stop(symbol: str, search_name: str) -> None:
        """Begin no further trial; the search can be run again, and goes on."""
        _find(symbol, search_name).engine.stop()

    @staticmethod
    def get_data(symbol: str, search_name: str) -> SearchResult:
        """Return what the newest run has come to so far. Raises UnknownNameError without one."""
        return _find(symbol, search_name).engine.result()

    @staticmethod
    def get_report(symbol: str, search_name: str) -> str:
        """Return the newest run's report as Markdown."""
        return render_search(Search.get_data(symbol, search_name))

    @staticmethod
    async def dump(symbol: str, search_name: str, path: str | Path = "dump") -> Path:
        """Write the report below the folder `path`, and its JSON beside it; return its place."""
        place = Path(path) / report_path("search", search_name, symbol=symbol)
        result = Search.get_data(symbol, search_name)
        await asyncio.to_thread(write_report, place, render_search(result), search_json(result))
        return place

    @staticmethod
    def list() -> tuple[SearchRun, ...]:
        """Return the newest run of each (symbol, search), in the order of their start."""
        return tuple(_RUNS.values())


def search_json(result: SearchResult) -> str:
    """Return `result` as JSON: byte for byte the same for the same inputs, on any cores."""
    return json.dumps(as_json(result), ensure_ascii=False, indent=2) + "\n"


SEARCHES: dict[str, SearchSchema] = {}
_RUNS: dict[tuple[str, str], SearchRun] = {}
_TASKS: set[asyncio.Task[None]] = set()


def add_search(schema: SearchSchema) -> SearchSchema:
    """Register a search. Raises RegistrationError for what cannot be searched."""
    name = schema.search_name
    if not name:
        raise RegistrationError("a search needs a search_name")
    if name in SEARCHES:
        raise RegistrationError(f"search {name!r} already exists")
    if schema.metric not in WALKER_METRICS:
        known = ", ".join(WALKER_METRICS)
        raise RegistrationError(
            f"search {name!r}: unknown metric {schema.metric!r}: use one of {known}"
        )
    for field, value in (("trials", schema.trials), ("batch_size", schema.batch_size)):
        if value < 1:
            raise RegistrationError(f"search {name!r}: {field} must be at least 1, not {value}")
    if schema.test_frame_name and schema.walk_forward is not None:
        raise RegistrationError(
            f"search {name!r}: give test_frame_name or walk_forward, not both of them"
        )
    SEARCHES[name] = schema
    return schema


def list_searches() -> tuple[SearchSchema, ...]:
    """Return the registered searches, in order."""
    return tuple(SEARCHES.values())


def _prepare(symbol: str, search_name: str, cores: int | None, folder: Path) -> SearchRun:
    schema = SEARCHES.get(search_name)
    if schema is None:
        known = ", ".join(map(repr, SEARCHES)) or "none"
        raise UnknownNameError(f"there is no search {search_name!r}; registered: {known}")
    if cores is not None and cores < 1:
        raise RegistrationError(f"cores must be at least 1, not {cores}")
    terms = terms_of(symbol, schema.exchange_name, [schema.strategy_name])
    minutes = history(schema.exchange_name, symbol)
    plan = _plan(symbol, schema, terms, minutes)
    run = SearchRun(
        symbol=symbol,
        search_name=search_name,
        plan=plan,
        terms=terms,
        minutes=minutes,
        cores=core_count() if cores is None else cores,
        file=(folder / report_path("search", search_name, symbol=symbol)).with_suffix(".journal"),
        engine=engine.Search(plan),
    )
    _RUNS.pop((symbol, search_name), None)
    _RUNS[symbol, search_name] = run
    return run


def _plan(symbol: str, schema: SearchSchema, terms: Terms, minutes: Minutes) -> SearchPlan:
    spaces = terms.strategies[schema.strategy_name].spaces
    if not spaces:
        raise RegistrationError(
            f"strategy {schema.strategy_name!r} says nothing of what may be tried: give it spaces, "
            'as in spaces = {"fast": Int(5, 30)}'
        )
    frame = REGISTRY.frame(schema.frame_name)
    windows = _windows(schema, frame, terms)
    for start_ms, end_ms in _ranges(windows):
        wanted = replace(frame, start_ms=start_ms, end_ms=end_ms, on_timeframe=None)
        # Raises, in one line, for what lies outside of the candles.
        name = schema.strategy_name
        plan_of(terms, minutes, Assignment(name=name, strategy_name=name, frame=wanted))
    return SearchPlan(
        search_name=schema.search_name,
        strategy_name=schema.strategy_name,
        symbol=symbol,
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


def _windows(schema: SearchSchema, frame: Frame, terms: Terms) -> tuple[SearchWindow, ...]:
    if schema.walk_forward is not None:
        return windows_of(frame.start_ms, frame.end_ms, schema.walk_forward, terms.rules)
    if not schema.test_frame_name:
        return (split(frame.start_ms, frame.end_ms, TRAIN_SHARE, terms.rules),)
    test = REGISTRY.frame(schema.test_frame_name)
    if test.start_ms <= frame.end_ms:
        raise RegistrationError(
            f"search {schema.search_name!r}: the test frame {test.frame_name!r} begins before the "
            f"train frame {frame.frame_name!r} has ended"
        )
    window = SearchWindow(
        number=0,
        train_start_ms=frame.start_ms,
        train_end_ms=frame.end_ms,
        test_start_ms=test.start_ms,
        test_end_ms=test.end_ms,
    )
    return (window,)


def _ranges(windows: tuple[SearchWindow, ...]) -> Iterator[tuple[int, int]]:
    for window in windows:
        yield window.train_start_ms, window.train_end_ms
        if window.test_start_ms is not None and window.test_end_ms is not None:
            yield window.test_start_ms, window.test_end_ms


def _about(plan: SearchPlan, terms: Terms) -> Callable[[int], Mapping[str, str]]:
    """Return what the trials of a window depend on, in words: the file holds trials of no other."""
    strategy = terms.strategies[plan.strategy_name]
    try:
        code = inspect.getsource(inspect.getmodule(strategy) or strategy)
    except (OSError, TypeError):
        code = ""
    risks = [profile.risk_name for profile in terms.profiles]
    fixed = {
        "data": plan.data_fingerprint,
        "strategy": f"{plan.exchange_name} {plan.symbol} {plan.strategy_name} {risks}",
        "code": blake2b(code.encode("utf-8", "replace"), digest_size=16).hexdigest(),
        "params": repr(sorted((name, repr(strategy.params[name])) for name in strategy.params)),
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


def _find(symbol: str, search_name: str) -> SearchRun:
    run = _RUNS.get((symbol, search_name))
    if run is None:
        raise UnknownNameError(f"there is no search {search_name} on {symbol}")
    return run
