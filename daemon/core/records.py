"""What is kept: the records of the four state files, and the entries of the journal.

The signal file is the truth of an open position; the schedule file holds the waiting signal. Risk
and partial files follow them. Each record names its full identity, which is checked on load.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from daemon.core.candles import MINUTE_MS, Candle
from daemon.core.events import Transition
from daemon.core.risk import ActivePosition, TradeHistory
from daemon.core.signal import Key, SignalRow
from daemon.core.states import Active, Closing, Idle, Observation, Opening

HeldState = Idle | Opening | Active | Closing


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRecord:
    """The signal file of one key.

    `last_signal_id` is the newest signal that ever opened: a schedule file that still holds it
    is stale. `risk_names` are the profiles whose slots it holds, for the time after its strategy
    has left the configuration. `outbox` keeps each event until the journal has it.
    """

    key: Key
    state: HeldState = field(default_factory=Idle)
    history: TradeHistory = field(default_factory=TradeHistory)
    last_signal_id: str = ""
    is_stopped: bool = False
    is_paused: bool = False
    risk_names: tuple[str, ...] = ()
    outbox: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """The schedule file of one key: the waiting signal, or None."""

    key: Key
    signal: SignalRow | None = None
    outbox: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRecord:
    """The risk file of one profile on one symbol: the positions that hold a slot."""

    risk_name: str
    symbol: str
    positions: tuple[ActivePosition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLevels:
    """The reached levels of one open signal."""

    signal_id: str
    profit_levels: tuple[int, ...] = ()
    loss_levels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRecord:
    """The partial file of one symbol: the levels of every signal that is open on it."""

    symbol: str
    signals: tuple[SignalLevels, ...] = ()


Truth = SignalRecord | ScheduleRecord
Follower = RiskRecord | PartialRecord
TruthKind = Literal["signal", "schedule"]
FileKind = Literal["signal", "schedule", "risk", "partial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFault:
    """A state file that could not be trusted, and what was done about it.

    `is_blocking` says that the key refuses entries until `tickd state repair` decides; its
    `key` is None where not even the name could be read. `moved_to` is empty where the file was
    left untouched (a newer schema).
    """

    kind: FileKind
    file: str
    key: Key | None
    message: str
    moved_to: str
    is_blocking: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """Everything that a state folder held at start, including keys no longer configured.

    `sequences` is the number under which each record stands: events of its outbox that the
    journal lacks are appended under it.
    """

    signals: tuple[SignalRecord, ...] = ()
    schedules: tuple[ScheduleRecord, ...] = ()
    faults: tuple[StateFault, ...] = ()
    sequences: Mapping[tuple[TruthKind, Key], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionEntry:
    """One write that changed a state, with the observation that decided it.

    `seq` is the number that the write of `file` got; 0 with an empty `file` for events that
    change no state (risk, error, exit).
    """

    key: Key
    events: tuple[Transition, ...]
    at_ms: int
    observation: Observation | None = None
    file: Literal["signal", "schedule", ""] = ""
    seq: int = 0
    kind: Literal["transition"] = "transition"


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleEntry:
    """A final one-minute candle, once per symbol."""

    symbol: str
    candle: Candle
    kind: Literal["candle"] = "candle"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """The start of a run: which program, with which configuration."""

    version: str
    config_hash: str
    at_ms: int
    kind: Literal["run"] = "run"


ASKED = "asked"
"""The result of a command that is not carried out yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """What a person asked for, by which way (`origin`), who that was, and what came of it.

    Commands to a running daemon have two entries: one before anything is done, with the result
    "asked", and one with what came of it.
    """

    command: str
    target: str
    origin: str
    at_ms: int
    identity: str = ""
    result: str = ""
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEntry:
    """The graceful end of a run: a run without one was killed. `open_count` signals go on later."""

    open_count: int
    at_ms: int
    kind: Literal["stop"] = "stop"


JournalEntry = TransitionEntry | CandleEntry | RunEntry | CommandEntry | StopEntry


def told_until_ms(entry: JournalEntry) -> int:
    """Return the market time (UTC epoch ms) up to which `entry` knows what happened."""
    if isinstance(entry, CandleEntry):
        return entry.candle.timestamp + MINUTE_MS
    return entry.at_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaled:
    """An entry with its number: numbers start at 1 and have no gap."""

    number: int
    entry: JournalEntry
