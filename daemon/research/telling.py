"""Tells a strategy and the listeners what a run over history comes to. What nobody hears is free.

Emission waits for listeners, so that each hears its events in order and none is lost.
"""

from collections import Counter
from collections.abc import Callable, Sequence, Sized
from functools import partial

from daemon.core.context import RUN_CONTEXT
from daemon.core.events import (
    Announcement,
    ErrorContract,
    Keyed,
    ProgressBacktestContract,
    TickResult,
)
from daemon.core.guard import OverrunError, Raised, describe
from daemon.core.results import CALLBACK_NAMES, Callback, callbacks_of, stamped
from daemon.core.signal import Key, make_id
from daemon.core.states import Observation, State, row_of
from daemon.core.strategy import Strategy
from daemon.core.subjects import Subjects, route
from daemon.research.asker import HUNG_IN_ROW_MAX
from daemon.research.containment import Containment
from daemon.research.view import HistoryView, Scene

ERRORS_KEPT = 20
"""How many errors of a run are kept in full; all are counted."""


class GivenUpError(Exception):
    """A callback did not come back too often in a row, and is called no more."""


class Errors:
    """What went wrong in a run: counted by place and class, the first of it kept."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, str]] = Counter()
        self.first: list[ErrorContract] = []

    def add(self, event: ErrorContract) -> None:
        """Count `event`."""
        self.count[event.where, event.error] += 1
        if len(self.first) < ERRORS_KEPT:
            self.first.append(event)


class Announcer:
    """Hands events to listeners, one after the other, and waits for each."""

    def __init__(self, subjects: Subjects, containment: Containment) -> None:
        self._subjects = subjects
        self._containment = containment
        # The lists themselves: a listener that comes or goes in the middle of a run is seen.
        self._of_results = (subjects.signal.listeners, subjects.signal_backtest.listeners)
        self._of_progress = subjects.progress_backtest.listeners
        self._of_performance = subjects.performance.listeners
        self._of_levels = (subjects.partial_profit.listeners, subjects.partial_loss.listeners)

    @property
    def has_progress_listeners(self) -> bool:
        """Say whether anybody wants to hear how far the run has come."""
        return bool(self._of_progress)

    @property
    def has_performance_listeners(self) -> bool:
        """Say whether anybody wants to hear how long things take."""
        return bool(self._of_performance)

    @property
    def has_level_listeners(self) -> bool:
        """Say whether anybody wants to hear of partial levels."""
        return bool(self._of_levels[0] or self._of_levels[1])

    @property
    def has_result_listeners(self) -> bool:
        """Say whether anybody wants to hear tick results."""
        return bool(self._of_results[0] or self._of_results[1])

    @property
    def lists(self) -> tuple[Sized, Sized, Sized, Sized]:
        """Return the lists of all who want to hear of moments at which nothing happens."""
        return (*self._of_results, self._of_progress, self._of_performance)

    async def announce(self, event: Announcement) -> list[Raised]:
        """Let everybody hear `event`; return what listeners and their conditions raised."""
        raised: list[Raised] = []
        for delivery in route(event, self._subjects):
            listener = delivery.listener
            # One that waited for this very event has been unsubscribed before its call.
            if listener.is_done and listener.accepts is None:
                continue
            outcome = await self._containment.call(delivery.call)
            if outcome is not None:
                raised.append(outcome)
        raised += (fault.raised for fault in self._subjects.take_faults())
        return raised


class Teller:
    """What the strategy of `key` and the listeners hear of its ticks and bars."""

    def __init__(
        self, strategy: Strategy, key: Key, scene: Scene, announcer: Announcer, calls: Containment
    ) -> None:
        self.errors = Errors()
        self.announcer = announcer
        self._key = key
        self._scene = scene
        self._calls = calls
        self.heard_by = announcer.lists
        self._own: dict[str, Callable[[object], object]] = {
            name: getattr(strategy, name)
            for name in CALLBACK_NAMES
            if getattr(type(strategy), name) is not getattr(Strategy, name)
        }
        self._hung_in_row: Counter[str] = Counter()
        self._hears_idle = not self._own.keys().isdisjoint(("on_idle", "on_tick"))
        self.hears_writes = "on_write" in self._own
        self.hears_bars = not self._own.keys().isdisjoint(("on_partial_profit", "on_partial_loss"))

    @property
    def hears_any(self) -> bool:
        """Say whether the strategy has a callback or anybody listens to results."""
        return bool(self._own) or self.announcer.has_result_listeners

    def hears_moments(self) -> bool:
        """Say whether anybody wants to hear of moments at which nothing happens."""
        on_any, on_history, on_progress, on_performance = self.heard_by
        return bool(self._hears_idle or on_any or on_history or on_progress or on_performance)

    async def write(self, state: State, seen: Observation) -> None:
        """Call the callback of a write: history keeps nothing, and the hook is the same."""
        arguments = (self._key.symbol, row_of(state), True)
        await self._call([Callback(name="on_write", arguments=arguments)], seen)

    async def tell(self, result: TickResult, seen: Observation) -> None:
        """Let the strategy and then the listeners hear `result`."""
        if not self.hears_any:
            return
        marked = stamped(result)
        if self._own:
            calls = callbacks_of(marked, is_waiting=False, is_live_tick=False)
            await self._call(calls, seen)
        await self.announce(marked)

    async def tell_bar(self, result: TickResult, seen: Observation, *, is_waiting: bool) -> None:
        """Let the strategy hear that a signal went on over a bar, which is no tick."""
        calls = callbacks_of(stamped(result), is_waiting=is_waiting, is_live_tick=False)
        await self._call(calls, seen)

    async def progress(self, processed: int, total: int) -> None:
        """Let the listeners hear how many of `total` moments are over."""
        await self.announce(
            ProgressBacktestContract(
                exchange_name=self._key.exchange_name,
                strategy_name=self._key.strategy_name,
                symbol=self._key.symbol,
                total_frames=total,
                processed_frames=processed,
                progress=processed / total if total else 1.0,
            )
        )

    async def announce(self, event: Announcement) -> None:
        """Let the listeners hear `event`. What one raises is told on `error`, but in no circle."""
        for raised in await self.announcer.announce(event):
            if not (isinstance(event, ErrorContract) and event.where == "listener"):
                at_ms = event.at_ms if isinstance(event, Keyed) else 0
                await self.fail("listener", raised, at_ms)

    async def fail(self, where: str, trouble: Raised | Exception, at_ms: int) -> None:
        """Count and tell an error that costs its call and nothing else."""
        raised = describe(trouble) if isinstance(trouble, Exception) else trouble
        event = ErrorContract(
            id=make_id("error", self._key, at_ms, where),
            key=self._key,
            where=where,
            error=raised.error,
            message=raised.told_after_error,
            at_ms=at_ms,
            backtest=True,
        )
        self.errors.add(event)
        await self.announce(event)

    async def _call(self, calls: Sequence[Callback], seen: Observation) -> None:
        for callback in calls:
            function = self._own.get(callback.name)
            if function is None:
                continue
            view = HistoryView(self._scene, seen.price, seen.known_at_ms)
            token = RUN_CONTEXT.set(view)
            try:
                raised = await self._calls.call(partial(function, *callback.arguments))
            finally:
                RUN_CONTEXT.reset(token)
            if raised is not None:
                await self._fail_callback(callback.name, raised, seen.known_at_ms)
            elif self._hung_in_row:
                del self._hung_in_row[callback.name]

    async def _fail_callback(self, name: str, raised: Raised, at_ms: int) -> None:
        """Tell what a callback raised. One that hangs again and again would hold the run up."""
        await self.fail(f"callback {name}", raised, at_ms)
        if not issubclass(type(raised.cause), OverrunError | TimeoutError):
            del self._hung_in_row[name]
            return
        self._hung_in_row[name] += 1
        if self._hung_in_row[name] >= HUNG_IN_ROW_MAX:
            self._own.pop(name, None)
            told = f"{name} did not come back {HUNG_IN_ROW_MAX} times in a row, is called no more"
            await self.fail("callbacks", GivenUpError(told), at_ms)
