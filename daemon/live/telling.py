"""Tells one strategy and the listeners what its ticks come to: callbacks and tick results."""

from collections.abc import Sequence

from daemon.core.context import RUN_CONTEXT, RunContext
from daemon.core.events import RiskContract, SignalTransition
from daemon.core.guard import Raised
from daemon.core.params import Params
from daemon.core.results import Callback, callbacks_of, results_of, standing_result
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import Active, Observation, Scheduled, State, row_of
from daemon.core.strategy import HistoryError, Strategy
from daemon.core.vwap import NoPriceError
from daemon.live.callbacks import Callbacks
from daemon.live.crew import Crew
from daemon.live.feed import SymbolFeed
from daemon.live.view import LiveView, look


class Teller:
    """What the strategy of `key` hears, and what it sees while it hears it."""

    def __init__(
        self, strategy: Strategy, feed: SymbolFeed, key: Key, rules: Rules, crew: Crew
    ) -> None:
        self._history = strategy.history
        self._params = Params(strategy.params)
        self._feed = feed
        self._key = key
        self._rules = rules
        self._crew = crew
        self._callbacks = Callbacks(strategy, str(key), crew.containment, self._report)

    @property
    def hears_every_tick(self) -> bool:
        """Say whether anybody wants to know of ticks that change nothing."""
        return self._callbacks.hears_every_tick or self._crew.fanout.has_result_listeners

    def look(self, at_ms: int) -> LiveView:
        """Return what the strategy sees at `at_ms`, and make it the running call's context.

        Raises NoPriceError and HistoryError while there is not enough to see.
        """
        view = look(self._feed, self._history, self._params, at_ms)
        self._enter(view)
        return view

    async def stand(self, state: State, seen: Observation) -> None:
        """Tell that a tick changed nothing, if anybody wants to know."""
        if not self.hears_every_tick:
            return
        result = standing_result(state, self._key, seen, self._rules)
        self._crew.fanout.announce((result,))
        if self._callbacks.hears_every_tick:
            is_waiting = isinstance(state, Scheduled)
            await self._call(callbacks_of(result, is_waiting=is_waiting, is_live_tick=True), seen)

    async def moved(
        self, state: State, events: Sequence[SignalTransition | RiskContract], seen: Observation
    ) -> None:
        """Call the callbacks of what was written: the write, then each fact in order."""
        if self._callbacks.has("on_write"):
            arguments = (self._key.symbol, row_of(state), False)
            await self._call([Callback(name="on_write", arguments=arguments)], seen)
        results = results_of(events)
        for result in results:
            await self._call(callbacks_of(result, is_waiting=False, is_live_tick=True), seen)
        if not results:
            await self.stand(state, seen)

    async def introduce(self, state: State, seen: Observation) -> None:
        """Tell the strategy of what a restart found, with the first price."""
        arguments = (self._key.symbol, row_of(state), seen.price, False)
        if isinstance(state, Active):
            await self._call([Callback(name="on_active", arguments=arguments)], seen)
        elif isinstance(state, Scheduled):
            await self._call([Callback(name="on_schedule", arguments=arguments)], seen)

    async def _call(self, calls: Sequence[Callback], seen: Observation) -> None:
        if not any(self._callbacks.has(call.name) for call in calls):
            return
        try:
            self.look(seen.at_ms)
        except (HistoryError, NoPriceError):
            # A callback may come before there is history; then it sees none.
            self._enter(
                LiveView(
                    symbol=self._key.symbol,
                    price=seen.price,
                    now_ms=seen.at_ms,
                    params=self._params,
                    history={},
                )
            )
        await self._callbacks.call(calls)

    def _enter(self, view: LiveView) -> None:
        context = RunContext(key=self._key, at_ms=view.now_ms, backtest=False, view=view)
        RUN_CONTEXT.set(context)

    def _report(self, where: str, raised: Raised) -> None:
        self._crew.troubles.report(where, self._key, raised)
