"""The runner of one (symbol, strategy): sleeps, ticks, asks, and hands every fact on.

It decides nothing itself. What a tick means is decided in the core; that it is kept before it is
told is the keeper's doing; that foreign code does no harm is the containment's.
"""

import asyncio
from dataclasses import replace
from functools import partial
from inspect import iscoroutinefunction
from math import nan
from typing import Literal, assert_never

from daemon.core.arming import Armed, Bounds, armed_of, bounds_of, deadline_ms
from daemon.core.candles import MINUTE_MS
from daemon.core.errors import RejectedError
from daemon.core.guard import Raised
from daemon.core.held import given_by
from daemon.core.records import TransitionEntry
from daemon.core.signal import Signal
from daemon.core.states import (
    Active,
    Cancel,
    Close,
    Given,
    Idle,
    Observation,
    Scheduled,
    tick,
)
from daemon.core.strategy import HistoryError, Strategy
from daemon.core.throttle import signal_interval_ms
from daemon.core.trader import Advance, Desk, RefusedSignal, advance, propose
from daemon.core.validation import InvalidSignalError, Moment, read_signal
from daemon.core.vwap import NoPriceError
from daemon.live.asking import Asking
from daemon.live.crew import Crew
from daemon.live.ending import Ending
from daemon.live.feed import SymbolFeed
from daemon.live.keeper import Keeper
from daemon.live.reports import Reports
from daemon.live.task_commands import CommandQueue, QueuedCommand, SignalCommand
from daemon.live.telling import Teller
from daemon.live.view import price_of
from daemon.live.waker import Waker
from daemon.live.workers import LeakedThreadError


