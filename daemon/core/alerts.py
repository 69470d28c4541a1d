"""What of the journal people are told: each entry as alerts, how grave they are, who wants which.

An alert is data: a kind, a level, flat fields. How it reads is the business of `alert_words`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never, get_args

from daemon.core.alert_kinds import AlertKind, AlertLevel
from daemon.core.events import (
    ErrorContract,
    ExitContract,
    PartialLossContract,
    PartialProfitContract,
    RiskContract,
    SignalCancelled,
    SignalClosed,
    SignalOpened,
    SignalScheduled,
    Transition,
)
from daemon.core.fields import Fields, flat_fields, plain_field
from daemon.core.records import (
    ASKED,
    CandleEntry,
    CommandEntry,
    Journaled,
    JournalEntry,
    RunEntry,
    StopEntry,
    TransitionEntry,
)

LEVELS: tuple[AlertLevel, ...] = get_args(AlertLevel)

GRAVE_PLACES = frozenset({"state", "storage", "strategy", "stop"})
"""Where an error means that something is not saved, not believed or not traded until one acts."""

Place = tuple[int, int]
"""The number of an alert's entry in the journal, and which of the entry's events it is, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to tell. `id` is the same for a repeat; `symbol` is empty for the whole daemon."""

    place: Place
    id: str
    kind: AlertKind
    level: AlertLevel
    symbol: str
    strategy_name: str
    at_ms: int
    fields: Fields

    @property
    def number(self) -> int:
        """Return the number of its entry in the journal."""
        return self.place[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts somebody wants: those of at least `level`; an empty set stands for all.

    What concerns the whole daemon has no symbol and no strategy and passes both.
    """

    level: AlertLevel = "info"
    kinds: frozenset[str] = field(default_factory=frozenset)
    symbols: frozenset[str] = field(default_factory=frozenset)
    strategies: frozenset[str] = field(default_factory=frozenset)

    def wants(self, alert: Alert) -> bool:
        """Say whether `alert` is wanted."""
        return (
            LEVELS.index(alert.level) >= LEVELS.index(self.level)
            and (not self.kinds or alert.kind in self.kinds)
            and (not self.symbols or not alert.symbol or alert.symbol in self.symbols)
            and (
                not self.strategies
                or not alert.strategy_name
                or alert.strategy_name in self.strategies
            )
        )


def is_alert(entry: JournalEntry) -> bool:
    """Say whether there is anything to tell in `entry`."""
    match entry:
        case TransitionEntry():
            return bool(entry.events)
        case CommandEntry():
            # A command has two entries; the second says what came of it.
            return entry.result != ASKED
        case RunEntry() | StopEntry():
            return True
        case CandleEntry():
            return False
        case _:
            assert_never(entry)


def alerts_of(journaled: Journaled) -> Iterator[Alert]:
    """Yield what an entry tells, in order; nothing for a candle."""
    number, entry = journaled.number, journaled.entry
    match entry:
        case TransitionEntry():
            for position, event in enumerate(entry.events, start=1):
                yield _of_event((number, position), event)
        case RunEntry():
            told: Fields = {"version": entry.version, "config_hash": entry.config_hash}
            yield _of_daemon(number, "started", entry.at_ms, told)
        case StopEntry():
            yield _of_daemon(number, "stopped", entry.at_ms, {"open_signals": entry.open_count})
        case CommandEntry() if is_alert(entry):
            told = {
                "command": plain_field(entry.command),
                "target": plain_field(entry.target),
                "origin": plain_field(entry.origin),
                "identity": plain_field(entry.identity),
                "result": plain_field(entry.result),
            }
            yield _of_daemon(number, "command", entry.at_ms, told)
        case CandleEntry() | CommandEntry():
            pass
        case _:
            assert_never(entry)


def kind_of(event: Transition) -> AlertKind:
    """Return the kind of alert that an event becomes."""
    match event:
        case SignalScheduled():
            return "signal_scheduled"
        case SignalOpened():
            return "signal_opened"
        case SignalClosed():
            return "signal_closed"
        case SignalCancelled():
            return "signal_cancelled"
        case RiskContract():
            return "risk_refused"
        case PartialProfitContract() | PartialLossContract() | ErrorContract() | ExitContract():
            return event.kind
        case _:
            assert_never(event)


def level_of(event: Transition) -> AlertLevel:
    """Return how much an event matters to a person who is away."""
    match event:
        case ExitContract():
            return "critical"
        case ErrorContract():
            return "critical" if event.where in GRAVE_PLACES else "warning"
        case SignalOpened() | SignalClosed():
            return "notice"
        case _:
            return "info"


def _of_event(place: Place, event: Transition) -> Alert:
    return Alert(
        place=place,
        id=event.id,
        kind=kind_of(event),
        level=level_of(event),
        symbol=plain_field(event.key.symbol),
        strategy_name=plain_field(event.key.strategy_name),
        at_ms=event.at_ms,
        fields=flat_fields(event),
    )


def _of_daemon(number: int, kind: AlertKind, at_ms: int, told: Fields) -> Alert:
    # The journal never gives a number twice, so a repeat has the same id.
    return Alert(
        place=(number, 1),
        id=f"{kind}-{number}",
        kind=kind,
        level="notice",
        symbol="",
        strategy_name="",
        at_ms=at_ms,
        fields=told | {"at_ms": at_ms},
    )
