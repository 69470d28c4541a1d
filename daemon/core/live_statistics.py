"""Statistics of what a daemon tells: ticks, scheduled signals, partial levels and refusals.

Each has a collector, which a driver feeds with every event as it is emitted, and a function that
does the same to a whole sequence.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.core.candles import MINUTE_MS
from daemon.core.collector import NEWEST_MAX, gathered
from daemon.core.events import (
    Announcement,
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalActive,
    SignalCancelled,
    SignalClosed,
    SignalIdle,
    SignalOpened,
    SignalScheduled,
)
from daemon.core.moments import Moments
from daemon.core.trade_figures import TradeFigures, TradeTally

if TYPE_CHECKING:
    from daemon.core.signal import Key

LiveEvent = SignalIdle | SignalOpened | SignalActive | SignalClosed
ScheduleEvent = SignalScheduled | SignalOpened | SignalCancelled
PartialEvent = PartialProfitContract | PartialLossContract


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatistics(TradeFigures):
    """How a strategy fares live. `event_list` holds the newest events, newest first.

    Idle ticks in a row count as one event, the last of them; so do those of an open signal.
    """

    event_list: tuple[LiveEvent, ...]
    total_events: int
    total_closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatistics:
    """What became of scheduled signals. Rates in percent of them, times in minutes.

    `total_opened` counts those that reached their entry price. A signal that was scheduled before
    the first event here is counted, and left out of the rates.
    """

    event_list: tuple[ScheduleEvent, ...]
    total_events: int
    total_scheduled: int
    total_opened: int
    total_cancelled: int
    cancellation_rate: float | None
    activation_rate: float | None
    avg_wait_time: float | None
    avg_activation_time: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialStatistics:
    """Which partial levels were reached: newest first, and how many in profit and in loss."""

    event_list: tuple[PartialEvent, ...]
    total_events: int
    total_profit: int
    total_loss: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskStatistics:
    """Which signals were refused: newest first, and how many per symbol and strategy."""

    event_list: tuple[RiskContract, ...]
    total_rejections: int
    by_symbol: Mapping[str, int]
    by_strategy: Mapping[str, int]


class LiveCollector:
    """Gathers what ticks came to; one collector may follow several tasks."""

    def __init__(self, *, events_max: int = NEWEST_MAX) -> None:
        self._tally = TradeTally()
        self._events_max = events_max
        # By number, oldest first: a tick that repeats the last one of its task takes its place.
        self._newest: dict[int, LiveEvent] = {}
        self._last_of: dict[Key, int] = {}
        self._number = 0
        self._total = 0

    def add(self, event: Announcement) -> None:
        """Take `event` into account if it is idle, opened, active or closed."""
        if not isinstance(event, LiveEvent):
            return
        if isinstance(event, SignalClosed):
            self._tally.add(event)
        last = self._newest.get(self._last_of.get(event.key, -1))
        if last is not None and _is_repeat(last, event):
            del self._newest[self._last_of[event.key]]
        else:
            self._total += 1
        self._number += 1
        self._newest[self._number] = event
        self._last_of[event.key] = self._number
        if len(self._newest) > self._events_max:
            del self._newest[next(iter(self._newest))]

    def statistics(self) -> LiveStatistics:
        """Return the figures of everything added so far."""
        tally = self._tally
        return LiveStatistics(
            event_list=tuple(reversed(self._newest.values())),
            total_events=self._total,
            total_closed=tally.count,
            **tally.figures(),
        )


class ScheduleCollector:
    """Gathers scheduled signals and what became of them."""

    def __init__(self, *, events_max: int = NEWEST_MAX) -> None:
        self._newest: deque[ScheduleEvent] = deque(maxlen=events_max)
        self._waiting: dict[Key, str] = {}
        self._count: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._wait_minutes = Moments()
        self._activation_minutes = Moments()

    def add(self, event: Announcement) -> None:
        """Take `event` into account if a signal was scheduled, reached its entry or ended."""
        match event:
            case SignalScheduled():
                self._waiting[event.key] = event.signal.id
            case SignalOpened(signal=row) if row.pending_at != row.scheduled_at:
                self._activation_minutes.add((row.pending_at - row.scheduled_at) / MINUTE_MS)
            case SignalCancelled(signal=row):
                self._wait_minutes.add((event.close_timestamp - row.scheduled_at) / MINUTE_MS)
            case _:
                return
        self._newest.append(event)
        self._count[event.action] += 1
        if not isinstance(event, SignalScheduled) and self._was_seen(event):
            self._known[event.action] += 1

    def statistics(self) -> ScheduleStatistics:
        """Return the figures of everything added so far."""
        return ScheduleStatistics(
            event_list=tuple(reversed(self._newest)),
            total_events=self._count.total(),
            total_scheduled=self._count["scheduled"],
            total_opened=self._count["opened"],
            total_cancelled=self._count["cancelled"],
            cancellation_rate=self._rate("cancelled"),
            activation_rate=self._rate("opened"),
            avg_wait_time=self._wait_minutes.average,
            avg_activation_time=self._activation_minutes.average,
        )

    def _was_seen(self, event: SignalOpened | SignalCancelled) -> bool:
        if self._waiting.get(event.key) != event.signal.id:
            return False
        del self._waiting[event.key]
        return True

    def _rate(self, action: str) -> float | None:
        scheduled = self._count["scheduled"]
        return self._known[action] / scheduled * 100 if scheduled else None


class PartialCollector:
    """Gathers partial levels."""

    def __init__(self, *, events_max: int = NEWEST_MAX) -> None:
        self._newest: deque[PartialEvent] = deque(maxlen=events_max)
        self._profit_count = 0
        self._loss_count = 0

    def add(self, event: Announcement) -> None:
        """Take `event` into account if it is a partial level."""
        if isinstance(event, PartialProfitContract):
            self._profit_count += 1
        elif isinstance(event, PartialLossContract):
            self._loss_count += 1
        else:
            return
        self._newest.append(event)

    def statistics(self) -> PartialStatistics:
        """Return the figures of everything added so far."""
        return PartialStatistics(
            event_list=tuple(reversed(self._newest)),
            total_events=self._profit_count + self._loss_count,
            total_profit=self._profit_count,
            total_loss=self._loss_count,
        )


class RiskCollector:
    """Gathers refusals."""

    def __init__(self, *, events_max: int = NEWEST_MAX) -> None:
        self._newest: deque[RiskContract] = deque(maxlen=events_max)
        self._by_symbol: Counter[str] = Counter()
        self._by_strategy: Counter[str] = Counter()

    def add(self, event: Announcement) -> None:
        """Take `event` into account if it is a refusal."""
        if isinstance(event, RiskContract):
            self._newest.append(event)
            self._by_symbol[event.symbol] += 1
            self._by_strategy[event.strategy_name] += 1

    def statistics(self) -> RiskStatistics:
        """Return the figures of everything added so far; the counts by name."""
        return RiskStatistics(
            event_list=tuple(reversed(self._newest)),
            total_rejections=self._by_symbol.total(),
            by_symbol=dict(sorted(self._by_symbol.items())),
            by_strategy=dict(sorted(self._by_strategy.items())),
        )


def live_statistics(events: Iterable[Announcement]) -> LiveStatistics:
    """Return the figures of live ticks among `events`, which are in order of emission."""
    return gathered(LiveCollector(), events)


def schedule_statistics(events: Iterable[Announcement]) -> ScheduleStatistics:
    """Return the figures of scheduled signals among `events`, in order of emission."""
    return gathered(ScheduleCollector(), events)


def partial_statistics(events: Iterable[Announcement]) -> PartialStatistics:
    """Return the figures of partial levels among `events`, in order of emission."""
    return gathered(PartialCollector(), events)


def risk_statistics(events: Iterable[Announcement]) -> RiskStatistics:
    """Return the figures of refusals among `events`, in order of emission."""
    return gathered(RiskCollector(), events)


def _is_repeat(last: LiveEvent, event: LiveEvent) -> bool:
    match last, event:
        case SignalIdle(), SignalIdle():
            return True
        case SignalActive(signal=before), SignalActive(signal=now):
            return before.id == now.id
        case _:
            return False
