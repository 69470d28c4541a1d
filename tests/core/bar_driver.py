"""The second driver: one key over a list of one-minute candles.

It holds no rule. It walks the list, asks, hands over, and writes down what came: all else is the
core's, the same text that a live task runs on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.data_end import given_at_data_end
from daemon.core.events import ErrorContract, RiskContract, SignalTransition, TickResult
from daemon.core.guard import Raised, Returned, call_foreign
from daemon.core.results import Callback, callbacks_of, results_of, stamped, standing_result
from daemon.core.risk import Refusal, TradeHistory
from daemon.core.signal import make_id
from daemon.core.states import Given, Idle, Observation, Scheduled, State, tick
from daemon.core.throttle import next_ask_ms, signal_interval_ms
from daemon.core.trader import Desk, RefusedSignal, advance, history_after, propose
from daemon.core.validation import InvalidSignalError, Moment
from tests.core.reference import bar_at

Ask = Callable[[Sequence[Candle], float], object]
"""A strategy: what it returns for the candles so far and the price now."""


@dataclass(kw_only=True)
class BarRun:
    """What a run over bars has come to; `run` fills it."""

    desk: Desk
    ask: Ask
    interval: str = "1m"
    frame_minutes: int = 1
    hears: Callable[[Callback], object] | None = None
    state: State = field(default_factory=Idle)
    events: list[SignalTransition | RiskContract | ErrorContract] = field(default_factory=list)
    results: list[TickResult] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    ambiguous_bars: int = 0
    history: TradeHistory = field(default_factory=TradeHistory)
    since_ms: int = 0
    resume_ms: int = 0

    def is_idle(self) -> bool:
        return isinstance(self.state, Idle)

    def run(self, rows: Sequence[Candle], first: int = 1) -> "BarRun":
        """Go over `rows` from `first` on; those before give a price to begin with."""
        self.since_ms = rows[first].timestamp
        count = self.desk.rules.avg_price_candles_count
        for index in range(first, len(rows)):
            seen = bar_at(rows, index, count)
            self._frame(rows[:index], seen)
            if self._bar(seen) and self.resume_ms == seen.at_ms:
                # It ended at the bar's open: this frame is the first one after it.
                self._frame(rows[:index], seen)
                self._bar(seen)
        last = bar_at(rows, len(rows) - 1, count)
        given = given_at_data_end(self.state, last)
        if given is not None:
            self._take(given, last)
        return self

    def _frame(self, rows: Sequence[Candle], seen: Observation) -> None:
        now_ms = seen.at_ms
        is_frame = (now_ms - self.since_ms) % (self.frame_minutes * MINUTE_MS) == 0
        if not is_frame or not self.is_idle() or now_ms < self.resume_ms:
            return
        moment = tick(now_ms, seen.price_start)
        last_ms = self.asked[-1] if self.asked else None
        interval_ms = signal_interval_ms(self.interval)
        align, since_ms = self.desk.rules.align, self.since_ms
        if now_ms >= next_ask_ms(last_ms, interval_ms, now_ms, align=align, since_ms=since_ms):
            self.asked.append(now_ms)
            self._enter(call_foreign(self.ask, rows, seen.price_start), moment)
        if self.is_idle():
            self._tell(standing_result(self.state, self.desk.key, moment, self.desk.rules))

    def _enter(self, answer: Returned[object] | Raised, seen: Observation) -> None:
        if isinstance(answer, Raised):
            self._fail("get_signal", answer.error, answer.message, seen.at_ms)
            return
        if answer.value is None:
            return
        moment = Moment(key=self.desk.key, at_ms=seen.at_ms, price=seen.price)
        proposal = propose(answer.value, moment, self.desk)
        match proposal:
            case InvalidSignalError():
                self._fail("get_signal", "InvalidSignalError", str(proposal), seen.at_ms)
            case RefusedSignal(event=event):
                self.events.append(stamped(event))
                self._report(proposal.refusal, seen.at_ms)
            case _:
                self._take(proposal, seen)

    def _bar(self, seen: Observation) -> bool:
        """Judge a waiting or open signal on a bar; say whether it ended."""
        if self.is_idle():
            return False
        results = self._take(seen, seen)
        if not results:
            standing = standing_result(self.state, self.desk.key, seen, self.desk.rules)
            if self.is_idle():
                self._tell(standing)
            else:
                self._call(standing)
        return self.is_idle()

    def _take(self, given: Given, seen: Observation) -> list[TickResult]:
        after = advance(self.state, given, self.desk)
        self.state = after.state
        self.ambiguous_bars += after.is_ambiguous
        self.history = history_after(self.history, after.events)
        self.desk.risk.remember(self.desk.risk_names, self.desk.key, self.history)
        self.events += [stamped(event) for event in after.events]
        self._report(after.refusal, seen.known_at_ms)
        results = results_of(after.events)
        if self.is_idle():
            self.resume_ms = results[-1].at_ms if results else seen.known_at_ms
        for result in results:
            self._tell(result)
        return results

    def _tell(self, result: TickResult) -> None:
        self.results.append(stamped(result))
        self._call(result)

    def _call(self, result: TickResult) -> None:
        if self.hears is None:
            return
        is_waiting = isinstance(self.state, Scheduled)
        for callback in callbacks_of(stamped(result), is_waiting=is_waiting, is_live_tick=False):
            self.hears(callback)

    def _report(self, refusal: Refusal | None, at_ms: int) -> None:
        if refusal is not None and refusal.fault is not None:
            self._fail("validation", refusal.fault.error, refusal.fault.message, at_ms)

    def _fail(self, where: str, error: str, message: str, at_ms: int) -> None:
        event = ErrorContract(
            id=make_id("error", self.desk.key, at_ms, where),
            key=self.desk.key,
            where=where,
            error=error,
            message=message,
            at_ms=at_ms,
        )
        self.events.append(stamped(event))
