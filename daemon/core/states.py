"""The states of one (symbol, strategy), and what can be given to it.

A state is a frozen class and the union lists them all; nothing else remembers where a signal is.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, assert_never

from daemon.core.signal import SignalRow

CloseReason = Literal["time_expired", "take_profit", "stop_loss", "user"]
CancelReason = Literal["timeout", "stop_loss", "user", "stopped", "data_end"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What the market did over a span: the one input by which live and history are judged alike.

    `at_ms` is its start (UTC epoch ms), `price_start` the price that a tick at that moment sees,
    `price` the one at its end, `low` and `high` the extremes between. A live tick has no span
    and one price.
    """

    at_ms: int
    span_ms: int
    price_start: float
    price: float
    low: float
    high: float

    @property
    def known_at_ms(self) -> int:
        """Return when the whole of it was known."""
        return self.at_ms + self.span_ms


def tick(at_ms: int, price: float) -> Observation:
    """Return the observation of one price at one moment."""
    return Observation(at_ms, 0, price, price, price, price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """No signal."""

    kind: Literal["idle"] = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A signal waits for the market to reach its entry price."""

    signal: SignalRow
    kind: Literal["scheduled"] = "scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An entry is decided and the broker has not answered yet; a risk slot is due or held.

    `seen` is the observation that decided it.
    """

    signal: SignalRow
    seen: Observation
    kind: Literal["opening"] = "opening"


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A position is open. The reached partial levels (10, 20 ... 100) ascend."""

    signal: SignalRow
    profit_levels: tuple[int, ...] = ()
    loss_levels: tuple[int, ...] = ()
    kind: Literal["active"] = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An exit is decided, at `price` for `reason`, and the broker has not answered yet."""

    signal: SignalRow
    reason: CloseReason
    price: float
    at_ms: int
    kind: Literal["closing"] = "closing"


State = Idle | Scheduled | Opening | Active | Closing


class Proposal(NamedTuple):
    """A validated row of a new signal, with the observation that it was made on."""

    row: SignalRow
    seen: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The risk check refuses the entry that is due."""

    reason: str


class Filled(NamedTuple):
    """The broker has done what was due, at `price`."""

    price: float
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """A waiting signal is to be dropped: by a person, a stop, or because the data end."""

    reason: Literal["user", "stopped", "data_end"]
    at_ms: int
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """An open signal is to be closed at `price`: by a person, or because the data end."""

    reason: Literal["user", "time_expired"]
    at_ms: int
    price: float


Given = Observation | Proposal | Refused | Filled | Cancel | Close


def row_of(state: State) -> SignalRow | None:
    """Return the signal that `state` carries, or None."""
    match state:
        case Idle():
            return None
        case Scheduled() | Opening() | Active() | Closing():
            return state.signal
        case _:
            assert_never(state)


def at_risk(state: State) -> bool:
    """Say whether money may be in the market right now."""
    match state:
        case Opening() | Active() | Closing():
            return True
        case Idle() | Scheduled():
            return False
        case _:
            assert_never(state)
