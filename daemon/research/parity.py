"""Parity: what a backtest makes otherwise of the time that a journal tells of, and why.

Three comparisons. The strategy is asked again, wherever live could ask it. Each live signal is
judged again on bars, by itself. And the whole time is run as one backtest, whose totals stand
beside those of live.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low

from daemon.core.candles import MINUTE_MS
from daemon.core.events import SignalCancelled, SignalClosed
from daemon.core.frame import Frame
from daemon.core.risk import RiskProfile
from daemon.core.rules import Rules
from daemon.core.signal import Key
from daemon.core.strategy import Strategy
from daemon.research.backtest import Backtest
from daemon.research.columns import Minutes
from daemon.research.containment import Containment, Limits
from daemon.research.market import Market
from daemon.research.parity_asks import Asked, AskedAgain, Questions
from daemon.research.parity_exits import Ground, signal_differences
from daemon.research.parity_facts import Difference, LaneParity, Outcome
from daemon.research.parity_record import LiveLane, Record, missing_minutes
from daemon.research.plan import Job, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What is needed to run a key again."""

    key: Key
    make: Callable[[], Strategy]
    risk_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared: a record, its candles by symbol, and who traded."""

    record: Record
    minutes: Mapping[str, Minutes]
    casts: tuple[Cast, ...]
    rules: Rules
    profiles: tuple[RiskProfile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """What came of it: each key, and all differences in order of time."""

    start_ms: int
    end_ms: int
    lanes: tuple[LaneParity, ...]
    differences: tuple[Difference, ...]


async def compared(comparison: Comparison) -> Parity:
    """Return every difference between the record and a backtest. Raises BacktestError."""
    record = comparison.record
    totals = await _totals(comparison)
    lanes: list[LaneParity] = []
    found: list[Difference] = []
    markets: dict[str, Market] = {}
    with Containment(Limits.of(comparison.rules)) as calls:
        for cast in comparison.casts:
            key, lane = cast.key, record.lanes.get(cast.key, LiveLane())
            count = comparison.rules.avg_price_candles_count
            if key.symbol not in markets:
                markets[key.symbol] = Market(comparison.minutes[key.symbol], count)
            ground = Ground(
                key=key,
                rules=comparison.rules,
                market=markets[key.symbol],
                record=record,
                missing=missing_minutes(record.candles, key.symbol),
            )
            questions, again = (Questions(ground, cast.make(), calls) for _ in range(2))
            asks = AskedAgain(ground, lane, questions, again)
            found += await asks.differences()
            for signal in lane.signals:
                found += signal_differences(ground, signal)
            lanes.append(_lane(key, lane, asks.asked, totals.get(key)))
    found.sort(key=lambda one: (one.at_ms, str(one.key), one.where))
    return Parity(
        start_ms=record.start_ms,
        end_ms=record.end_ms,
        lanes=tuple(lanes),
        differences=tuple(found),
    )


async def _totals(comparison: Comparison) -> dict[Key, Outcome]:
    """Return what one backtest over the whole time comes to, by key; nothing if there is no time.

    It holds its own positions, so that one difference leads to others.
    """
    record = comparison.record
    casts, minutes = comparison.casts, comparison.minutes
    start_ms = max(
        -(-record.start_ms // MINUTE_MS) * MINUTE_MS,
        *(minutes[cast.key.symbol].start_ms for cast in casts),
    )
    end_ms = min(minutes[cast.key.symbol].end_ms for cast in casts)
    if end_ms <= start_ms:
        return {}
    plan = Plan(
        jobs=tuple(
            Job(
                key=cast.key,
                make=cast.make,
                minutes=minutes[cast.key.symbol],
                risk_names=cast.risk_names,
            )
            for cast in casts
        ),
        frame=Frame(frame_name="parity", interval="1m", start_ms=start_ms, end_ms=end_ms),
        rules=comparison.rules,
        profiles=comparison.profiles,
        limits=Limits.of(comparison.rules),
    )
    told: dict[Key, list[SignalClosed | SignalCancelled]] = {cast.key: [] for cast in casts}
    async for event in Backtest(plan).run():
        told[event.key].append(event)
    return {key: _outcome(events) for key, events in told.items()}


def _lane(key: Key, lane: LiveLane, asked: Asked, backtest: Outcome | None) -> LaneParity:
    late = asked.lateness_ms or [0]
    ends = [signal.end for signal in lane.signals if signal.end is not None]
    return LaneParity(
        key=key,
        ask_count=asked.count,
        skipped_count=asked.skipped,
        signal_count=len(lane.signals),
        lateness_ms=(median_low(late), max(late)),
        live=_outcome(ends),
        backtest=backtest,
    )


def _outcome(ends: Sequence[SignalClosed | SignalCancelled]) -> Outcome:
    closed = [end for end in ends if isinstance(end, SignalClosed)]
    return Outcome(
        closed_count=len(closed),
        cancelled_count=len(ends) - len(closed),
        pnl_percentage=sum(end.pnl.pnl_percentage for end in closed),
    )
