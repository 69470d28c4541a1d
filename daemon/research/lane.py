"""One (symbol, strategy) on its way through history.

It holds no rule: it knows when its next turn is, asks, hands over, and passes on what came. What a
moment or a bar means is the core's, the same text that a live task runs on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import assert_never

from daemon.core.arming import deadline_ms
from daemon.core.candles import MINUTE_MS
from daemon.core.data_end import given_at_data_end
from daemon.core.events import (
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    SignalTransition,
)
from daemon.core.guard import Raised
from daemon.core.levels import LEVELS
from daemon.core.results import stamped, standing_result
from daemon.core.risk import Refusal, TradeHistory
from daemon.core.states import Active, Cancel, Given, Idle, Observation, Scheduled, State, tick
from daemon.core.trader import Desk, RefusedSignal, advance, history_after, propose
from daemon.core.validation import InvalidSignalError, Moment
from daemon.research.asker import Asker
from daemon.research.market import Market
from daemon.research.scan import NOTHING_AHEAD, look_ahead
from daemon.research.telling import Teller

Told = SignalClosed | SignalCancelled
"""What a run yields: signals that ended."""

Collect = Callable[[Told | RiskContract], None]

SPAN, OPEN, ASK = 0, 1, 2
"""The order of what belongs to one moment: bars that end, bars that begin, questions."""

PHASES = 4


def turn_key(at_ms: int, phase: int) -> int:
    """Return the place of a turn in the one order of time that all lanes share."""
    return at_ms * PHASES + phase


@dataclass(slots=True)
class Tally:
    """What a lane counts."""

    opened: int = 0
    refused: int = 0
    ambiguous_bars: int = 0
    warm_up_moments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays in a lane; `collect` is handed each end of a signal and each refusal."""

    desk: Desk
    market: Market
    asker: Asker
    teller: Teller
    collect: Collect


def with_levels_told(state: Active) -> Active:
    """Return `state` as if all its levels had been told, so that none is looked for.

    Nobody hears of them. One who comes later hears those of the next signal.
    """
    return Active(signal=state.signal, profit_levels=LEVELS, loss_levels=LEVELS)


