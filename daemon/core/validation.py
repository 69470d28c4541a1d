"""Validation: from what a strategy returned to a row that may trade.

All faults are found at once and told in one error, so that an author mends them in one go.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from daemon.core.plain_text import to_plain_text
from daemon.core.pnl import distance_percent_break_even, profit_loss
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal, SignalRow, make_id

_FIELDS = {field.name for field in fields(Signal)}
_REQUIRED = ("position", "price_take_profit", "price_stop_loss", "minute_estimated_time")


class InvalidSignalError(ValueError):
    """A signal that must not trade. `faults` lists every reason, each a sentence."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("invalid signal: " + "; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Who asks and when: the task, the market time (ms) and the current price."""

    key: Key
    at_ms: int
    price: float


def read_signal(returned: object) -> Signal:
    """Return `returned` as a Signal, its values still unchecked.

    A Signal passes as it is; a mapping must have the Signal's fields and no others. Raises
    InvalidSignalError for anything else.
    """
    if isinstance(returned, Signal):
        return returned
    if not isinstance(returned, Mapping):
        kind = type(returned).__name__
        raise InvalidSignalError([f"get_signal must return a Signal or None, not {kind}"])
    given = {str(name): value for name, value in returned.items()}
    faults = [f"{name} is missing" for name in _REQUIRED if name not in given]
    faults += [f"{name} is not a field of Signal" for name in given if name not in _FIELDS]
    if faults:
        raise InvalidSignalError(faults)
    return Signal(**given)


def make_row(signal: Signal, moment: Moment, rules: Rules) -> SignalRow:
    """Return the validated row of `signal`, waiting or immediate as its entry price says.

    With a `price_open` that the market has not reached yet the row is scheduled; otherwise it
    opens at once, at `price_open` or at the current price. Raises InvalidSignalError.
    """
    faults: list[str] = []
    price = _price("the current price", moment.price, faults)
    entry = price
    if signal.price_open is not None:
        entry = _price("price_open", signal.price_open, faults)
    take_profit = _price("price_take_profit", signal.price_take_profit, faults)
    stop_loss = _price("price_stop_loss", signal.price_stop_loss, faults)
    minutes = _minutes(signal.minute_estimated_time, faults)
    faults += _faults_of_words(signal)
    if faults:
        raise InvalidSignalError(faults)
    is_reached = price <= entry if signal.position == "long" else price >= entry
    row = SignalRow(
        id=make_id("signal", moment.key, moment.at_ms),
        label=to_plain_text(signal.id or ""),
        symbol=moment.key.symbol,
        strategy_name=moment.key.strategy_name,
        exchange_name=moment.key.exchange_name,
        position=signal.position,
        price_open=entry,
        price_take_profit=take_profit,
        price_stop_loss=stop_loss,
        minute_estimated_time=minutes,
        note=to_plain_text(signal.note or ""),
        scheduled_at=moment.at_ms,
        pending_at=moment.at_ms,
        is_scheduled=not is_reached,
    )
    faults = _faults_of_prices(row, rules)
    if not row.is_scheduled:
        faults += _faults_of_immediate(row, price)
    if faults:
        raise InvalidSignalError(faults)
    return row


def _number(value: object) -> float | None:
    """Return `value` as a plain float, or None if it is no real int or float.

    The base classes' own conversions are used: a subclass may have overridden anything.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return float.__float__(value)
    if not isinstance(value, int):
        return None
    try:
        return int.__float__(value)
    except OverflowError:
        return math.inf


def _price(name: str, value: object, faults: list[str]) -> float:
    number = _number(value)
    if number is None:
        faults.append(f"{name} must be a number, got {_shown(value)}")
        return math.nan
    if not math.isfinite(number):
        faults.append(f"{name} must be finite, got {number}")
    elif number <= 0:
        faults.append(f"{name} must be positive, got {number}")
    return number


