"""A backtest: any number of (symbol, strategy) over one stretch of history, in one order of time.

It reads candles and nothing else, and writes nothing: risk lives in memory, and every pass begins
with new strategies. Where bars leave open what came first, a second pass takes the worst order,
heard by nobody, and its figures stand beside the headline.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from daemon.core.errors import TickdError
from daemon.core.events import (
    DoneContract,
    PerformanceContract,
    PerformanceMetric,
    RiskContract,
    SignalCancelled,
)
from daemon.core.frame import call_on_timeframe, timeframe
from daemon.core.guard import Raised
from daemon.core.orders import fill_at_rule_price
from daemon.core.params import Params
from daemon.core.risk import RiskDesk
from daemon.core.rules import Rules
from daemon.core.statistics import BacktestCollector, BacktestStatistics
from daemon.core.strategy import Strategy, instance_faults
from daemon.core.subjects import Subjects
from daemon.core.trader import Desk
from daemon.research.asker import Asker
from daemon.research.containment import Containment
from daemon.research.lane import Cast, Lane, Told
from daemon.research.market import Market, Markets
from daemon.research.plan import BacktestError, Job, Plan
from daemon.research.result import BacktestResult, DataFacts, ErrorCount, LaneResult
from daemon.research.telling import Announcer, Teller
from daemon.research.view import Scene

TURNS_AT_ONCE = 16
"""After so many turns the event loop gets one, and with it whoever wants to stop the run."""

CALLS_AT_ONCE = 256
"""After so many calls that came to nothing, too."""

LAST_KEY = 1 << 62
"""Later than every turn of every lane."""


class Backtest:
    """One backtest: call `run` once. `result` may be asked at any time."""

    def __init__(
        self,
        plan: Plan,
        subjects: Subjects | None = None,
        calls: Containment | None = None,
        markets: Markets | None = None,
    ) -> None:
        self._plan = plan
        self._calls = calls or Containment(plan.limits)
        self._markets = markets or Markets()
        with self._calls:
            self._headline = Pass(self, plan.rules, subjects or Subjects())
        self._worst: Pass | None = None
        self._is_complete = False

    async def run(self) -> AsyncGenerator[Told, None]:
        """Yield each signal that ended, in order of time. Cancelled, what there is stays valid."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        with self._calls:
            await self._headline.call_on_timeframe()
            async for told in self._headline.go():
                yield told
            if self._needs_worst_case():
                worst = replace(self._plan.rules, intrabar="worst_case")
                self._worst = Pass(self, worst, Subjects())
                async for _ in self._worst.go():
                    pass
            self._is_complete = not self._headline.is_stopped
            await self._headline.close(loop.time() - started_s)

    def stop(self) -> None:
        """Make no new signals; what waits is cancelled, what is open runs to its end."""
        for each in (self._headline, self._worst):
            if each is not None:
                each.stop()

    def result(self) -> BacktestResult:
        """Return what the run has come to so far."""
        frame = self._plan.frame
        return BacktestResult(
            frame_name=frame.frame_name,
            interval=frame.interval,
            start_ms=frame.start_ms,
            end_ms=frame.end_ms,
            is_complete=self._is_complete,
            rules=self._plan.rules,
            lanes=tuple(
                self._headline.result(number, self._worst_case(number))
                for number in range(len(self._plan.jobs))
            ),
        )

    @property
    def progress(self) -> float:
        """Return how much of the frame is behind the pass that is under way, 0..1."""
        frame = self._plan.frame
        lanes = (self._worst or self._headline).lanes
        done_ms = min(lane.now_ms for lane in lanes) - frame.start_ms
        return min(1.0, max(0.0, done_ms / max(1, frame.end_ms - frame.start_ms)))

    @property
    def is_in_worst_case(self) -> bool:
        """Say whether the second pass, for the worst case, has begun."""
        return self._worst is not None

    @property
    def plan(self) -> Plan:
        return self._plan

    @property
    def calls(self) -> Containment:
        return self._calls

    def market(self, job: Job) -> Market:
        """Return the market of `job`; jobs on the same candles share one."""
        return self._markets.of(job.minutes, self._plan.rules.avg_price_candles_count)

    def _needs_worst_case(self) -> bool:
        if self._plan.rules.intrabar == "worst_case" or self._headline.is_stopped:
            return False
        return any(lane.tally.ambiguous_bars for lane in self._headline.lanes)

    def _worst_case(self, number: int) -> BacktestStatistics | None:
        if self._worst is None or not self._is_complete:
            return None
        return self._worst.ledgers[number].collector.statistics()


