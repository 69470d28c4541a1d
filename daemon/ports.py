"""The narrow doors between the rules' drivers and the world.

Each port has an implementation that production runs on in `adapters/` and one in `simulation/`.
Implementations raise the errors of `daemon.core.errors` and no library's own.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from daemon.core.alert_words import Words
from daemon.core.candles import Candle
from daemon.core.commands import Caller, CommandName, CommandResult, ReloadResult, Target
from daemon.core.events import Announcement, PerformanceMetric
from daemon.core.orders import Order
from daemon.core.records import Follower, Journaled, JournalEntry, StoredState, Truth
from daemon.core.search import StoredTrial, TrialRecord
from daemon.core.states import Filled

MeterName = Literal[PerformanceMetric, "tick_lateness", "loop_lag", "journal_append"]
CounterName = Literal["task_restarts", "quarantined_files", "leaked_threads", "clock_steps"]


class Clock(Protocol):
    """Market time: it drives rules, candles, throttles, ids and the age of prices."""

    @property
    def speed(self) -> float:
        """Market seconds per machine second: 1.0 outside the sandbox."""
        ...

    def now_ms(self) -> int:
        """Return the market time, UTC epoch ms. Never jumps with the wall clock."""
        ...


class CheckedClock(Clock, Protocol):
    """A market clock that stands on the machine's, of which little is certain."""

    def disturbance(self) -> str:
        """Return in words what happened to the machine's time since the last call, or ""."""
        ...

    def correct(self, by_ms: int) -> None:
        """Put the market time forward, or back where `by_ms` is negative."""
        ...


@dataclass(frozen=True, slots=True)
class MinuteUpdate:
    """The newest one-minute candles of a symbol as a stream told them; the last may be forming."""

    symbol: str
    rows: Sequence[Candle]


class MarketData(Protocol):
    """Candles of one exchange. Rows come oldest first; the last one may still be forming."""

    async def candles(
        self, symbol: str, interval: str, since_ms: int | None, limit: int
    ) -> Sequence[Candle]:
        """Return up to `limit` candles from `since_ms` on (or the newest), checked for form.

        Raises TransientError (RateLimitedError, UntrustedDataError) or RejectedError.
        """
        ...

    def watch(self, symbols: Sequence[str]) -> AsyncIterator[MinuteUpdate]:
        """Yield updates of one-minute candles as they come.

        Raises TransientError when the line is lost; the caller fills the gap and watches again.
        """
        ...

    async def server_time_ms(self) -> int:
        """Return the exchange's own time. Raises TransientError."""
        ...


class Broker(Protocol):
    """Carries out what is due at the exchange."""

    def fill(self, order: Order) -> Filled | None:
        """Answer at once (the virtual broker), or None where the answer comes later."""
        ...


class StateStore(Protocol):
    """The state folder. A write is durable when it returns; it never blocks the event loop."""

    async def load(self) -> StoredState:
        """Read every file once; move aside what cannot be trusted. Raises StateLockedError."""
        ...

    async def save(self, record: Truth) -> int:
        """Write a signal or schedule record; return its sequence number.

        Writes of one file keep their order. Raises TransientError: nothing has changed then.
        """
        ...

    async def follow(self, record: Follower) -> None:
        """Write a risk or partial record, which follows the truth. Raises TransientError."""
        ...


class Journal(Protocol):
    """The durable log of everything that happened."""

    async def append(self, entries: Sequence[JournalEntry]) -> None:
        """Append and make durable, in one piece. Entries that it has already are left out.

        A transition whose (key, file, seq) was appended before is a repeat. Raises
        TransientError: nothing was appended then.
        """
        ...

    async def read(self, after: int, limit: int) -> Sequence[Journaled]:
        """Return up to `limit` entries with numbers above `after`, in order."""
        ...

    @property
    def last_number(self) -> int:
        """Return the number of the newest durable entry, 0 for none."""
        ...


class CursorStore(Protocol):
    """Where the alert sinks stand in the journal."""

    async def load_cursor(self, sink: str) -> int | None:
        """Return the number of the last entry that `sink` has dealt with, None if never."""
        ...

    async def save_cursor(self, sink: str, number: int) -> None:
        """Note that `sink` has dealt with all entries up to `number`. Raises TransientError."""
        ...


class Sink(Protocol):
    """Somewhere that announcements go: logs, metrics. Slow or dead, it costs only its own."""

    @property
    def name(self) -> str: ...

    def wants(self, event: Announcement) -> bool:
        """Say whether this event is worth a place in the sink's queue. Must not block."""
        ...

    async def send(self, events: Sequence[Announcement]) -> None:
        """Deliver in order. May raise: the events are lost and counted."""
        ...


