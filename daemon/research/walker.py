"""A walker: strategies compared on one frame by a metric, told in their order.

Each is a backtest of its own, heard by nobody; what is told of it is the walker's. On one core or
on many: the same strategies give the same results and the same events.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from daemon.core.events import DoneContract
from daemon.core.research_events import (
    ProgressWalkerContract,
    ResearchSubjects,
    WalkerCompleteContract,
    WalkerContract,
    WalkerStopContract,
)
from daemon.core.signal import Key
from daemon.core.statistics import BacktestStatistics
from daemon.core.walker_statistics import (
    WalkerSetup,
    WalkerStatistics,
    metric_value,
    walker_statistics,
)
from daemon.research.assignment import Assignment, Evaluation, Failure, Outcome
from daemon.research.pool import Hand, in_order
from daemon.research.result import BacktestResult
from daemon.research.walk_telling import WalkTeller


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerCallbacks:
    """The author's own hooks of a walker; each may be async. What one raises costs its call.

    `on_strategy_start(strategy_name, symbol)`, `on_strategy_complete(strategy_name, symbol, stats,
    metric_value)`, `on_strategy_error(strategy_name, symbol, message)`, `on_complete(results)`.
    """

    on_strategy_start: Callable[[str, str], object] | None = None
    on_strategy_complete: Callable[[str, str, BacktestStatistics, float | None], object] | None = (
        None
    )
    on_strategy_error: Callable[[str, str, str], object] | None = None
    on_complete: Callable[[WalkerCompleteContract], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerFailure:
    """A strategy of a walker that could not be tested, and one line why."""

    strategy_name: str
    error: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkerResult:
    """What a walker came to. No durations are in it; `is_complete` is false until its end.

    `backtests` are whole results, in the order of the strategies that could be tested.
    """

    statistics: WalkerStatistics
    is_complete: bool
    failures: tuple[WalkerFailure, ...]
    backtests: tuple[BacktestResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What a walker is about: its assignments, each under a name of its own."""

    setup: WalkerSetup
    assignments: tuple[Assignment, ...]
    callbacks: WalkerCallbacks = WalkerCallbacks()

    @property
    def key(self) -> Key:
        """Return the walker's name in the place of a strategy's."""
        return Key(
            exchange_name=self.setup.exchange_name,
            symbol=self.setup.symbol,
            strategy_name=self.setup.walker_name,
        )


