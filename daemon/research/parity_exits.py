"""Each signal of a journal, judged once more on bars: where live came to something else, and why.

Every signal is judged by itself, from the moment at which live made it, so that one difference is
no cause of the next.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from daemon.core.candles import MINUTE_MS
from daemon.core.events import SignalCancelled, SignalClosed, SignalOpened
from daemon.core.orders import fill_at_rule_price
from daemon.core.risk import RiskDesk
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.states import Active, Idle, Observation, Scheduled, State
from daemon.core.trader import Desk, advance
from daemon.research.market import Market
from daemon.research.parity_facts import Cause, Difference, Where
from daemon.research.parity_price import explain_price
from daemon.research.parity_record import LiveSignal, Record

LATE_MS_MIN = 1_000
"""Sooner after the turn of a minute, lateness explains nothing: the minute was not final yet."""

Fact = SignalOpened | SignalClosed | SignalCancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a comparison of one key stands on."""

    key: Key
    rules: Rules
    market: Market
    record: Record
    missing: frozenset[int]


def signal_differences(ground: Ground, signal: LiveSignal) -> Iterator[Difference]:
    """Yield what bars make otherwise of `signal`: its entry, if it waited, and its exit."""
    if signal.created.action == "scheduled":
        yield from _entry(ground, signal)
    if signal.opened is not None and isinstance(signal.end, SignalClosed):
        yield from _exit(ground, signal.opened, signal.end, signal.end_seen)


# -- Bars ------------------------------------------------------------------------------------------


def bar_facts(ground: Ground, state: State, first: int, see: "See") -> list[Fact]:
    """Return what becomes of `state` on the bars from number `first` on, entry and exit."""
    desk = Desk(
        key=ground.key,
        rules=ground.rules,
        risk=RiskDesk(),
        risk_names=(),
        broker=fill_at_rule_price,
    )
    facts: list[Fact] = []
    for index in range(max(1, first), ground.market.count):
        after = advance(state, see(ground.market, index), desk)
        state = after.state
        facts += (event for event in after.events if isinstance(event, Fact))
        if isinstance(state, Idle):
            break
    return facts


See = Callable[[Market, int], Observation]


def as_bar(market: Market, index: int) -> Observation:
    """Return what a backtest sees of a minute."""
    return market.bar(index)


def as_average(market: Market, index: int) -> Observation:
    """Return a minute as if nothing was traded but at the average price at its two ends."""
    bar = market.bar(index)
    ends = (bar.price_start, bar.price)
    return replace(bar, low=min(ends), high=max(ends))


# -- Comparing -------------------------------------------------------------------------------------


def _entry(ground: Ground, signal: LiveSignal) -> Iterator[Difference]:
    row = signal.created.signal
    live = signal.opened or signal.end
    if live is None:
        return
    start_ms = row.scheduled_at // MINUTE_MS * MINUTE_MS
    state = Scheduled(signal=replace(row, scheduled_at=start_ms, pending_at=start_ms))
    first = ground.market.index_of(start_ms)
    facts = bar_facts(ground, state, first, as_bar)
    if not facts:
        return
    seen = signal.end_seen if signal.opened is None else signal.opened_seen
    averaged = bar_facts(ground, state, first, as_average)
    yield from _compared(_Pair("entry", ground, live, facts[0], averaged[:1], seen))


