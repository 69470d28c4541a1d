"""`Walker`: compare registered strategies over history from a program of your own.

Each strategy is a backtest of its own, on this core or on another one; the results are the same.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.app.extras import research_libraries
from daemon.app.hands import OutcomeHand, hand_limit, open_hands, terms_of
from daemon.app.history import history
from daemon.app.json_text import json_text
from daemon.app.registry import REGISTRY
from daemon.app.report_files import write_page_if_drawn, write_report
from daemon.app.research_runs import Runs, RunStatus, StopRun, in_background, kept_status
from daemon.app.walker_schema import WalkerSchema, check_params, find_walker
from daemon.core.errors import TickdError
from daemon.core.research_events import WalkerContract
from daemon.core.walker_statistics import WalkerSetup, WalkerStatistics
from daemon.core.wording import count_text
from daemon.reports.places import report_path
from daemon.reports.walker import render_walker
from daemon.research import walker as engine
from daemon.research.assignment import Assignment, Terms, plan_of
from daemon.research.columns import Minutes, moment_text
from daemon.research.walk_telling import WalkTeller
from daemon.research.walker import Walk, WalkerResult

if TYPE_CHECKING:
    from daemon.app.walk_checkpoint import WalkCheckpoint


@dataclass(eq=False, slots=True, kw_only=True)
class WalkerRun:
    """One walk: what it is about, how it fares, and what it has come to."""

    symbol: str
    walker_name: str
    walk: Walk
    terms: Terms
    minutes: Minutes
    cores: int
    cluster: str
    engine: engine.Walker
    checkpoint: "WalkCheckpoint | None" = None
    status: RunStatus = "ready"

    async def go(self) -> AsyncGenerator[WalkerContract, None]:
        """Run, once; whatever ends it, what there is by then stays readable."""
        with kept_status(self):
            hand_count = min(self.cores, len(self.walk.assignments))
            async with (
                open_hands(self.terms, self.minutes, hand_count, self.cluster) as hands,
                _kept(self.checkpoint, self.engine, hands) as helped,
                aclosing(self.engine.run(helped)) as told,
            ):
                async for event in told:
                    yield event

    async def drain(self) -> None:
        """Run without yielding; what keeps it from its end is told on `exit`."""
        try:
            async for _ in self.go():
                pass
        except TickdError as error:
            at_ms = self.walk.assignments[0].frame.start_ms
            with WalkTeller(REGISTRY.subjects, self.walk.key, at_ms) as teller:
                await teller.exit("walker", type(error).__name__, str(error))


@asynccontextmanager
async def _kept(
    checkpoint: "WalkCheckpoint | None", walker: engine.Walker, hands: Sequence[OutcomeHand]
) -> AsyncGenerator[Sequence[OutcomeHand], None]:
    """Give hands that keep what they do in `checkpoint`, which is over when the walk is."""
    if checkpoint is None:
        yield hands
        return
    await checkpoint.open()
    yield [checkpoint.helped(hand) for hand in hands]
    await checkpoint.close(is_complete=walker.result().is_complete)


class Walker:
    """Runs, stops and reads walkers. All of it belongs on one event loop."""

    @staticmethod
    async def run(
        symbol: str,
        *,
        walker_name: str,
        cores: int | None = None,
        cluster: str = "",
        folder: str | Path | None = None,
    ) -> AsyncGenerator[WalkerContract, None]:
        """Test the walker's strategies; yield what each came to, in their order.

        `cores` is how many processes work on it, this one included; all cores if left out. With the
        address of a Dask `cluster` its workers do (all, or as many as `cores`). What was tested is
        kept in the `folder`, if one is given, and a walk that was ended goes on from there. Raises
        UnknownNameError, RegistrationError for a parameter that does not exist, BacktestError for a
        frame outside of the candles, and WorkerError.
        Leaving it early (under `contextlib.aclosing`) leaves a valid report of what there was.
        """
        run = _prepare(symbol, walker_name, cores, cluster)
        run.checkpoint = checkpoint_of(run, folder)
        async with aclosing(run.go()) as told:
            async for event in told:
                yield event

    @staticmethod
    def background(
        symbol: str,
        *,
        walker_name: str,
        cores: int | None = None,
        cluster: str = "",
        folder: str | Path | None = None,
    ) -> StopRun:
        """Run without yielding; return a function that stops the walk and waits for its end.

        The end is told on `done_walker`, a failure on `exit`. Raises as `run` does.
        """
        run = _prepare(symbol, walker_name, cores, cluster)
        run.checkpoint = checkpoint_of(run, folder)
        return in_background(run.drain(), "walker", run.engine.stop)

    @staticmethod
    async def stop(symbol: str, walker_name: str) -> None:
        """Test no further strategy; those under way are given up, those tested stay."""
        await _RUNS.find(symbol, walker_name).engine.stop()

    @staticmethod
    def get_data(symbol: str, walker_name: str) -> WalkerStatistics:
        """Return the newest walk's comparison so far. Raises UnknownNameError without one."""
        return _RUNS.find(symbol, walker_name).engine.result().statistics

    @staticmethod
    def get_result(symbol: str, walker_name: str) -> WalkerResult:
        """Return all that the newest walk came to: the same inputs give the same record."""
        return _RUNS.find(symbol, walker_name).engine.result()

    @staticmethod
    def get_report(symbol: str, walker_name: str) -> str:
        """Return the newest walk's report as Markdown. Raises NoResultsError before a result."""
        return walker_report(Walker.get_result(symbol, walker_name))

    @staticmethod
    async def dump(symbol: str, walker_name: str, path: str | Path = "dump") -> Path:
        """Write the report below the folder `path`; return its place.

        Its JSON is written beside it, and, where plotly is installed, the page with charts.
        """
        place = Path(path) / report_path("walker", walker_name)
        report = Walker.get_report(symbol, walker_name)
        record = walker_json(Walker.get_result(symbol, walker_name))
        run = _RUNS.find(symbol, walker_name)
        draw = partial(walker_page, run, "the candles that the program gave")
        await asyncio.to_thread(write_report, place, report, record)
        await asyncio.to_thread(write_page_if_drawn, place, draw)
        return place

    @staticmethod
    def list() -> tuple[WalkerRun, ...]:
        """Return the newest walk of each (symbol, walker), in the order of their start."""
        return tuple(_RUNS.values())