def _minutes(value: object, faults: list[str]) -> int:
    name = "minute_estimated_time"
    number = _number(value)
    if number is None:
        faults.append(f"{name} must be a whole number of minutes, got {_shown(value)}")
    elif not (math.isfinite(number) and number.is_integer()):
        faults.append(f"{name} must be a whole number of minutes, got {number}")
    elif number <= 0:
        faults.append(f"{name} must be positive, got {number}")
    else:
        return int(number)
    return 0


def _faults_of_words(signal: Signal) -> list[str]:
    faults = []
    # A list or a dict as a position must be refused too, and cannot be hashed.
    if not (isinstance(signal.position, str) and signal.position in ("long", "short")):
        faults.append(f'position must be "long" or "short", got {_shown(signal.position)}')
    for name, value in (("note", signal.note), ("id", signal.id)):
        if not isinstance(value, str | None):
            faults.append(f"{name} must be text, got {_shown(value)}")
    return faults


def _shown(value: object) -> str:
    # The type alone: a foreign __repr__ may raise, hang, or hold a secret.
    return f"{value!r}"[:40] if isinstance(value, str | None | bool) else type(value).__name__


def _faults_of_prices(row: SignalRow, rules: Rules) -> list[str]:
    sign = 1 if row.position == "long" else -1
    # Percent from the entry: positive on the right side of it, for both positions.
    profit = sign * (row.price_take_profit - row.price_open) / row.price_open * 100
    loss = sign * (row.price_open - row.price_stop_loss) / row.price_open * 100
    side = row.position.capitalize()
    faults = []
    if profit <= 0:
        order = ">" if sign > 0 else "<"
        faults.append(
            f"{side}: price_take_profit ({row.price_take_profit}) must be {order} "
            f"price_open ({row.price_open})"
        )
    else:
        faults += _faults_of_profit(row, profit, rules)
    if loss <= 0:
        order = "<" if sign > 0 else ">"
        faults.append(
            f"{side}: price_stop_loss ({row.price_stop_loss}) must be {order} "
            f"price_open ({row.price_open})"
        )
    else:
        faults += _faults_of_loss(side, loss, rules)
    if row.minute_estimated_time > rules.max_signal_lifetime_minutes:
        faults.append(
            f"minute_estimated_time ({row.minute_estimated_time}) is above the maximum of "
            f"{rules.max_signal_lifetime_minutes} minutes"
        )
    return faults


def _faults_of_profit(row: SignalRow, distance: float, rules: Rules) -> list[str]:
    side = row.position.capitalize()
    least = rules.min_takeprofit_distance_percent
    faults = []
    if least and distance < least:
        faults.append(
            f"{side}: take profit is {distance:.3f} % from price_open, the minimum is {least} %"
        )
    pnl = profit_loss(row.position, row.price_open, row.price_take_profit, rules).pnl_percentage
    if rules.require_profit_after_costs and pnl <= 0:
        needed = distance_percent_break_even(row.position, rules)
        faults.append(
            f"{side}: at its take profit ({distance:.3f} % away) the signal would lose "
            f"{-pnl:.3f} % after costs; it must be more than {needed:.4f} % away"
        )
    return faults


def _faults_of_loss(side: str, distance: float, rules: Rules) -> list[str]:
    least, most = rules.min_stoploss_distance_percent, rules.max_stoploss_distance_percent
    if least and distance < least:
        return [f"{side}: stop loss is {distance:.3f} % from price_open, the minimum is {least} %"]
    if most and distance > most:
        return [f"{side}: stop loss is {distance:.3f} % from price_open, the maximum is {most} %"]
    return []


def _faults_of_immediate(row: SignalRow, price: float) -> list[str]:
    """An immediate signal must not be at its own stop or target already."""
    sign = 1 if row.position == "long" else -1
    side = row.position.capitalize()
    if sign * price <= sign * row.price_stop_loss:
        return [
            f"{side} immediate: the current price ({price}) is already at the stop loss "
            f"({row.price_stop_loss})"
        ]
    if sign * price >= sign * row.price_take_profit:
        return [
            f"{side} immediate: the current price ({price}) is already at the take profit "
            f"({row.price_take_profit})"
        ]
    return []


