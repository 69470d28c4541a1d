"""A search for parameters: trials in fixed batches, told in the order of their numbers.

What is asked depends on what was told, and that on no clock and no number of cores: the same seed
gives the same study on one core or on many, whole or resumed.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from daemon.core.frame import Frame
from daemon.core.search import (
    SLICES,
    SearchResult,
    SearchTrial,
    SearchWindow,
    StoredTrial,
    TrialRecord,
    WindowResult,
    luck_of,
    out_of_sample,
    params_key,
    ranked,
    score_of,
)
from daemon.core.spaces import Spaces, size_of
from daemon.core.walker_statistics import WalkerMetric
from daemon.ports import Study
from daemon.research.assignment import Assignment, Evaluation, Failure, Outcome
from daemon.research.pool import Hand, in_order

OpenStudy = Callable[[int], Awaitable[Study]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What a search is about. `batch_size` trials are asked before the first of them is told.

    The best `shown` of each window are judged on its test range.
    """

    search_name: str
    strategy_name: str
    symbol: str
    exchange_name: str
    spaces: Spaces
    windows: tuple[SearchWindow, ...]
    interval: str
    metric: WalkerMetric = "sharpe_ratio"
    trial_count: int = 100
    batch_size: int = 8
    seed: int = 1
    shown: int = 10
    data_fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialTold:
    """A trial of a window is finished: `done` of `total` of the whole search are.

    `is_resumed` says that it was finished in a run before this one.
    """

    window: int
    trial: StoredTrial
    done: int
    total: int
    is_resumed: bool


@dataclass(slots=True)
class _Progress:
    """What is known of one window so far."""

    window: SearchWindow
    trials: list[StoredTrial]
    tests: dict[int, TrialRecord]
    is_complete: bool = False