def checkpoint_of(run: WalkerRun, folder: str | Path | None) -> "WalkCheckpoint | None":
    """Return where `run` keeps what it has tested; nowhere without a folder."""
    if folder is None:
        return None
    # Only here: what reads records back takes a tenth of a second to load.
    from daemon.app.walk_checkpoint import WalkCheckpoint  # noqa: PLC0415

    place = Path(folder) / report_path("walker", run.walker_name)
    return WalkCheckpoint(place.with_suffix(".journal"), run.terms, run.minutes.fingerprint)


def walker_report(result: WalkerResult) -> str:
    """Return `result` as Markdown. Raises NoResultsError before a result."""
    remarks = "".join(f"- {line}\n" for line in walker_remarks(result))
    report = render_walker(result.statistics)
    return f"{report}\n## Remarks\n\n{remarks}" if remarks else report


def walker_json(result: WalkerResult) -> str:
    """Return `result` as JSON: byte for byte the same for the same inputs, on any cores."""
    stats = result.statistics
    record = {
        "walker_name": stats.walker_name,
        "symbol": stats.symbol,
        "exchange_name": stats.exchange_name,
        "frame_name": stats.frame_name,
        "metric": stats.metric,
        "total_strategies": stats.total_strategies,
        "is_complete": result.is_complete,
        "best_strategy": stats.best_strategy,
        "best_metric": stats.best_metric,
        "ranks": [
            {"strategy_name": row.strategy_name, "metric_value": row.metric_value, "rank": row.rank}
            for row in stats.strategy_results
        ],
        "failures": result.failures,
        "backtests": result.backtests,
    }
    return json_text(record) + "\n"


