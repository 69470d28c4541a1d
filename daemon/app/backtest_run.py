"""`Backtest`: run registered strategies over history from a program of your own.

The same rules as live, on candles that the program brings (`add_history`) over a registered frame
(`add_frame`). Nothing of the live state is read or written.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.app.backtest_remarks import SIGNALS_MAX, remarks_of, shortened
from daemon.app.defaults import get_config
from daemon.app.extras import research_libraries
from daemon.app.history import history
from daemon.app.json_text import json_text
from daemon.app.registry import REGISTRY, UnknownNameError
from daemon.app.report_files import write_page_if_drawn, write_report
from daemon.app.research_runs import Runs, RunStatus, StopRun, in_background, kept_status
from daemon.core.errors import TickdError
from daemon.core.events import ExitContract, SignalCancelled, SignalClosed
from daemon.core.params import Params
from daemon.core.signal import Key, make_id
from daemon.core.statistics import BacktestStatistics
from daemon.core.strategy import Strategy
from daemon.reports.backtest import render_backtest
from daemon.reports.places import report_path
from daemon.research import backtest as engine
from daemon.research.containment import Containment, Limits
from daemon.research.plan import Job, Plan
from daemon.research.result import BacktestResult, LaneResult
from daemon.research.telling import Announcer

if TYPE_CHECKING:
    from daemon.reports.html.sheets import RunSheet

Told = SignalClosed | SignalCancelled


@dataclass(eq=False, slots=True, kw_only=True)
class BacktestRun:
    """One run: what it is about, how it fares, and, once it is over, what it came to."""

    keys: tuple[Key, ...]
    frame_name: str
    plan: Plan
    status: RunStatus = "ready"
    _engine: engine.Backtest | None = None
    _result: BacktestResult | None = None
    _is_stopping: bool = False

    async def go(self) -> AsyncGenerator[Told, None]:
        """Run, once; whatever ends it, what there is by then stays readable."""
        try:
            with kept_status(self):
                self._engine = engine.Backtest(self.plan, REGISTRY.subjects)
                if self._is_stopping:
                    self._engine.stop()
                async with aclosing(self._engine.run()) as told:
                    async for event in told:
                        yield event
        finally:
            # What was worked out from the candles is let go; the figures stay.
            self._result, self._engine = self.result, None

    @property
    def result(self) -> BacktestResult | None:
        """Return what the run has come to so far; None before it has begun."""
        return self._result if self._engine is None else self._engine.result()

    def stop(self) -> None:
        """Make no new signals: what waits is cancelled, what is open runs to its end."""
        self._is_stopping = True
        if self._engine is not None:
            self._engine.stop()


class Backtest:
    """Runs, stops and reads backtests. All of it belongs on one event loop."""

    @staticmethod
    async def run(
        symbol: str, *, strategy_name: str, frame_name: str, exchange_name: str = "sandbox"
    ) -> AsyncGenerator[Told, None]:
        """Run one strategy on one symbol; yield each signal that ends: closed or cancelled.

        Raises UnknownNameError, and BacktestError for what cannot be run. Leaving it early (under
        `contextlib.aclosing`) or cancelling it leaves a valid report of what there was.
        """
        pairs = [(symbol, strategy_name)]
        many = Backtest.run_together(pairs, frame_name=frame_name, exchange_name=exchange_name)
        async with aclosing(many) as told:
            async for event in told:
                yield event

    @staticmethod
    async def run_together(
        pairs: Sequence[tuple[str, str]], *, frame_name: str, exchange_name: str = "sandbox"
    ) -> AsyncGenerator[Told, None]:
        """Run several (symbol, strategy) in one order of time against shared risk profiles."""
        run = _prepare(pairs, frame_name, exchange_name)
        async with aclosing(run.go()) as told:
            async for event in told:
                yield event

    @staticmethod
    def background(
        symbol: str, *, strategy_name: str, frame_name: str, exchange_name: str = "sandbox"
    ) -> StopRun:
        """Run without yielding; return a function that stops the run and waits for its end.

        The end is told on `done_backtest`, a failure on `exit`. Raises as `run` does.
        """
        run = _prepare([(symbol, strategy_name)], frame_name, exchange_name)
        return in_background(_drain(run), "backtest", run.stop)

    @staticmethod
    def stop(symbol: str, strategy_name: str) -> None:
        """Let the run make no new signal; it ends once what is open has ended."""
        _RUNS.find(symbol, strategy_name).stop()

    @staticmethod
    def get_data(symbol: str, strategy_name: str) -> BacktestStatistics:
        """Return the figures of the newest run so far. Raises UnknownNameError without one."""
        return shortened(_lane(symbol, strategy_name).statistics)

    @staticmethod
    def get_result(symbol: str, strategy_name: str) -> BacktestResult:
        """Return all that the newest run came to: the same inputs give the same record."""
        result = _RUNS.find(symbol, strategy_name).result
        if result is None:
            raise UnknownNameError(f"the backtest of {strategy_name} on {symbol} has not begun")
        return result

    @staticmethod
    def get_report(symbol: str, strategy_name: str, *, show_signal_note: bool = False) -> str:
        """Return the report of the newest run as Markdown. Raises UnknownNameError."""
        result, lane = Backtest.get_result(symbol, strategy_name), _lane(symbol, strategy_name)
        return render_backtest(
            shortened(lane.statistics),
            strategy_name,
            remarks=remarks_of(result, lane),
            show_signal_note=show_signal_note,
        )

    @staticmethod
    async def dump(symbol: str, strategy_name: str, path: str | Path = "dump") -> Path:
        """Write the report below the folder `path`; return its place.

        Its JSON is written beside it, and, where plotly is installed, the page with charts: both
        are of the whole run.
        """
        place = Path(path) / report_path("backtest", strategy_name)
        report = Backtest.get_report(symbol, strategy_name)
        result = Backtest.get_result(symbol, strategy_name)
        sheet = _sheet(_RUNS.find(symbol, strategy_name), result)
        await asyncio.to_thread(write_report, place, report, result_json(result))
        await asyncio.to_thread(write_page_if_drawn, place, partial(_page, sheet))
        return place

    @staticmethod
    def list() -> tuple[BacktestRun, ...]:
        """Return the newest run of each (symbol, strategy), in the order of their start."""
        return tuple(dict.fromkeys(_RUNS.values()))


def result_json(result: BacktestResult) -> str:
    """Return `result` as JSON: byte for byte the same for the same inputs."""
    return json_text(result) + "\n"


_RUNS: Runs[BacktestRun] = Runs("backtest")


def _prepare(pairs: Sequence[tuple[str, str]], frame_name: str, exchange_name: str) -> BacktestRun:
    jobs = tuple(_job(symbol, name, exchange_name) for symbol, name in pairs)
    plan = Plan(
        jobs=jobs,
        frame=REGISTRY.frame(frame_name),
        rules=get_config(),
        profiles=tuple(REGISTRY.risks.values()),
        limits=Limits.of(get_config()),
        signals_max=SIGNALS_MAX,
    )
    run = BacktestRun(keys=tuple(job.key for job in jobs), frame_name=frame_name, plan=plan)
    for key in run.keys:
        _RUNS.keep(key.symbol, key.strategy_name, run)
    return run


def _job(symbol: str, strategy_name: str, exchange_name: str) -> Job:
    strategy = REGISTRY.strategy(strategy_name)
    risks = tuple(dict.fromkeys((*filter(None, [strategy.risk_name]), *strategy.risk_list)))
    return Job(
        key=Key(exchange_name=exchange_name, symbol=symbol, strategy_name=strategy_name),
        make=partial(_made, strategy),
        minutes=history(exchange_name, symbol),
        risk_names=risks,
    )


def _made(strategy: type[Strategy]) -> Strategy:
    made = strategy()
    made.params = Params(strategy.params)
    return made


async def _drain(run: BacktestRun) -> None:
    try:
        async for _ in run.go():
            pass
    except TickdError as error:
        key = run.keys[0]
        event = ExitContract(
            id=make_id("exit", key, run.plan.frame.start_ms, "backtest"),
            key=key,
            where="backtest",
            error=type(error).__name__,
            message=str(error),
            at_ms=run.plan.frame.start_ms,
            backtest=True,
        )
        with Containment() as calls:
            await Announcer(REGISTRY.subjects, calls).announce(event)


def _lane(symbol: str, strategy_name: str) -> LaneResult:
    wanted = (symbol, strategy_name)
    lanes = Backtest.get_result(symbol, strategy_name).lanes
    return next(lane for lane in lanes if (lane.key.symbol, lane.key.strategy_name) == wanted)


def _sheet(run: BacktestRun, result: BacktestResult) -> "RunSheet":
    # Only here: most runs are never written down.
    from daemon.app.backtest_page import LaneFacts, page_of  # noqa: PLC0415 - see above

    facts = [
        LaneFacts(
            minutes=job.minutes,
            source="the candles that the program gave",
            parameters=REGISTRY.strategy(job.key.strategy_name).params,
        )
        for job in run.plan.jobs
    ]
    return page_of(result, facts)


def _page(sheet: "RunSheet") -> str:
    with research_libraries("the HTML report"):
        # Only here: plotly is large, and most runs draw nothing.
        from daemon.reports.html.page import render_page  # noqa: PLC0415

    return render_page(sheet)
