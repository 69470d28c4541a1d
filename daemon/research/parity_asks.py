"""The questions of a journal, asked once more at the moments of a backtest.

A strategy is asked where live had no signal, each time as a backtest that stood where live stood
would ask it. What it answers is compared with the signal that live made, or did not make.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from daemon.core.candles import MINUTE_MS
from daemon.core.guard import Raised, describe
from daemon.core.orders import fill_at_rule_price
from daemon.core.params import Params
from daemon.core.risk import RiskDesk
from daemon.core.signal import SignalRow
from daemon.core.states import Proposal
from daemon.core.strategy import Strategy
from daemon.core.throttle import next_ask_ms
from daemon.core.trader import Desk, propose
from daemon.core.validation import InvalidSignalError, Moment
from daemon.research.asker import Asker
from daemon.research.containment import Containment
from daemon.research.parity_exits import LATE_MS_MIN, Ground
from daemon.research.parity_facts import Cause, Difference
from daemon.research.parity_price import ROUNDING, explain_price, price_bounds
from daemon.research.parity_record import LiveLane, LiveSignal
from daemon.research.view import Scene

LATE_MINUTES_MAX = 5
"""So many minutes later a strategy is asked again, to see whether lateness explains an answer."""

NONE = "no signal"


@dataclass(slots=True)
class Asked:
    """How often was asked, how often not, and how late live made its signals (ms)."""

    count: int = 0
    skipped: int = 0
    lateness_ms: list[int] = field(default_factory=list)


class Questions:
    """Asks a strategy at moments of the past, on the candles of a market."""

    def __init__(self, ground: Ground, strategy: Strategy, calls: Containment) -> None:
        self._ground = ground
        scene = Scene(
            ground.key,
            Params(strategy.params),
            dict(strategy.history),
            ground.market.tables(strategy.history),
        )
        self.ready_ms = max(scene.ready_ms(), ground.market.start_ms + MINUTE_MS)
        self.asker = Asker(strategy, scene, ground.rules, calls)
        self._desk = Desk(
            key=ground.key,
            rules=ground.rules,
            risk=RiskDesk(),
            risk_names=(),
            broker=fill_at_rule_price,
        )

    async def answer(self, at_ms: int, price: float) -> SignalRow | Raised | None:
        """Return the signal that the strategy makes at that moment and price, None, or a fault."""
        outcome = await self.asker.finish(self.asker.begin(at_ms, price))
        if outcome is None or type(outcome) is Raised:
            return outcome
        proposal = propose(
            outcome, Moment(key=self._ground.key, at_ms=at_ms, price=price), self._desk
        )
        match proposal:
            case Proposal(row=row):
                return row
            case InvalidSignalError():
                return describe(proposal)
            case _:
                return None


@dataclass(slots=True)
class AskedAgain:
    """Walks through one lane of a journal, from signal to signal."""

    ground: Ground
    lane: LiveLane
    questions: Questions
    again: Questions
    asked: Asked = field(default_factory=Asked)

    async def differences(self) -> list[Difference]:
        """Return where the strategy, asked at the moments of a backtest, answers otherwise."""
        found: list[Difference] = []
        record = self.ground.record
        last_ms: int | None = None
        free_ms = record.start_ms
        for signal in self.lane.signals:
            for at_ms in self._moments(last_ms, free_ms, signal.at_ms):
                last_ms = at_ms
                found += await self._quiet(at_ms)
            found += await self._made(signal, self._own_moment(last_ms, free_ms, signal.at_ms))
            last_ms = signal.at_ms
            if signal.end is None:
                return found
            free_ms = signal.end.at_ms
        # At the very end of the journal a signal may have been made that it does not hold.
        for at_ms in self._moments(last_ms, free_ms, record.end_ms - self._interval_ms):
            found += await self._quiet(at_ms)
        return found

    @property
    def _interval_ms(self) -> int:
        return self.questions.asker.interval_ms

    def _next(self, last_ms: int | None, now_ms: int) -> int:
        align = self.ground.rules.align
        at_ms = next_ask_ms(
            last_ms,
            self._interval_ms,
            -(-now_ms // MINUTE_MS) * MINUTE_MS,
            align=align,
            since_ms=self.ground.record.start_ms,
        )
        return -(-at_ms // MINUTE_MS) * MINUTE_MS

    def _moments(self, last_ms: int | None, free_ms: int, until_ms: int) -> Iterator[int]:
        """Yield the moments of a backtest before the one that belongs to `until_ms`."""
        at_ms = self._next(last_ms, free_ms)
        while at_ms // self._interval_ms < until_ms // self._interval_ms:
            if self.ground.record.is_running(at_ms):
                yield at_ms
            at_ms = self._next(at_ms, at_ms + MINUTE_MS)

    def _own_moment(self, last_ms: int | None, free_ms: int, made_ms: int) -> int:
        """Return when a backtest asks the question that live asked shortly before `made_ms`."""
        at_ms = self._next(last_ms, max(free_ms, made_ms // self._interval_ms * self._interval_ms))
        is_own = at_ms // self._interval_ms == made_ms // self._interval_ms
        return at_ms if is_own else made_ms // MINUTE_MS * MINUTE_MS

    def _can_ask(self, at_ms: int) -> bool:
        market = self.ground.market
        is_known = self.questions.ready_ms <= at_ms <= market.minutes.end_ms
        self.asked.count += is_known
        self.asked.skipped += not is_known
        return is_known

    # -- Where live made no signal -----------------------------------------------------------------

    async def _quiet(self, at_ms: int) -> list[Difference]:
        if not self._can_ask(at_ms):
            return []
        answer = await self.questions.answer(at_ms, self.ground.market.price_at(at_ms))
        if not isinstance(answer, SignalRow):
            return []
        cause, why = await self._cause_of_silence(at_ms)
        return [self._difference(at_ms, NONE, row_text(answer), (cause, why))]

    async def _cause_of_silence(self, at_ms: int) -> tuple[Cause, str]:
        until_ms = at_ms + self._interval_ms
        told = self._told_of_silence(at_ms, until_ms)
        if told is not None:
            return told
        market = self.ground.market
        earlier = await self.again.answer(at_ms - MINUTE_MS, market.price_at(at_ms))
        if not isinstance(earlier, SignalRow):
            return "data", "without the newest closed candle it gives none: live had it not yet"
        count = self.ground.rules.avg_price_candles_count
        for price in price_bounds(market, market.index_of(at_ms), count) or ():
            if not isinstance(await self.again.answer(at_ms + 1, price), SignalRow):
                return "latency", f"within the minute, at {price:.8g}, it gives none"
        for late in range(1, LATE_MINUTES_MAX + 1):
            then_ms = at_ms + late * MINUTE_MS
            if then_ms > min(until_ms, market.minutes.end_ms):
                break
            answer = await self.again.answer(then_ms, market.price_at(then_ms))
            if not isinstance(answer, SignalRow):
                return "latency", f"{late} min later it gives none"
        if at_ms % self._interval_ms:
            return "latency", "the signal before it ended in this interval: little of it was left"
        return "unknown", "the journal does not say whether it was asked"

    def _told_of_silence(self, at_ms: int, until_ms: int) -> tuple[Cause, str] | None:
        """Return the cause that the journal itself names, if it does."""
        for refusal in self.lane.refusals:
            if at_ms <= refusal.at_ms < until_ms:
                return "risk", f"{refusal.risk_name} refused it live: {refusal.comment}"
        for error in self.lane.errors:
            if at_ms <= error.at_ms < until_ms:
                return "strategy", f"live, {error.where} failed with {error.error}: {error.message}"
        for command in self.ground.record.commands:
            if command.command in ("stop", "pause") and command.at_ms < until_ms:
                return "command", f"{command.command} of {command.target} by {command.origin}"
        if any(at_ms - 5 * MINUTE_MS <= gap_ms <= at_ms for gap_ms in self.ground.missing):
            return "data", "minutes before it are missing in the journal"
        return None

    # -- Where live made a signal ------------------------------------------------------------------

    async def _made(self, signal: LiveSignal, at_ms: int) -> list[Difference]:
        self.asked.lateness_ms.append(max(0, signal.at_ms - at_ms))
        if not self._can_ask(at_ms):
            return []
        live = signal.created.signal
        answer = await self.questions.answer(at_ms, self.ground.market.price_at(at_ms))
        if isinstance(answer, SignalRow) and is_same_row(answer, live):
            return []
        told = await self._cause_of_signal(signal, at_ms)
        return [self._difference(signal.at_ms, row_text(live), answer_text(answer), told)]

    async def _cause_of_signal(self, signal: LiveSignal, at_ms: int) -> tuple[Cause, str]:
        live, seen = signal.created.signal, signal.seen
        if seen is None:
            return "unknown", "the journal holds no observation for it"
        answer = await self.again.answer(seen.at_ms, seen.price)
        if isinstance(answer, SignalRow) and is_same_row(answer, live):
            return self._told_of_price(signal.at_ms - at_ms, seen.price, at_ms)
        for candles in (0, 1, 2):
            price = await self._price_of(live, seen.at_ms - candles * MINUTE_MS, seen.price)
            if price is not None:
                return _told_of_view(candles, price, seen.price)
        rules = self.ground.rules
        explained = explain_price(
            self.ground.market,
            seen.price,
            seen.at_ms,
            rules.avg_price_candles_count,
            rules.max_price_age_s * 1000,
        )
        if explained == "other":
            return "data", f"live saw {seen.price:.8g}, which the final candles do not give"
        return "strategy", (
            f"asked again at the same moment and price it gives {answer_text(answer)}: it is no"
            " function of its view, or has been changed since"
        )

    async def _price_of(self, live: SignalRow, at_ms: int, seen: float) -> float | None:
        """Return the price, `seen` or near it, at which the strategy answers as live, or None."""
        answer = await self.again.answer(at_ms, seen)
        if not isinstance(answer, SignalRow):
            return None
        if is_nearly_same_row(answer, live):
            return seen
        # The price is read again after the answer, and may have moved meanwhile.
        price = seen * live.price_take_profit / answer.price_take_profit
        moved = await self.again.answer(at_ms, price)
        is_same = isinstance(moved, SignalRow) and is_nearly_same_row(moved, live)
        return price if is_same else None

    def _told_of_price(self, late_ms: int, seen: float, at_ms: int) -> tuple[Cause, str]:
        prices = f"at {seen:.8g}, where a backtest sees {self.ground.market.price_at(at_ms):.8g}"
        if abs(late_ms) < LATE_MS_MIN:
            return "data", f"{prices}, it answers as live: the minute was not final yet"
        when = "later" if late_ms > 0 else "earlier"
        return "latency", f"asked {abs(late_ms) / 1000:.1f} s {when}, {prices}, it answers as live"

    def _difference(
        self, at_ms: int, live: str, backtest: str, told: tuple[Cause, str]
    ) -> Difference:
        return Difference(
            at_ms=at_ms,
            key=self.ground.key,
            where="signal",
            live=live,
            backtest=backtest,
            cause=told[0],
            why=told[1],
        )


def _told_of_view(candles: int, price: float, seen: float) -> tuple[Cause, str]:
    """Return what it means that the strategy answers as live without so many newest candles."""
    if candles:
        newest = "the newest closed candle" if candles == 1 else "the two newest closed candles"
        return "data", f"asked without {newest}, at {price:.8g}, it answers as live"
    return "latency", (
        f"asked at {price:.8g} it answers as live; once it had answered the price was {seen:.8g}"
    )


def is_same_row(one: SignalRow, other: SignalRow) -> bool:
    """Say whether both are the same signal, whenever they were made."""
    return (
        one.position == other.position
        and one.price_open == other.price_open
        and one.price_take_profit == other.price_take_profit
        and one.price_stop_loss == other.price_stop_loss
        and one.minute_estimated_time == other.minute_estimated_time
        and one.is_scheduled == other.is_scheduled
    )


def is_nearly_same_row(one: SignalRow, other: SignalRow) -> bool:
    """Say whether both are the same signal but for the rounding of prices."""
    prices = (
        (one.price_open, other.price_open),
        (one.price_take_profit, other.price_take_profit),
        (one.price_stop_loss, other.price_stop_loss),
    )
    is_near = all(abs(a - b) <= ROUNDING * abs(b) for a, b in prices)
    return is_near and _shape(one) == _shape(other)


def _shape(row: SignalRow) -> tuple[str, int, bool]:
    return row.position, row.minute_estimated_time, row.is_scheduled


def row_text(row: SignalRow) -> str:
    """Return a signal in words."""
    kind = "waits at" if row.is_scheduled else "at"
    prices = f"{row.price_take_profit:.8g}, {row.price_stop_loss:.8g}"
    return f"{row.position} {kind} {row.price_open:.8g} ({prices})"


def answer_text(answer: SignalRow | Raised | None) -> str:
    """Return an answer in words."""
    match answer:
        case None:
            return NONE
        case Raised():
            return f"{answer.error}: {answer.message}"
        case SignalRow():
            return row_text(answer)