class Search:
    """One search: call `run` once. `result` may be asked at any time."""

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self._windows = [_Progress(window, [], {}) for window in plan.windows]
        self._stop = asyncio.Event()

    async def run(
        self, hands: Sequence[Hand[Assignment, Outcome]], open_study: OpenStudy
    ) -> AsyncGenerator[TrialTold, None]:
        """Yield each trial in order, those of a run before this one first."""
        for progress in self._windows:
            study = await open_study(progress.window.number)
            async with aclosing(self._search(progress, study, hands)) as told:
                async for each in told:
                    yield each
            if not self._stop.is_set():
                await self._judge(progress, study, hands)

    def stop(self) -> None:
        """Begin no further trial, and give up those that are under way."""
        self._stop.set()

    def result(self) -> SearchResult:
        """Return what the search has come to so far."""
        plan = self._plan
        windows = tuple(_window_result(each) for each in self._windows if each.trials)
        winners = [
            progress.tests[result.best]
            for progress, result in zip(self._windows, windows, strict=False)
            if result.best in progress.tests
        ]
        return SearchResult(
            search_name=plan.search_name,
            strategy_name=plan.strategy_name,
            symbol=plan.symbol,
            exchange_name=plan.exchange_name,
            metric=plan.metric,
            seed=plan.seed,
            trial_count=plan.trial_count,
            is_complete=all(each.is_complete for each in self._windows),
            data_fingerprint=plan.data_fingerprint,
            windows=windows,
            out_of_sample=out_of_sample(winners),
        )

    async def _search(
        self, progress: _Progress, study: Study, hands: Sequence[Hand[Assignment, Outcome]]
    ) -> AsyncGenerator[TrialTold, None]:
        """Ask and tell batch after batch."""
        stored = list(await study.trials())
        for trial in stored[: self._plan.trial_count]:
            if trial.record is None:
                break
            progress.trials.append(trial)
            yield self._told(progress, trial, is_resumed=True)
        while not self._is_searched(progress):
            batch = await self._next_batch(progress, study, stored)
            async with aclosing(self._work(progress, batch, hands)) as finished:
                async for trial in finished:
                    await study.tell(trial)
                    progress.trials.append(trial)
                    yield self._told(progress, trial, is_resumed=False)

    async def _next_batch(
        self, progress: _Progress, study: Study, stored: Sequence[StoredTrial]
    ) -> list[StoredTrial]:
        """Return the trials that are open up to the end of the batch; ask for the missing ones."""
        first = len(progress.trials)
        size = self._plan.batch_size
        stop = min((first // size + 1) * size, self._plan.trial_count)
        open_trials = list(stored[first:stop])
        open_trials += [await study.ask(number) for number in range(first + len(open_trials), stop)]
        return open_trials

    async def _work(
        self,
        progress: _Progress,
        batch: Sequence[StoredTrial],
        hands: Sequence[Hand[Assignment, Outcome]],
    ) -> AsyncGenerator[StoredTrial, None]:
        """Yield the trials of `batch` with what they came to; the same parameters run once."""
        known = {params_key(trial.params): trial.record for trial in progress.trials}
        new: dict[tuple[tuple[str, str], ...], StoredTrial] = {}
        for trial in batch:
            if params_key(trial.params) not in known:
                new.setdefault(params_key(trial.params), trial)
        assignments = [self._assignment(progress.window, trial) for trial in new.values()]
        outcomes = in_order(assignments, hands, self._stop)
        async with aclosing(outcomes):
            for trial in batch:
                key = params_key(trial.params)
                if key not in known:
                    outcome = await anext(outcomes, None)
                    if outcome is None:
                        return
                    known[key] = self._record(outcome[1])
                yield StoredTrial(number=trial.number, params=trial.params, record=known[key])

    async def _judge(
        self, progress: _Progress, study: Study, hands: Sequence[Hand[Assignment, Outcome]]
    ) -> None:
        """Run the best trials on the test range, unless a run before this one has done it."""
        start_ms, end_ms = progress.window.test_start_ms, progress.window.test_end_ms
        if start_ms is not None and end_ms is not None:
            progress.tests.update(await study.tests())
            best = ranked(progress.trials)[: self._plan.shown]
            missing = [trial for trial in best if trial.number not in progress.tests]
            frame = self._frame(start_ms, end_ms)
            work = [self._assigned(frame, trial) for trial in missing]
            async with aclosing(in_order(work, hands, self._stop)) as outcomes:
                async for place, outcome in outcomes:
                    number, record = missing[place].number, self._record(outcome)
                    await study.note_test(number, record)
                    progress.tests[number] = record
        progress.is_complete = not self._stop.is_set()

    def _is_searched(self, progress: _Progress) -> bool:
        """Say whether this window has all its trials: all asked for, or all there can be."""
        if self._stop.is_set() or len(progress.trials) >= self._plan.trial_count:
            return True
        size = size_of(self._plan.spaces)
        if size is None or len(progress.trials) % self._plan.batch_size:
            return False
        return len({params_key(trial.params) for trial in progress.trials}) >= size

    def _assignment(self, window: SearchWindow, trial: StoredTrial) -> Assignment:
        return self._assigned(self._frame(window.train_start_ms, window.train_end_ms), trial)

    def _assigned(self, frame: Frame, trial: StoredTrial) -> Assignment:
        return Assignment(
            name=self._plan.strategy_name,
            strategy_name=self._plan.strategy_name,
            frame=frame,
            params=dict(trial.params),
            slice_count=SLICES,
        )

    def _frame(self, start_ms: int, end_ms: int) -> Frame:
        name, interval = self._plan.search_name, self._plan.interval
        return Frame(frame_name=name, interval=interval, start_ms=start_ms, end_ms=end_ms)

    def _record(self, outcome: Outcome) -> TrialRecord:
        match outcome:
            case Failure():
                return TrialRecord(score=None, slice_pnl=(0.0,) * SLICES, error=outcome.message)
            case Evaluation():
                (lane,) = outcome.result.lanes
                return TrialRecord(
                    score=score_of(lane.statistics, self._plan.metric),
                    slice_pnl=outcome.slice_pnl,
                    error_count=sum(each.count for each in lane.error_counts),
                )

    def _told(self, progress: _Progress, trial: StoredTrial, *, is_resumed: bool) -> TrialTold:
        return TrialTold(
            window=progress.window.number,
            trial=trial,
            done=sum(len(each.trials) for each in self._windows),
            total=self._plan.trial_count * len(self._windows),
            is_resumed=is_resumed,
        )


def _window_result(progress: _Progress) -> WindowResult:
    best = next(iter(ranked(progress.trials)), None)
    return WindowResult(
        window=progress.window,
        is_complete=progress.is_complete,
        trials=tuple(_trial(each, progress.tests.get(each.number)) for each in progress.trials),
        best=None if best is None else best.number,
        luck=luck_of(progress.trials),
    )


def _trial(trial: StoredTrial, test: TrialRecord | None) -> SearchTrial:
    return SearchTrial(
        number=trial.number,
        params=trial.params,
        train=None if trial.record is None else trial.record.score,
        test=None if test is None else test.score,
        error="" if trial.record is None else trial.record.error,
        error_count=0 if trial.record is None else trial.record.error_count,
    )
