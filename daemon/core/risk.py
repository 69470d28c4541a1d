"""Portfolio risk: profiles, their validations, and the slots that positions hold.

A profile is shared by all strategies that name it and counts across all symbols. A check and
the reservation that follows it are one plain call, so that nothing can come between them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Literal

from daemon.core.candles import DAY_MS
from daemon.core.guard import (
    ForeignCall,
    Raised,
    Returned,
    call_foreign,
    class_name,
    close_unawaited,
    describe,
)
from daemon.core.plain_text import to_plain_text
from daemon.core.signal import Key, Signal, SignalRow

COMMENT_LENGTH_MAX = 500


class RiskRejectedError(Exception):
    """Raised by a risk validation to refuse a signal; its text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivePosition:
    """A position that holds a slot. `signal` is None for a key whose state is not trusted."""

    signal: SignalRow | None
    strategy_name: str
    exchange_name: str
    symbol: str
    open_timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClose:
    """One close of the current UTC day: when, and its PnL in percent after costs."""

    at_ms: int
    pnl_percentage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeHistory:
    """What the risk rules must remember of one key: the day's closes and the last loss."""

    closes: tuple[DayClose, ...] = ()
    last_loss_at: int | None = None

    def with_close(self, close: DayClose) -> "TradeHistory":
        """Return the history after `close`, holding the closes of its UTC day alone."""
        day = close.at_ms // DAY_MS
        today = tuple(item for item in self.closes if item.at_ms // DAY_MS == day)
        lost_at = close.at_ms if close.pnl_percentage < 0 else self.last_loss_at
        return TradeHistory(closes=(*today, close), last_loss_at=lost_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRequest:
    """What a risk check is about; `timestamp` is market time in ms."""

    key: Key
    pending_signal: Signal | SignalRow
    current_price: float
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPayload:
    """What a validation is handed: the request and the profile's open positions."""

    symbol: str
    pending_signal: Signal | SignalRow
    strategy_name: str
    exchange_name: str
    current_price: float
    timestamp: int
    active_position_count: int
    active_positions: tuple[ActivePosition, ...]
    trade_histories: tuple[TradeHistory, ...]


Verdict = str | bool | None
ValidationFunction = Callable[[RiskPayload], Verdict]
RiskCallback = Callable[[str, RiskPayload], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskValidation:
    """One rule of a profile: it refuses by raising or by returning a reason."""

    validate: ValidationFunction
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskProfile:
    """A named list of rules, asked in order; the first refusal ends the check."""

    risk_name: str
    validations: tuple[RiskValidation, ...]
    note: str = ""
    on_rejected: RiskCallback | None = None
    on_allowed: RiskCallback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a profile refused. `fault` is set where a rule broke instead of refusing."""

    risk_name: str
    comment: str
    note: str
    active_position_count: int
    fault: Raised | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFault:
    """A profile's callback raised: told on `error`, and changes no verdict."""

    risk_name: str
    callback: Literal["on_rejected", "on_allowed"]
    raised: Raised


@dataclass(slots=True, kw_only=True)
class _Book:
    """The slots and histories of one profile."""

    positions: dict[Key, ActivePosition] = field(default_factory=dict)
    histories: dict[Key, TradeHistory] = field(default_factory=dict)


class RiskDesk:
    """All profiles and who holds their slots.

    `faults` collects what callbacks of profiles raised; the driver reports and clears it. `call`
    calls rules and callbacks: a driver that can end one that hangs gives its own. `redact` takes
    secrets out of what a rule says, before anything keeps it.
    """

    def __init__(
        self,
        profiles: Iterable[RiskProfile] = (),
        call: ForeignCall = call_foreign,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._call = call
        self._redact = redact
        self._profiles = {profile.risk_name: profile for profile in profiles}
        self._books = {name: _Book() for name in self._profiles}
        self.faults: list[CallbackFault] = []

    def replace(self, profiles: Iterable[RiskProfile]) -> None:
        """Go by these profiles from now on; who holds slots of a name keeps them."""
        self._profiles = {profile.risk_name: profile for profile in profiles}
        self._books = {name: self._books.get(name) or _Book() for name in self._profiles}

    def check(self, risk_names: Sequence[str], request: RiskRequest) -> Refusal | None:
        """Return the first refusal of the profiles named, or None: all allow. Takes no slot."""
        for name in risk_names:
            # A signal may outlive the configuration of its strategy, and with it the profile.
            profile = self._profiles.get(name)
            refusal = None if profile is None else self._ask(profile, request)
            if refusal is not None:
                return refusal
        return None

    def reserve(
        self, risk_names: Sequence[str], request: RiskRequest, row: SignalRow
    ) -> Refusal | None:
        """Check, and where all allow take a slot of each profile, in one step."""
        refusal = self.check(risk_names, request)
        if refusal is None:
            self.hold(risk_names, request.key, row, request.timestamp)
        return refusal

    def hold(self, risk_names: Sequence[str], key: Key, row: SignalRow | None, at_ms: int) -> None:
        """Take a slot without asking: a restored position, or a key that is not trusted."""
        position = ActivePosition(
            signal=row,
            strategy_name=key.strategy_name,
            exchange_name=key.exchange_name,
            symbol=key.symbol,
            open_timestamp=at_ms if row is None else row.pending_at,
        )
        for name in risk_names:
            if name in self._books:
                self._books[name].positions[key] = position

    def release(self, risk_names: Sequence[str], key: Key) -> None:
        """Give the slots of `key` back. Harmless where it holds none."""
        for name in risk_names:
            if name in self._books:
                self._books[name].positions.pop(key, None)

    def remember(self, risk_names: Sequence[str], key: Key, history: TradeHistory) -> None:
        """Note what `key` closed today and when it last lost."""
        for name in risk_names:
            if name in self._books:
                self._books[name].histories[key] = history

    def forget(self, risk_names: Sequence[str], key: Key) -> None:
        """Count nothing of `key` any more: neither its slots nor what it closed."""
        self.release(risk_names, key)
        for name in risk_names:
            if name in self._books:
                self._books[name].histories.pop(key, None)

    def positions(self, risk_name: str) -> tuple[ActivePosition, ...]:
        """Return the positions that hold a slot of the profile."""
        return tuple(self._books[risk_name].positions.values())

    @property
    def profiles(self) -> Mapping[str, RiskProfile]:
        return self._profiles

    def _ask(self, profile: RiskProfile, request: RiskRequest) -> Refusal | None:
        payload = self._payload(profile.risk_name, request)
        for rule in profile.validations:
            outcome = self._call(rule.validate, payload)
            refusal = _verdict(profile.risk_name, rule, payload, outcome, self._redact)
            if refusal is not None:
                self._notify(profile, "on_rejected", payload)
                return refusal
        self._notify(profile, "on_allowed", payload)
        return None

    def _payload(self, risk_name: str, request: RiskRequest) -> RiskPayload:
        book = self._books[risk_name]
        return RiskPayload(
            symbol=request.key.symbol,
            pending_signal=request.pending_signal,
            strategy_name=request.key.strategy_name,
            exchange_name=request.key.exchange_name,
            current_price=request.current_price,
            timestamp=request.timestamp,
            active_position_count=len(book.positions),
            active_positions=tuple(book.positions.values()),
            trade_histories=tuple(book.histories.values()),
        )

    def _notify(
        self,
        profile: RiskProfile,
        name: Literal["on_rejected", "on_allowed"],
        payload: RiskPayload,
    ) -> None:
        callback = profile.on_rejected if name == "on_rejected" else profile.on_allowed
        if callback is None:
            return
        outcome = self._call(callback, payload.symbol, payload)
        if not isinstance(outcome, Raised) and type(outcome.value) is CoroutineType:
            close_unawaited(outcome.value)
            outcome = describe(TypeError(f"{name} must be a plain function, not async"))
        if isinstance(outcome, Raised):
            self.faults.append(
                CallbackFault(risk_name=profile.risk_name, callback=name, raised=outcome)
            )


def _verdict(
    risk_name: str,
    rule: RiskValidation,
    payload: RiskPayload,
    outcome: Returned[Verdict] | Raised,
    redact: Callable[[str], str],
) -> Refusal | None:
    """Return why `rule` refuses, or None. A rule that answers anything unclear refuses."""
    fault = None
    if isinstance(outcome, Raised):
        comment = outcome.message or outcome.error
        if not issubclass(type(outcome.cause), RiskRejectedError):
            fault = outcome
    elif outcome.value is None or outcome.value is True or _is_empty(outcome.value):
        return None
    elif outcome.value is False:
        comment = rule.note
    elif issubclass(type(outcome.value), str):
        comment = str.__str__(outcome.value)
    else:
        close_unawaited(outcome.value)
        kind = class_name(outcome.value)
        comment = f"a risk validation must return None, a reason or a bool, not {kind}"
        fault = describe(TypeError(comment))
    note = redact(rule.note)
    return Refusal(
        risk_name=risk_name,
        # Redacted whole: a secret that is cut is found no more.
        comment=to_plain_text(redact(comment))[:COMMENT_LENGTH_MAX] or note or "refused",
        note=note or "N/A",
        active_position_count=payload.active_position_count,
        fault=fault,
    )


def _is_empty(answer: object) -> bool:
    return type(answer) is str and not answer
