"""The built-in risk rules, as ordinary validations of a profile.

Each function returns a rule that answers None (allowed) or a reason in words. The rules can be
sent to other processes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from daemon.core.candles import DAY_MS, MINUTE_MS
from daemon.core.risk import RiskPayload, RiskValidation, ValidationFunction, Verdict
from daemon.core.signal import Signal, SignalRow

HOUR_MS = 60 * MINUTE_MS

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A built-in rule: it goes to another process as its name and its limit."""

    name: str
    limit: object
    check: ValidationFunction

    def __call__(self, payload: RiskPayload) -> Verdict:
        """Answer None or a reason."""
        return self.check(payload)

    def __reduce__(self) -> tuple[Callable[[str, object], ValidationFunction], tuple[str, object]]:
        return _made_again, (self.name, self.limit)


def _made_again(name: str, limit: object) -> ValidationFunction:
    rule: RiskValidation = globals()[name](limit)
    return rule.validate


def _sendable(make: Callable[[L], RiskValidation]) -> Callable[[L], RiskValidation]:
    """Let the rules that `make` returns be sent to other processes."""

    @wraps(make)
    def made(limit: L) -> RiskValidation:
        rule = make(limit)
        check = BuiltIn(name=make.__name__, limit=limit, check=rule.validate)
        return RiskValidation(validate=check, note=rule.note)

    return made


@_sendable
def max_positions(limit: int) -> RiskValidation:
    """Refuse when `limit` positions of the profile are open."""

    def validate(payload: RiskPayload) -> str | None:
        if payload.active_position_count < limit:
            return None
        return f"{payload.active_position_count} of {limit} positions are open"

    return RiskValidation(validate=validate, note="maximum of open positions")


@_sendable
def max_positions_per_symbol(limit: int) -> RiskValidation:
    """Refuse when `limit` positions of the profile are open on the signal's symbol."""

    def validate(payload: RiskPayload) -> str | None:
        count = sum(item.symbol == payload.symbol for item in payload.active_positions)
        return None if count < limit else f"{count} of {limit} positions on {payload.symbol}"

    return RiskValidation(validate=validate, note="maximum of open positions per symbol")


@_sendable
def max_positions_per_side(limit: int) -> RiskValidation:
    """Refuse when `limit` positions of the profile are open on the signal's side.

    A position whose side is not known (its state is not trusted) counts on both sides.
    """

    def validate(payload: RiskPayload) -> str | None:
        side = payload.pending_signal.position
        count = sum(
            item.signal is None or item.signal.position == side for item in payload.active_positions
        )
        return None if count < limit else f"{count} of {limit} {side} positions are open"

    return RiskValidation(validate=validate, note="maximum of open positions per side")


@_sendable
def min_reward_risk(ratio: float) -> RiskValidation:
    """Refuse when the way to the target is less than `ratio` times the way to the stop."""

    def validate(payload: RiskPayload) -> str | None:
        found = reward_risk(payload.pending_signal, payload.current_price)
        return None if found >= ratio else f"reward/risk is {found:.2f}, the minimum is {ratio}"

    return RiskValidation(validate=validate, note="minimum reward/risk")


@_sendable
def max_loss_per_day(percent: float) -> RiskValidation:
    """Refuse when the closes of this UTC day add up to a loss of `percent` or more."""

    def validate(payload: RiskPayload) -> str | None:
        day = payload.timestamp // DAY_MS
        total = sum(
            close.pnl_percentage
            for history in payload.trade_histories
            for close in history.closes
            if close.at_ms // DAY_MS == day
        )
        return None if total > -percent else f"today's result is {total:.2f} %"

    return RiskValidation(validate=validate, note="maximum loss per UTC day")


@_sendable
def cooldown_after_loss(minutes: int) -> RiskValidation:
    """Refuse for `minutes` after a close at a loss of any strategy of the profile."""

    def validate(payload: RiskPayload) -> str | None:
        losses = [
            item.last_loss_at for item in payload.trade_histories if item.last_loss_at is not None
        ]
        left_ms = max(losses, default=0) + minutes * MINUTE_MS - payload.timestamp
        if not losses or left_ms <= 0:
            return None
        return f"cooling down after a loss for another {-(-left_ms // MINUTE_MS)} min"

    return RiskValidation(validate=validate, note="cooldown after a loss")


@_sendable
def allowed_hours(hours: Sequence[int]) -> RiskValidation:
    """Refuse outside the UTC `hours` (0..23)."""
    allowed = frozenset(hours)

    def validate(payload: RiskPayload) -> str | None:
        hour = payload.timestamp % DAY_MS // HOUR_MS
        return None if hour in allowed else f"hour {hour:02d} UTC is not an allowed hour"

    return RiskValidation(validate=validate, note="allowed hours")


def reward_risk(signal: Signal | SignalRow, current_price: float) -> float:
    """Return the way to the target over the way to the stop, from the entry."""
    entry = current_price if signal.price_open is None else signal.price_open
    risk = abs(entry - signal.price_stop_loss)
    return abs(signal.price_take_profit - entry) / risk if risk else float("inf")