class Walker:
    """One walk: call `run` once. `result` may be asked at any time."""

    def __init__(self, walk: Walk, subjects: ResearchSubjects) -> None:
        self._walk = walk
        self._setup = walk.setup
        self._subjects = subjects
        self._teller = self._new_teller()
        self._stop = asyncio.Event()
        self._tested: list[tuple[str, BacktestResult]] = []
        self._failures: list[WalkerFailure] = []
        self._best: tuple[str, float] | None = None
        self._is_complete = False

    async def run(
        self, hands: Sequence[Hand[Assignment, Outcome]]
    ) -> AsyncGenerator[WalkerContract, None]:
        """Yield what each strategy came to, in their order, worked on by `hands`."""
        outcomes = in_order(self._walk.assignments, hands, self._stop, self._begin)
        with self._teller:
            async with aclosing(outcomes) as told:
                async for number, outcome in told:
                    event = await self._take(number, outcome)
                    if event is not None:
                        yield event
            processed = len(self._tested) + len(self._failures)
            self._is_complete = processed == len(self._walk.assignments)
            await self._close()

    async def stop(self) -> None:
        """Test no further strategy, and give up those that are under way."""
        self._stop.set()
        setup = self._setup
        with self._new_teller() as teller:
            for assignment in self._walk.assignments:
                event = WalkerStopContract(
                    symbol=setup.symbol,
                    strategy_name=assignment.name,
                    walker_name=setup.walker_name,
                )
                await teller.announce(event)

    def result(self) -> WalkerResult:
        """Return what the walk has come to so far."""
        pairs = [(name, _stats(result)) for name, result in self._tested]
        return WalkerResult(
            statistics=walker_statistics(self._setup, pairs),
            is_complete=self._is_complete,
            failures=tuple(self._failures),
            backtests=tuple(result for _, result in self._tested),
        )

    def _new_teller(self) -> WalkTeller:
        at_ms = self._walk.assignments[0].frame.start_ms if self._walk.assignments else 0
        return WalkTeller(self._subjects, self._walk.key, at_ms)

    async def _begin(self, number: int) -> None:
        call, name = self._walk.callbacks.on_strategy_start, self._walk.assignments[number].name
        if call is not None:
            await self._teller.call("on_strategy_start", partial(call, name, self._setup.symbol))

    async def _take(self, number: int, outcome: Outcome) -> WalkerContract | None:
        """Take the outcome of a strategy into account and let everybody hear of it."""
        name = self._walk.assignments[number].name
        match outcome:
            case Failure():
                await self._fail(name, outcome)
                await self._progress(number + 1)
                return None
            case Evaluation():
                return await self._count(name, number, outcome.result)
            case _:
                assert_never(outcome)

    async def _count(self, name: str, number: int, result: BacktestResult) -> WalkerContract:
        self._tested.append((name, result))
        setup, stats = self._setup, _stats(result)
        value = metric_value(stats, setup.metric)
        # Of equals the first one is best.
        if value is not None and (self._best is None or value > self._best[1]):
            self._best = name, value
        await self._progress(number + 1)
        call = self._walk.callbacks.on_strategy_complete
        if call is not None:
            complete = partial(call, name, setup.symbol, stats, value)
            await self._teller.call("on_strategy_complete", complete)
        event = WalkerContract(
            walker_name=setup.walker_name,
            exchange_name=setup.exchange_name,
            frame_name=setup.frame_name,
            symbol=setup.symbol,
            strategy_name=name,
            stats=stats,
            metric_value=value,
            metric=setup.metric,
            best_metric=self._best[1] if self._best else None,
            best_strategy=self._best[0] if self._best else None,
            strategies_tested=len(self._tested),
            total_strategies=setup.total_strategies,
        )
        await self._teller.announce(event)
        return event

    async def _fail(self, name: str, failure: Failure) -> None:
        found = WalkerFailure(strategy_name=name, error=failure.error, message=failure.message)
        self._failures.append(found)
        await self._teller.fail("walker", failure.error, f"{name}: {failure.message}")
        call = self._walk.callbacks.on_strategy_error
        if call is not None:
            error = partial(call, name, self._setup.symbol, failure.message)
            await self._teller.call("on_strategy_error", error)

    async def _progress(self, processed: int) -> None:
        setup = self._setup
        event = ProgressWalkerContract(
            walker_name=setup.walker_name,
            exchange_name=setup.exchange_name,
            frame_name=setup.frame_name,
            symbol=setup.symbol,
            total_strategies=setup.total_strategies,
            processed_strategies=processed,
            progress=processed / setup.total_strategies,
        )
        await self._teller.announce(event)

    async def _close(self) -> None:
        """Tell that the walk is over, and what it came to."""
        setup, statistics = self._setup, self.result().statistics
        results = WalkerCompleteContract(
            walker_name=setup.walker_name,
            symbol=setup.symbol,
            exchange_name=setup.exchange_name,
            frame_name=setup.frame_name,
            metric=setup.metric,
            total_strategies=setup.total_strategies,
            best_strategy=statistics.best_strategy,
            best_metric=statistics.best_metric,
            best_stats=statistics.best_stats,
        )
        if self._walk.callbacks.on_complete is not None:
            complete = partial(self._walk.callbacks.on_complete, results)
            await self._teller.call("on_complete", complete)
        await self._teller.announce(results)
        done = DoneContract(
            exchange_name=setup.exchange_name,
            strategy_name=setup.walker_name,
            symbol=setup.symbol,
            backtest=True,
            frame_name=setup.frame_name,
        )
        await self._teller.announce(done)


def _stats(result: BacktestResult) -> BacktestStatistics:
    return result.lanes[0].statistics