class Lane:
    """Takes its turns when it is told to: `due` is the key of the next one, None at the end."""

    def __init__(self, cast: Cast, moments: range, ready_ms: int) -> None:
        self.key = cast.desk.key
        self.market = cast.market
        self.asker = cast.asker
        self.teller = cast.teller
        self.tally = Tally()
        self.state: State = Idle()
        self.is_stopping = False
        self.due: int | None = None
        self._desk = cast.desk
        self._rules = cast.desk.rules
        self._collect = cast.collect
        # At the end of the data there is a price, but nothing that could follow.
        end_ms = min(moments.stop, cast.market.minutes.end_ms)
        self.moments = range(moments.start, end_ms, moments.step)
        self._heard_by = cast.teller.heard_by
        self._history = TradeHistory()
        self._outcome: object = None
        self._ahead = NOTHING_AHEAD
        self._bar: int | None = None
        self._next_bar = 0
        self._resume_ms = 0
        self._has_result = False
        self._begin(ready_ms)

    def has_signal(self) -> bool:
        """Say whether a signal waits or is open."""
        return not isinstance(self.state, Idle)

    def _begin(self, ready_ms: int) -> None:
        """Plan the first moment that has a price and all the history that is declared."""
        first_ms = max(self.market.start_ms + MINUTE_MS, ready_ms, self.moments.start)
        self.tally.warm_up_moments = min(self._number(first_ms), len(self.moments))
        self.asker.since_ms = first_ms
        self._plan_moment(first_ms)

    @property
    def now_ms(self) -> int:
        """Return the market time (UTC epoch ms) of the next turn, or of the end of the data."""
        return self.market.minutes.end_ms if self.due is None else self.due // PHASES

    # -- When --------------------------------------------------------------------------------------

    def _number(self, at_ms: int) -> int:
        """Return the number of the first moment at or after `at_ms`."""
        return max(0, -((self.moments.start - at_ms) // self.moments.step))

    def _plan_moment(self, from_ms: int) -> None:
        """Plan the next moment at or after `from_ms` at which there is anything to do."""
        if self.is_stopping or self.asker.is_off:
            self.due = None
            return
        if not self.teller.hears_moments():
            from_ms = self.asker.due_ms(from_ms)
        number = self._number(from_ms)
        self.due = self.moments[number] * PHASES + ASK if number < len(self.moments) else None

    def _plan_bars(self, start: int) -> None:
        """Plan the next bar, from number `start` on, that must be judged."""
        if isinstance(self.state, Active) and not self.teller.announcer.has_level_listeners:
            self.state = with_levels_told(self.state)
        if self.teller.hears_bars:
            self._plan_bar(start if start < self.market.count else None, start)
            return
        self._ahead = look_ahead(self.state, self.market, start, self._rules)
        self._plan_bar(self._ahead.bar, start)

    def _plan_bar(self, bar: int | None, start: int) -> None:
        self._bar, self._next_bar = bar, start
        if bar is None:
            self.due = turn_key(self.market.minutes.end_ms, SPAN)
            return
        at_ms = self.market.start_ms + bar * MINUTE_MS
        due_ms = deadline_ms(self.state, self._rules)
        is_over = due_ms is not None and at_ms >= due_ms
        self.due = turn_key(at_ms, OPEN) if is_over else turn_key(at_ms + MINUTE_MS, SPAN)

    # -- Moments -----------------------------------------------------------------------------------

    def ask_quietly(self, last_key: int, calls_max: int) -> bool:
        """Ask at moments up to `last_key` for as long as the answer is None and nobody hears.

        At most `calls_max` times, and not for long. Say whether a turn is due that somebody must
        wait for.
        """
        if self.has_signal():
            return True
        while calls_max > 0:
            due = self.due
            if due is None or due > last_key or self.asker.calls.is_turn_due:
                return False
            if self.is_stopping or self.teller.hears_moments():
                return True
            count = self.asker.count
            moments = chain.from_iterable(
                zip(alike, self.market.prices_at(alike), strict=True)
                for alike in self.asker.moments_alike(
                    self.moments, due // PHASES, (last_key - ASK) // PHASES
                )
            )
            outcome = self.asker.begin_each(islice(moments, calls_max), self._heard_by)
            asked_ms = self.asker.last_ms
            assert asked_ms is not None, "there was at least one moment, so it was asked"
            if outcome is not None:
                self.due = turn_key(asked_ms, ASK)
                self._outcome = outcome
                return True
            calls_max -= self.asker.count - count
            self._plan_moment(asked_ms + 1)
        return False

    async def turn(self) -> Sequence[Told]:
        """Do what is due; return the signals that ended."""
        if self.has_signal():
            return await self._judge()
        assert self.due is not None, "a lane without a turn is given none"
        now_ms = self.due // PHASES
        if self.is_stopping:
            self.due = None
            return ()
        seen = tick(now_ms, self.market.price_at(now_ms))
        told = await self._ask(seen)
        if not self.has_signal():
            if self.teller.hears_moments():
                await self._stand(seen)
            self._plan_moment(now_ms + 1)
        else:
            self._plan_bars(self.market.index_of(now_ms))
        return told

    async def _ask(self, seen: Observation) -> Sequence[Told]:
        """Ask, unless that has been done, and carry the answer through risk and validation."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            await self._progress(seen.at_ms)
            if self.asker.due_ms(seen.at_ms) > seen.at_ms:
                return ()
            outcome = self.asker.begin(seen.at_ms, seen.price)
        answer = await self.asker.finish(outcome)
        if answer is None:
            return ()
        if type(answer) is Raised:
            await self.teller.fail("get_signal", answer, seen.at_ms)
            return ()
        moment = Moment(self.key, seen.at_ms, seen.price)
        proposal = propose(answer, moment, self._desk)
        match proposal:
            case InvalidSignalError():
                await self.teller.fail("get_signal", proposal, seen.at_ms)
                return ()
            case RefusedSignal(event=event, refusal=refusal):
                await self._pass_on(event, seen)
                await self._report(refusal, seen.at_ms)
                return ()
            case _:
                return await self._take(proposal, seen)

    async def _progress(self, now_ms: int) -> None:
        if self.teller.announcer.has_progress_listeners:
            await self.teller.progress(self._number(now_ms), len(self.moments))

    # -- Bars --------------------------------------------------------------------------------------

    async def _judge(self) -> Sequence[Told]:
        """Judge a waiting or open signal on the bar that is due, or at the end of the data."""
        bar = self._bar
        if self.is_stopping and isinstance(self.state, Scheduled):
            seen = self.market.bar(max(1, self._next_bar - 1))
            stop = Cancel(reason="stopped", at_ms=seen.known_at_ms, price=seen.price)
            told = await self._take(stop, seen)
        elif bar is None:
            seen = self.market.bar(self.market.count - 1)
            end = given_at_data_end(self.state, seen)
            assert end is not None, "a lane that judges has a signal"
            told = await self._take(end, seen)
        else:
            seen = self.market.bar(bar)
            told = await self._take(seen, seen)
            if not self._has_result and self.teller.hears_any:
                await self._stand(seen)
        if not self.has_signal():
            self._plan_moment(self._resume_ms)
        elif bar is not None:
            self._go_on(bar)
        return told

    def _go_on(self, bar: int) -> None:
        """Plan the bar after `bar`, which did not end the signal."""
        if not self.teller.hears_bars and self._ahead.pass_on(self.state):
            self._plan_bar(self._ahead.bar, bar + 1)
        else:
            self._plan_bars(bar + 1)

    # -- Facts -------------------------------------------------------------------------------------

    async def _take(self, given: Given, seen: Observation) -> list[Told]:
        """Let `given` happen and everybody hear of it; return the signals that ended."""
        before = self.state
        after = advance(before, given, self._desk)
        self.state = after.state
        self.tally.ambiguous_bars += after.is_ambiguous
        if after.state is not before and self.teller.hears_writes:
            await self.teller.write(after.state, seen)
        told: list[Told] = []
        self._has_result = False
        self._resume_ms = seen.known_at_ms
        for event in after.events:
            ended = await self._pass_on(event, seen)
            if ended is not None:
                self._resume_ms = ended.at_ms
                told.append(ended)
        if after.refusal is not None or self._desk.risk.faults:
            await self._report(after.refusal, seen.known_at_ms)
        return told

    async def _pass_on(
        self, event: SignalTransition | RiskContract, seen: Observation
    ) -> Told | None:
        match event:
            case SignalClosed() | SignalCancelled():
                self._has_result = True
                if self._desk.risk_names:
                    self._history = history_after(self._history, (event,))
                    self._desk.risk.remember(self._desk.risk_names, self.key, self._history)
                ended = stamped(event)
                self._collect(ended)
                if self.teller.hears_any:
                    await self.teller.tell(ended, seen)
                return ended
            case SignalOpened() | SignalScheduled():
                self._has_result = True
                self.tally.opened += isinstance(event, SignalOpened)
                if self.teller.hears_any:
                    await self.teller.tell(event, seen)
            case PartialProfitContract() | PartialLossContract():
                if self.teller.announcer.has_level_listeners:
                    await self.teller.announce(stamped(event))
            case RiskContract():
                self.tally.refused += 1
                refused = stamped(event)
                self._collect(refused)
                await self.teller.announce(refused)
            case _:
                assert_never(event)
        return None

    async def _stand(self, seen: Observation) -> None:
        """Tell of a moment without a signal, or of a bar over which one went on."""
        result = standing_result(self.state, self.key, seen, self._rules)
        if isinstance(self.state, Idle):
            await self.teller.tell(result, seen)
        else:
            is_waiting = isinstance(self.state, Scheduled)
            await self.teller.tell_bar(result, seen, is_waiting=is_waiting)

    async def _report(self, refusal: Refusal | None, at_ms: int) -> None:
        """Tell of risk rules that broke, and of what callbacks of profiles raised."""
        if refusal is not None and refusal.fault is not None:
            await self.teller.fail("validation", refusal.fault, at_ms)
        faults = self._desk.risk.faults
        while faults:
            fault = faults.pop(0)
            where = f"risk {fault.risk_name} {fault.callback}"
            await self.teller.fail(where, fault.raised, at_ms)