def _exit(
    ground: Ground, opened: SignalOpened, closed: SignalClosed, seen: Observation | None
) -> Iterator[Difference]:
    row = opened.signal
    is_activated = row.pending_at > row.scheduled_at
    # A signal made at a moment is judged from that minute on, an activated one from the next.
    minute = row.pending_at // MINUTE_MS + (1 if is_activated and row.pending_at % MINUTE_MS else 0)
    start_ms = minute * MINUTE_MS
    first = ground.market.index_of(start_ms)
    state = Active(signal=replace(row, pending_at=start_ms))
    facts = bar_facts(ground, state, first, as_bar)
    if not facts:
        return
    averaged = bar_facts(ground, state, first, as_average)
    yield from _compared(_Pair("exit", ground, closed, facts[-1], averaged[-1:], seen))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A fact as live had it, and as bars have it; `averaged` by average prices alone."""

    where: Where
    ground: Ground
    live: Fact
    bars: Fact
    averaged: list[Fact]
    seen: Observation | None


def _compared(pair: _Pair) -> Iterator[Difference]:
    live, bars = pair.live, pair.bars
    is_same = ending_of(live) == ending_of(bars)
    if is_same and live.at_ms == bars.at_ms and live.current_price == bars.current_price:
        return
    cause, why = _cause(pair, is_same=is_same)
    yield Difference(
        at_ms=live.at_ms,
        key=live.key,
        where=pair.where,
        live=fact_text(live),
        backtest=fact_text(bars),
        cause=cause,
        why=why,
    )


def _cause(pair: _Pair, *, is_same: bool) -> tuple[Cause, str]:
    live, bars, ground = pair.live, pair.bars, pair.ground
    if ending_of(live) in ("user", "stopped"):
        return "command", "a person ended it live"
    if is_same and 0 <= bars.at_ms - live.at_ms < MINUTE_MS and ending_of(live) != "time_expired":
        return "minute", "the same fact: a backtest knows it when the minute is over"
    if ground.record.is_down_within(live.signal.scheduled_at, max(live.at_ms, bars.at_ms)):
        return "downtime", "the daemon did not run for a part of its life"
    missing = [at_ms for at_ms in ground.missing if _is_between(at_ms, live.at_ms, bars.at_ms)]
    if missing:
        return "data", f"{len(missing)} minutes in between are missing in the journal"
    if pair.seen is not None and _explained(pair, pair.seen) == "other":
        return "data", f"live saw {pair.seen.price:.8g}, which the final candles do not give"
    return _cause_of_price(pair, is_same=is_same)


def _cause_of_price(pair: _Pair, *, is_same: bool) -> tuple[Cause, str]:
    live, bars = pair.live, pair.bars
    if is_same and ending_of(live) in ("time_expired", "timeout"):
        late_ms = live.at_ms - bars.at_ms
        if abs(late_ms) < LATE_MS_MIN:
            return "data", "at the same moment the minute before it was not final yet for live"
        when = "later" if late_ms > 0 else "earlier"
        return "latency", f"live looked {abs(late_ms) / 1000:.1f} s {when} than a backtest does"
    averaged = pair.averaged[0] if pair.averaged else None
    if averaged is not None and ending_of(averaged) == ending_of(live):
        return "vwap", "judged on average prices alone, bars come to the same as live"
    if pair.seen is not None and _explained(pair, pair.seen) == "late":
        return "latency", f"live decided on {pair.seen.price:.8g}, a price of a minute before"
    if pair.seen is not None:
        return "vwap", f"the average price was {pair.seen.price:.8g} within the minute"
    return "unknown", "the journal holds no observation for it"


def _explained(pair: _Pair, seen: Observation) -> Literal["now", "late", "other"]:
    rules = pair.ground.rules
    return explain_price(
        pair.ground.market,
        seen.price,
        seen.at_ms,
        rules.avg_price_candles_count,
        rules.max_price_age_s * 1000,
    )


def _is_between(at_ms: int, one_ms: int, other_ms: int) -> bool:
    return min(one_ms, other_ms) - MINUTE_MS <= at_ms <= max(one_ms, other_ms)


def ending_of(fact: Fact) -> str:
    """Return the kind of a fact: "opened", or the reason for which a signal ended."""
    match fact:
        case SignalOpened():
            return "opened"
        case SignalClosed():
            return fact.close_reason
        case SignalCancelled():
            return fact.reason


def fact_text(fact: Fact) -> str:
    """Return a fact in words, with its price."""
    told = fact.action if isinstance(fact, SignalOpened) else f"{fact.action} {ending_of(fact)}"
    return f"{told} at {fact.current_price:.8g}"