class Runner:
    """One task: call `run`. `block` says why the key must not enter the market, "" if it may."""

    def __init__(
        self, strategy: Strategy, feed: SymbolFeed, keeper: Keeper, desk: Desk, crew: Crew
    ) -> None:
        self.key = desk.key
        self.keeper = keeper
        self.feed = feed
        self.block = ""
        self._ending = Ending()
        self.is_leaving = False
        self.opens_nothing = False
        self.is_running = False
        self.ticked_at_s: float | None = None
        self.decided_at_ms: int | None = None
        self.reason = "waits for the first price"
        self.quiet_s = crew.pace.tick_quiet_s
        self.asking = Asking(
            signal_interval_ms(strategy.interval),
            crew.patience,
            align=desk.rules.align,
            since_ms=crew.clock.now_ms(),
        )
        self.strategy = strategy
        self._is_async = iscoroutinefunction(strategy.get_signal)
        self._desk = desk
        self._crew = crew
        self._loop = asyncio.get_running_loop()
        self._waker = Waker()
        self._bounds, self._armed = Bounds(), Armed()
        self._deadline_ms: int | None = None
        self._ticked_price = 0.0
        self._soonest_s = 0.0
        self._prices_heard = 0
        self._commands = CommandQueue(self.key)
        self._is_restored = not isinstance(keeper.held.state, Idle)
        self._reports = Reports(self.key, crew, desk.risk)
        self._teller = Teller(strategy, feed, self.key, desk.rules, crew)

    async def run(self) -> None:
        """Tick until told to end, or until a stopped strategy has nothing left to watch."""
        if not await self._has_history():
            return
        self._arm()
        unsubscribe = self.feed.subscribe(self._on_price)
        self.is_running = True
        try:
            while not self._ending.has_begun:
                due_s = await self._waker.wait(self._due_s())
                self._crew.timings.late(self._loop.time() - due_s)
                await self._commands.carry_out(self._obey)
                await self._timed_tick()
                is_over = self.keeper.held.is_stopped or self.is_leaving
                if is_over and isinstance(self.keeper.held.state, Idle):
                    return
        finally:
            self.is_running = False
            self._waker.close()
            unsubscribe()
            self._commands.close()

    async def _has_history(self) -> bool:
        """Wait for the candles that the strategy reads, or for the end; say whether they came."""
        return await self._ending.unless(self._learn()) is not None

    async def _learn(self) -> bool:
        for interval, limit in self.strategy.history.items():
            await self.feed.need(interval, limit)
        return True

    def next_ask_ms(self) -> int:
        """Return the market time (ms) of the next call of `get_signal`."""
        return self.asking.due_ms(self._crew.clock.now_ms())

    def end(self) -> None:
        """Let `run` return after the step that is under way; a strategy that thinks is none."""
        self._ending.begin()
        self._waker.wake()

    def nudge(self) -> None:
        """Look again soon: a person has changed what the task may do."""
        self._waker.wake()

    async def command(self, name: SignalCommand, signal_id: str = "") -> Advance | None:
        """Give the task a person's command about its signal; return when it is on disk.

        Where `signal_id` is given, nothing happens to any other signal. Returns what came of
        the signal, None where there was nothing to do. Raises RejectedError.
        """
        done = self._commands.put(name, signal_id)
        self._waker.wake()
        return await done

    async def _obey(self, command: QueuedCommand) -> Advance | None:
        match command.name:
            case "stop":
                return await self._drop("stopped", command)
            case "cancel":
                return await self._drop("user", command)
            case "close":
                return await self._close(command)
            case _:
                assert_never(command.name)

    async def _drop(
        self, reason: Literal["user", "stopped"], command: QueuedCommand
    ) -> Advance | None:
        state = self.keeper.held.state
        if not isinstance(state, Scheduled) or not command.means(state):
            return None
        price = self.feed.price or state.signal.price_open
        seen = tick(self._crew.clock.now_ms(), price)
        return await self._take(Cancel(reason=reason, at_ms=seen.at_ms, price=price), seen)

    async def _close(self, command: QueuedCommand) -> Advance | None:
        state = self.keeper.held.state
        if not isinstance(state, Active) or not command.means(state):
            return None
        price = price_of(self.feed)
        if not self.feed.is_fresh():
            raise RejectedError(f"its price is not trusted: {self.feed.reason}")
        seen = tick(self._crew.clock.now_ms(), price)
        return await self._take(Close(reason="user", at_ms=seen.at_ms, price=price), seen)

    async def _timed_tick(self) -> None:
        started_s = self._loop.time()
        self.ticked_at_s = started_s
        self._soonest_s = self._crew.pace.next_tick_s(started_s, self._prices_heard)
        self._prices_heard = 0
        now_ms = self._crew.clock.now_ms()
        if not self.feed.is_fresh(now_ms):
            self.reason = self.feed.reason or "waits for the first price"
            if self.decided_at_ms is not None:
                self._reports.seen(self.reason, self.keeper.held.state)
            return
        price = price_of(self.feed)
        self.reason = ""
        if self._reports.is_blind:
            self._reports.seen("", self.keeper.held.state)
        self._ticked_price = price
        if not self._is_unmoved(now_ms, price):
            await self._tick(tick(now_ms, price))
        self.decided_at_ms = now_ms
        self._crew.timings.took("live_tick", self.key, self._loop.time() - started_s)

    def _is_unmoved(self, now_ms: int, price: float) -> bool:
        """Say whether a tick can change nothing and nobody wants to hear of it."""
        if self._is_restored or self._teller.hears_every_tick:
            return False
        return self._armed.is_quiet(now_ms, price)

    async def _tick(self, seen: Observation) -> None:
        state = self.keeper.held.state
        if self._is_restored:
            self._is_restored = False
            await self._teller.introduce(state, seen)
        if isinstance(state, Idle):
            if self._may_ask(seen.at_ms):
                await self._ask(seen)
            else:
                await self._teller.stand(self.keeper.held.state, seen)
            return
        held = self.keeper.held
        if self.opens_nothing:
            held = replace(held, is_paused=True)
        await self._take(given_by(seen, held, self._desk.rules), seen)

    async def _take(self, given: Given, seen: Observation) -> Advance:
        """Advance by one input: keep and tell what changed, or say that nothing did."""
        before = self.keeper.held.state
        after = advance(before, given, self._desk)
        if after.state is before and not after.events:
            await self._teller.stand(self.keeper.held.state, seen)
            return after
        after = await self.keeper.commit(after, seen)
        self._arm()
        self._reports.refused(after.refusal)
        await self._teller.moved(self.keeper.held.state, after.events, seen)
        return after

    async def _ask(self, seen: Observation) -> None:
        """Ask the strategy and carry its answer through risk and validation to the disk."""
        self.asking.begin(seen.at_ms)
        try:
            view = self._teller.look(seen.at_ms)
        except (HistoryError, NoPriceError) as error:
            self._reports.failed(self.asking, error)
            return
        with self._crew.timings.of("strategy_execution", self.key):
            answer = self._crew.containment.ask(
                str(self.key),
                partial(self.strategy.get_signal, view),
                is_async=self._is_async,
            )
            outcome = await self._ending.unless(answer)
        if outcome is None:
            return
        await self._crew.hang_guard.forget(self.key)
        if isinstance(outcome, Raised):
            self._reports.failed(self.asking, outcome)
            if isinstance(outcome.cause, LeakedThreadError):
                self._reports.lost_thread(self.asking)
            return
        if outcome.value is None or not self._may_enter():
            self.asking.succeeded()
            await self._teller.stand(self.keeper.held.state, seen)
            return
        await self._enter_market(outcome.value)

    async def _enter_market(self, answer: object) -> None:
        if type(answer) is not Signal:
            # It may hold the loop or end it: there is code of the author's in it.
            call = partial(read_signal, answer)
            read = self._crew.containment.call(str(self.key), call)
            if isinstance(read, Raised):
                self._reports.failed(self.asking, read)
                return
            answer = read.value
        if not self.feed.is_fresh():
            self._reports.failed(
                self.asking, f"the signal came when its price was not trusted: {self.feed.reason}"
            )
            return
        # The price and the moment are read again: the strategy may have thought for minutes.
        now_ms = self._crew.clock.now_ms()
        price = price_of(self.feed)
        moment = Moment(key=self.key, at_ms=now_ms, price=price)
        with self._crew.timings.of("risk_validation", self.key):
            proposal = propose(answer, moment, self._desk)
        match proposal:
            case InvalidSignalError():
                self._reports.failed(self.asking, proposal)
            case RefusedSignal(event=event):
                self.asking.succeeded()
                self._reports.refused(proposal.refusal)
                await self.keeper.journal(
                    TransitionEntry(key=self.key, events=(event,), at_ms=now_ms)
                )
                await self._teller.stand(self.keeper.held.state, tick(now_ms, price))
            case _:
                self.asking.succeeded()
                await self._take(proposal, tick(now_ms, price))

    def _may_ask(self, now_ms: int) -> bool:
        if not self._can_ask() or now_ms < self.asking.due_ms(now_ms):
            return False
        minute_ms = now_ms // MINUTE_MS * MINUTE_MS
        if self.feed.final_until_ms >= minute_ms:
            return True
        # Any next word of the feed may end the minute before: hear it at once.
        self._ticked_price, self._soonest_s = nan, 0.0
        return self.asking.is_ripe(minute_ms, self._loop.time())

    def _can_ask(self) -> bool:
        """Say whether the strategy is asked at all these days, be it its turn or not."""
        if not self._may_enter() or self.asking.is_off:
            return False
        return not self.asking.is_circuit_open(self._loop.time())

    def _may_enter(self) -> bool:
        held = self.keeper.held
        if held.is_stopped or held.is_paused or self.block or self._ending.has_begun:
            return False
        return not self._crew.health.is_storage_failing

    def _arm(self) -> None:
        state, rules = self.keeper.held.state, self._desk.rules
        self._bounds, self._armed = bounds_of(state, rules), armed_of(state, rules)
        self._deadline_ms = deadline_ms(state, rules)

    def _on_price(self, price: float) -> None:
        """Hear a price: at a crossed level wake at once, else when the tick interval is over."""
        self._prices_heard += 1
        if self._bounds.is_crossed(price):
            self._waker.wake()
        elif price != self._ticked_price:
            self._waker.wake_by(self._soonest_s)

    def _due_s(self) -> float:
        """Return when to tick without a new price: at a deadline, or to show that it lives."""
        now_s = self._loop.time()
        if self.ticked_at_s is None:
            return now_s
        state = self.keeper.held.state
        now_ms = self._crew.clock.now_ms()
        due_ms = self._deadline_ms
        if isinstance(state, Idle):
            # A turn that it must not take stays due for ever: no reason to wake up.
            due_ms = self.asking.due_ms(now_ms) if self._can_ask() else None
        quiet_s = self.ticked_at_s + self._crew.pace.tick_quiet_s
        if due_ms is None:
            return quiet_s
        if self.asking.ripe_s > now_s:
            return min(quiet_s, self.asking.ripe_s)
        # One millisecond more, so that the clock has really passed the deadline by then.
        left_s = (due_ms - now_ms + 1) / 1000 / self._crew.clock.speed
        if now_s + left_s >= quiet_s or not self.feed.is_fresh(now_ms):
            return quiet_s
        return min(quiet_s, now_s + left_s if left_s > 0 else max(self._soonest_s, now_s))