class Study(Protocol):
    """Trials of one search, durable: it says what to try next, and remembers what came of it."""

    async def trials(self) -> Sequence[StoredTrial]:
        """Return all trials that were asked for, in the order of their numbers."""
        ...

    async def ask(self, number: int) -> StoredTrial:
        """Return the next trial: a function of the seed, its number and what was told before."""
        ...

    async def tell(self, trial: StoredTrial) -> None:
        """Keep what a trial came to."""
        ...

    async def tests(self) -> Mapping[int, TrialRecord]:
        """Return what trials came to on the test range, by their numbers."""
        ...

    async def note_test(self, number: int, record: TrialRecord) -> None:
        """Keep what a trial came to on the test range."""
        ...


class Meter(Protocol):
    """Takes measurements from the parts; what becomes of them is the sinks' business."""

    def observe(self, name: MeterName, seconds: float) -> None:
        """Note that something took, or was late by, so many seconds of machine time."""
        ...

    def count(self, name: CounterName, amount: float = 1.0) -> None:
        """Add to a counter."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A delivery that is not done yet: entries up to `number` are dealt with, on in `wait_s`.

    With `is_held` the sink keeps in mind what it was given: it is told the rest at once, and the
    cursor on disk stays where it was until a later delivery is done.
    """

    number: int
    wait_s: float = 0.0
    is_held: bool = False


class AlertSink(Protocol):
    """Somewhere that alerts must arrive at least once: it reads the journal."""

    @property
    def name(self) -> str: ...

    def wants(self, journaled: Journaled) -> bool:
        """Say whether there is anything in an entry that it would deliver. Must not block."""
        ...

    async def deliver(self, entries: Sequence[Journaled], behind: int = 0) -> Progress | None:
        """Deliver in order what it wants; `behind` more entries of the journal come after these.

        Return None once all are dealt with. Raises TransientError: the same entries come again
        later; RejectedError, FatalError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a messenger is to say. `id` is the same for a repeat; `is_silent` wakes nobody."""

    id: str
    words: Words
    is_silent: bool = False
    is_urgent: bool = False


class Messenger(Protocol):
    """Somewhere that people read: one message after another."""

    async def send(self, message: Message) -> None:
        """Have `message` arrive. A message that is tried again goes on where it broke off.

        Raises RateLimitedError (also where its own pace says to wait), TransientError,
        RejectedError for this message, FatalError for all.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """How one (symbol, strategy) stands. Ages are machine seconds, None where never.

    `price` is the VWAP that decisions are taken on, `last_price` the newest close.
    """

    symbol: str
    strategy_name: str
    state: Literal["idle", "scheduled", "opening", "active", "closing"]
    condition: Literal["starting", "running", "backing_off", "circuit_open", "off", "stopped"]
    is_ready: bool
    reason: str
    price: float | None
    price_age_s: float | None
    tick_age_s: float | None
    last_decision_ms: int | None
    next_ask_ms: int | None
    restarts: int
    signal_id: str
    position: str
    price_open: float | None
    price_take_profit: float | None
    price_stop_loss: float | None
    percent_tp: float
    percent_sl: float
    is_paused: bool
    is_blocked: bool
    last_price: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkStatus:
    """How one sink stands: counts since start."""

    name: str
    sent: int
    dropped: int
    failed: int
    queued: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyHolding:
    """What the tasks of one strategy hold: memory by estimate, and tasks that they started."""

    name: str
    memory_bytes: int
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus:
    """How the whole daemon stands, for people and probes.

    `open_count` signals are in the market or on their way, `waiting_count` wait for their entry.
    """

    version: str
    exchange: str
    mode: str
    market_time_ms: int
    speed: float
    uptime_s: float
    loop_lag_s: float
    is_live: bool
    is_ready: bool
    reasons: tuple[str, ...]
    open_count: int
    waiting_count: int
    tasks: tuple[TaskStatus, ...]
    sinks: tuple[SinkStatus, ...]
    orphans: tuple[str, ...]
    holdings: tuple[StrategyHolding, ...] = ()


class Status(Protocol):
    """Tells how the daemon stands, from memory, at once."""

    def snapshot(self) -> DaemonStatus: ...


class Control(Protocol):
    """Does what a person wants of the running daemon. Each change is kept, and told who it was.

    Answers within ten seconds, with `pending` where something takes longer: it goes on.
    """

    async def command(
        self, name: CommandName, target: Target, caller: Caller
    ) -> tuple[CommandResult, ...]:
        """Do it to every task that fits. Raises UnknownTargetError where none does."""
        ...

    async def reload(self, caller: Caller, *, drains: bool | None = None) -> ReloadResult:
        """Take the configuration anew: the whole of it, or nothing where it cannot be used.

        A removed task that holds a signal is watched to its end with `drains`; without it the
        reload is refused. None: as configured.
        """
        ...