def walker_page(run: WalkerRun, source: str) -> str:
    """Return `run` as an HTML page; `source` says where its candles are from.

    Raises MissingLibraryError without plotly.
    """
    with research_libraries("the HTML report"):
        # Only here: plotly is large, and most walks draw nothing.
        from daemon.reports.html.walk_page import render_walk_page  # noqa: PLC0415

    result = run.engine.result()
    lanes = [backtest.lanes[0] for backtest in result.backtests]
    frame = run.walk.assignments[0].frame
    about = (
        ("Source", source),
        ("Exchange", run.walk.setup.exchange_name),
        ("From", moment_text(frame.start_ms)),
        ("To", moment_text(frame.end_ms)),
        ("Fingerprint", run.minutes.fingerprint),
    )
    return render_walk_page(
        result.statistics,
        {lane.key.strategy_name: lane.worst_case for lane in lanes if lane.worst_case is not None},
        list(walker_remarks(result, with_worst_case=False)),
        about,
    )


_RUNS: Runs[WalkerRun] = Runs("walk")


def _prepare(symbol: str, walker_name: str, cores: int | None, cluster: str) -> WalkerRun:
    schema = find_walker(walker_name)
    walk = _walk_of(symbol, schema)
    terms = terms_of(symbol, schema.exchange_name, [each.strategy_name for each in schema.variants])
    minutes = history(schema.exchange_name, symbol)
    # Raises, in one line, for a frame that lies outside of the candles.
    plan_of(terms, minutes, walk.assignments[0])
    run = WalkerRun(
        symbol=symbol,
        walker_name=walker_name,
        walk=walk,
        terms=terms,
        minutes=minutes,
        cores=hand_limit(cores, cluster),
        cluster=cluster,
        engine=engine.Walker(walk, REGISTRY.subjects),
    )
    _RUNS.keep(symbol, walker_name, run)
    return run


def _walk_of(symbol: str, schema: WalkerSchema) -> Walk:
    # Heard by nobody, also by the frame's own callback: it may live in another process.
    frame = replace(REGISTRY.frame(schema.frame_name), on_timeframe=None)
    for variant in schema.variants:
        check_params(variant.strategy_name, variant.params)
    assignments = tuple(
        Assignment(
            name=variant.name,
            strategy_name=variant.strategy_name,
            frame=frame,
            params=dict(variant.params),
        )
        for variant in schema.variants
    )
    setup = WalkerSetup(
        walker_name=schema.walker_name,
        symbol=symbol,
        exchange_name=schema.exchange_name,
        frame_name=schema.frame_name,
        total_strategies=len(assignments),
        metric=schema.metric,
    )
    return Walk(setup=setup, assignments=assignments, callbacks=schema.callbacks)


def walker_remarks(result: WalkerResult, *, with_worst_case: bool = True) -> Iterator[str]:
    """Yield what a reader of the figures must know, a line each."""
    if not result.is_complete:
        yield "This walk was ended before its time: the figures cover what there was by then."
    for failure in result.failures:
        yield f"{failure.strategy_name} could not be tested: {failure.message}"
    for backtest in result.backtests:
        lane = backtest.lanes[0]
        if with_worst_case and lane.worst_case is not None:
            worst = lane.worst_case.total_pnl
            told = "N/A" if worst is None else f"{worst:+.2f} %"
            yield (
                f"{lane.key.strategy_name}: what came first is open in "
                f"{count_text(lane.ambiguous_bar_count, 'bar')}; in the worst order the total PnL "
                f"is {told}."
            )
        if lane.error_counts:
            count = sum(each.count for each in lane.error_counts)
            first = lane.first_errors[0]
            errors = "1 error" if count == 1 else f"{count:,} errors, the first"
            yield (
                f"{lane.key.strategy_name}: {errors} at {moment_text(first.at_ms)}: {first.where}: "
                f"{first.error}: {first.message}"
            )
        if lane.is_given_up:
            yield f"{lane.key.strategy_name} hung several times in a row, and was asked no more."
