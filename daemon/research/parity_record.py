"""What a journal holds of live trading, put in the order in which a comparison asks for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.events import (
    ErrorContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    Transition,
)
from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    JournalEntry,
    RunEntry,
    StopEntry,
    TransitionEntry,
    told_until_ms,
)
from daemon.core.signal import Key
from daemon.core.states import Observation


@dataclass(slots=True, kw_only=True)
class LiveSignal:
    """One signal as it was traded: what made it, what opened it, what ended it.

    `seen`, `opened_seen` and `end_seen` are the observations that decided these.
    """

    created: SignalScheduled | SignalOpened
    seen: Observation | None
    opened: SignalOpened | None = None
    opened_seen: Observation | None = None
    end: SignalClosed | SignalCancelled | None = None
    end_seen: Observation | None = None

    @property
    def at_ms(self) -> int:
        """Return when it was made (UTC epoch ms)."""
        return self.created.signal.scheduled_at


@dataclass(slots=True)
class LiveLane:
    """What one (symbol, strategy) did, in order of time."""

    signals: list[LiveSignal] = field(default_factory=list)
    refusals: list[RiskContract] = field(default_factory=list)
    errors: list[ErrorContract] = field(default_factory=list)

    def add(self, event: Transition, seen: Observation | None) -> None:
        """Take the next event into account."""
        match event:
            case SignalScheduled():
                self.signals.append(LiveSignal(created=event, seen=seen))
            case SignalOpened():
                newest = self.signals[-1] if self.signals else None
                if newest is None or newest.created.signal.id != event.signal.id:
                    newest = LiveSignal(created=event, seen=seen)
                    self.signals.append(newest)
                newest.opened, newest.opened_seen = event, seen
            case SignalClosed() | SignalCancelled():
                if self.signals and self.signals[-1].created.signal.id == event.signal.id:
                    self.signals[-1].end, self.signals[-1].end_seen = event, seen
            case RiskContract():
                self.refusals.append(event)
            case ErrorContract():
                self.errors.append(event)
            case _:
                pass


@dataclass(slots=True)
class Record:
    """What a journal holds; `runs_ms` are from when to when the daemon ran (UTC epoch ms)."""

    lanes: dict[Key, LiveLane] = field(default_factory=dict)
    candles: dict[str, list[Candle]] = field(default_factory=dict)
    runs_ms: list[tuple[int, int]] = field(default_factory=list)
    config_hash: str = ""
    commands: list[CommandEntry] = field(default_factory=list)

    @property
    def start_ms(self) -> int:
        return self.runs_ms[0][0] if self.runs_ms else 0

    @property
    def end_ms(self) -> int:
        return self.runs_ms[-1][1] if self.runs_ms else 0

    def is_running(self, at_ms: int) -> bool:
        """Say whether the daemon ran at that moment."""
        return any(start_ms <= at_ms <= end_ms for start_ms, end_ms in self.runs_ms)

    def is_down_within(self, start_ms: int, end_ms: int) -> bool:
        """Say whether it was down at any time from `start_ms` to `end_ms`."""
        return any(
            stopped_ms < end_ms and start_ms < started_ms
            for (_, stopped_ms), (started_ms, _) in pairwise(self.runs_ms)
        )


def record_of(entries: Iterable[JournalEntry]) -> Record:
    """Return what `entries`, in their order, come to."""
    record = Record()
    for entry in entries:
        match entry:
            case RunEntry():
                record.runs_ms.append((entry.at_ms, entry.at_ms))
                record.config_hash = entry.config_hash
            case CandleEntry():
                _note_candle(record, entry)
            case CommandEntry():
                record.commands.append(entry)
            case TransitionEntry():
                lane = record.lanes.setdefault(entry.key, LiveLane())
                for event in entry.events:
                    lane.add(event, entry.observation)
            case StopEntry():
                pass
        if record.runs_ms:
            start_ms, end_ms = record.runs_ms[-1]
            record.runs_ms[-1] = (start_ms, max(end_ms, told_until_ms(entry)))
    return record


def _note_candle(record: Record, entry: CandleEntry) -> None:
    rows = record.candles.setdefault(entry.symbol, [])
    if rows and entry.candle.timestamp <= rows[-1].timestamp:
        return
    rows.append(entry.candle)


def missing_minutes(rows: Mapping[str, list[Candle]], symbol: str) -> frozenset[int]:
    """Return the open times (UTC epoch ms) of the minutes that lack a candle in between."""
    return frozenset(
        at_ms
        for before, after in pairwise(rows.get(symbol, []))
        for at_ms in range(before.timestamp + MINUTE_MS, after.timestamp, MINUTE_MS)
    )
