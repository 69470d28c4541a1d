"""What the records look like in JSON: the core's own classes, read strictly.

Where a field is a union, a tag decides which class is meant. That makes reading ten times faster
than trying them all, and an error names the one that was meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import ConfigDict, Discriminator, Tag, TypeAdapter

from daemon.adapters.storage.names import Place, PlaceKind
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
)
from daemon.core.records import (
    CandleEntry,
    CommandEntry,
    JournalEntry,
    PartialRecord,
    RiskRecord,
    RunEntry,
    ScheduleRecord,
    SignalRecord,
    StopEntry,
    TransitionEntry,
)
from daemon.core.states import Active, Closing, Idle, Opening

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose folder it is: one exchange, one mode, one account (empty where there is none)."""

    exchange: str
    mode: str
    account: str = ""

    def __str__(self) -> str:
        account = f", account {self.account}" if self.account else ""
        return f"{self.exchange}-{self.mode}{account}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorRecord:
    """Up to which journal entry a sink has dealt with everything."""

    sink: str
    number: int


Record = SignalRecord | ScheduleRecord | RiskRecord | PartialRecord | CursorRecord

R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Generic[R_co]):
    """A whole file but for its checksum. The order of the fields is the order in the file."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    schema: int
    seq: int
    folder: Identity
    place: Place
    record: R_co


def _tag(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return None
    tag = value.get("kind") or value.get("action")
    return tag if isinstance(tag, str) else None


_Held = Annotated[
    Annotated[Idle, Tag("idle")]
    | Annotated[Opening, Tag("opening")]
    | Annotated[Active, Tag("active")]
    | Annotated[Closing, Tag("closing")],
    Discriminator(_tag),
]

_Event = Annotated[
    Annotated[SignalScheduled, Tag("scheduled")]
    | Annotated[SignalOpened, Tag("opened")]
    | Annotated[SignalClosed, Tag("closed")]
    | Annotated[SignalCancelled, Tag("cancelled")]
    | Annotated[PartialProfitContract, Tag("partial_profit")]
    | Annotated[PartialLossContract, Tag("partial_loss")]
    | Annotated[RiskContract, Tag("risk")]
    | Annotated[ErrorContract, Tag("error")]
    | Annotated[ExitContract, Tag("exit")],
    Discriminator(_tag),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaggedSignal(SignalRecord):
    state: _Held
    outbox: tuple[_Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaggedSchedule(ScheduleRecord):
    outbox: tuple[_Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaggedTransition(TransitionEntry):
    events: tuple[_Event, ...]


_Entry = Annotated[
    Annotated[_TaggedTransition, Tag("transition")]
    | Annotated[CandleEntry, Tag("candle")]
    | Annotated[RunEntry, Tag("run")]
    | Annotated[CommandEntry, Tag("command")]
    | Annotated[StopEntry, Tag("stop")],
    Discriminator(_tag),
]


def read_envelope(kind: PlaceKind, data: bytes) -> Envelope[Record]:
    """Return the envelope of a file of `kind`. Raises pydantic's ValidationError."""
    envelope = _envelope_adapter(kind).validate_json(data)
    return Envelope(
        schema=envelope.schema,
        seq=envelope.seq,
        folder=envelope.folder,
        place=envelope.place,
        record=_untagged(envelope.record),
    )


def read_entry(data: bytes) -> JournalEntry:
    """Return a journal entry. Raises pydantic's ValidationError."""
    entry = _entry_adapter().validate_json(data)
    return _plain(TransitionEntry, entry) if isinstance(entry, TransitionEntry) else entry


@cache
def _envelope_adapter(kind: PlaceKind) -> "TypeAdapter[Envelope[Record]]":
    # Built when first needed: it takes some ten milliseconds each.
    match kind:
        case "signal":
            return TypeAdapter(Envelope[_TaggedSignal])
        case "schedule":
            return TypeAdapter(Envelope[_TaggedSchedule])
        case "risk":
            return TypeAdapter(Envelope[RiskRecord])
        case "partial":
            return TypeAdapter(Envelope[PartialRecord])
        case "cursor":
            return TypeAdapter(Envelope[CursorRecord])


@cache
def _entry_adapter() -> "TypeAdapter[JournalEntry]":
    return TypeAdapter(_Entry, config=STRICT)


def _untagged(record: Record) -> Record:
    match record:
        case SignalRecord():
            return _plain(SignalRecord, record)
        case ScheduleRecord():
            return _plain(ScheduleRecord, record)
        case _:
            return record


P = TypeVar("P", SignalRecord, ScheduleRecord, TransitionEntry)


def _plain(plain: type[P], tagged: P) -> P:
    return plain(**{field.name: getattr(tagged, field.name) for field in fields(plain)})