class Ledger:
    """What one lane has brought in so far."""

    def __init__(self, signals_max: int) -> None:
        self.collector = BacktestCollector(signals_max=signals_max)
        self.cancelled_count = 0

    def add(self, event: Told | RiskContract) -> None:
        """Take `event` into account."""
        self.collector.add(event)
        self.cancelled_count += isinstance(event, SignalCancelled)


class Pass:
    """One way through the history, with strategies and a risk desk of its own."""

    def __init__(self, run: Backtest, rules: Rules, subjects: Subjects) -> None:
        self._plan = run.plan
        self._calls = run.calls
        self._announcer = Announcer(subjects, run.calls)
        self._began_s: dict[int, float] = {}
        self._measured_ms: dict[tuple[str, str], int] = {}
        self.is_stopped = False
        self.ledgers = [Ledger(run.plan.signals_max) for _ in run.plan.jobs]
        shared = _Shared(
            rules=rules,
            risk=RiskDesk(run.plan.profiles, run.calls.guarded),
            announcer=self._announcer,
            calls=run.calls,
            moments=timeframe(run.plan.frame),
        )
        self.lanes = [
            _lane(job, run.market(job), ledger, shared)
            for job, ledger in zip(run.plan.jobs, self.ledgers, strict=True)
        ]

    def stop(self) -> None:
        """Let no lane make a new signal."""
        self.is_stopped = True
        for lane in self.lanes:
            lane.is_stopping = True
        # Calls that come to nothing go on in a row until then.
        self._calls.is_turn_due = True

    async def go(self) -> AsyncGenerator[Told, None]:
        """Give each lane its turns, the earliest first, and of the same moment in their order."""
        queue = [(lane.due, n) for n, lane in enumerate(self.lanes) if lane.due is not None]
        heapify(queue)
        turns = 0
        while queue:
            _, number = heappop(queue)
            lane = self.lanes[number]
            after_key, after = queue[0] if queue else (LAST_KEY, number)
            # Of two lanes at one moment the one with the lower number goes first.
            last_key = after_key if number < after else after_key - 1
            while lane.due is not None and lane.due <= last_key:
                is_waited_for = lane.ask_quietly(last_key, CALLS_AT_ONCE)
                if is_waited_for:
                    for told in await self._turn(lane, number):
                        yield told
                turns += 1
                if turns % TURNS_AT_ONCE == 0 or not is_waited_for or self._calls.is_turn_due:
                    self._calls.is_turn_due = False
                    await asyncio.sleep(0)
            if lane.due is not None:
                heappush(queue, (lane.due, number))

    async def call_on_timeframe(self) -> None:
        """Call the frame's own callback, if it has one."""
        raised = call_on_timeframe(self._plan.frame)
        if raised is not None:
            at_ms = self._plan.frame.start_ms
            await self.lanes[0].teller.fail("callback on_timeframe", raised, at_ms)

    async def close(self, duration_s: float) -> None:
        """Tell that all lanes are over, and how long it took."""
        frame = self._plan.frame
        for lane in self.lanes:
            if self._announcer.has_progress_listeners:
                count = len(lane.moments)
                await lane.teller.progress(count, count)
            await self._measure("backtest_total", lane, duration_s)
            done = DoneContract(
                exchange_name=lane.key.exchange_name,
                strategy_name=lane.key.strategy_name,
                symbol=lane.key.symbol,
                backtest=True,
                frame_name=frame.frame_name,
            )
            await lane.teller.announce(done)

    def result(self, number: int, worst_case: BacktestStatistics | None) -> LaneResult:
        """Return what the lane of that number has come to so far."""
        lane, ledger, job = self.lanes[number], self.ledgers[number], self._plan.jobs[number]
        errors, minutes = lane.teller.errors, job.minutes
        return LaneResult(
            key=lane.key,
            statistics=ledger.collector.statistics(),
            ask_count=lane.asker.count,
            opened_count=lane.tally.opened,
            cancelled_count=ledger.cancelled_count,
            refused_count=lane.tally.refused,
            ambiguous_bar_count=lane.tally.ambiguous_bars,
            warm_up_moments=lane.tally.warm_up_moments,
            is_given_up=lane.asker.is_off,
            error_counts=tuple(
                ErrorCount(where=where, error=error, count=count)
                for (where, error), count in sorted(errors.count.items())
            ),
            first_errors=tuple(errors.first),
            data=DataFacts(
                start_ms=minutes.start_ms,
                end_ms=minutes.end_ms,
                minute_count=len(minutes),
                filled_count=minutes.filled_count,
                fingerprint=minutes.fingerprint,
            ),
            worst_case=worst_case,
        )

    async def _turn(self, lane: Lane, number: int) -> Sequence[Told]:
        """Let `lane` take its turn, and measure it if anybody wants to know."""
        if not self._announcer.has_performance_listeners:
            return await lane.turn()
        clock = asyncio.get_running_loop().time
        was_idle, began_s = not lane.has_signal(), clock()
        told = await lane.turn()
        if was_idle:
            await self._measure("backtest_timeframe", lane, clock() - began_s)
            self._began_s[number] = began_s
        if told:
            took_s = clock() - self._began_s.pop(number, began_s)
            await self._measure("backtest_signal", lane, took_s)
        return told

    async def _measure(self, metric: PerformanceMetric, lane: Lane, duration_s: float) -> None:
        if not self._announcer.has_performance_listeners:
            return
        at_ms = lane.now_ms
        event = PerformanceContract(
            timestamp=at_ms,
            previous_timestamp=self._measured_ms.get((metric, str(lane.key))),
            metric_type=metric,
            duration_ms=duration_s * 1000,
            key=lane.key,
            backtest=True,
        )
        self._measured_ms[metric, str(lane.key)] = at_ms
        await lane.teller.announce(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """What all lanes of a pass have in common."""

    rules: Rules
    risk: RiskDesk
    announcer: Announcer
    calls: Containment
    moments: range


def _lane(job: Job, market: Market, ledger: Ledger, shared: _Shared) -> Lane:
    """Return the lane of `job`, at its first turn. Raises BacktestError."""
    made = shared.calls.guarded(_made, job)
    if isinstance(made, Raised):
        is_told = isinstance(made.cause, TickdError)
        told = made.message if is_told else made.told
        raise BacktestError(f"{job.key}: the strategy cannot be made: {told}")
    strategy, history = made.value
    key, calls = job.key, shared.calls
    scene = Scene(key, Params(strategy.params), history, market.tables(history))
    desk = Desk(
        key=key,
        rules=shared.rules,
        risk=shared.risk,
        risk_names=job.risk_names,
        broker=fill_at_rule_price,
    )
    cast = Cast(
        desk=desk,
        market=market,
        asker=Asker(strategy, scene, shared.rules, calls),
        teller=Teller(strategy, key, scene, shared.announcer, calls),
        collect=ledger.add,
    )
    return Lane(cast, shared.moments, scene.ready_ms())


def _made(job: Job) -> tuple[Strategy, dict[str, int]]:
    """Return the strategy of `job` and the candles that it declares: its author's code, all of it.

    Raises BacktestError for what its `__init__` has set wrong.
    """
    made = job.make()
    if faults := list(instance_faults(made)):
        raise BacktestError("; ".join(faults))
    return made, dict(made.history)
