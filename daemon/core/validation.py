"""Validation: from what a strategy returned to a row that may trade.

All faults are found at once and told in one error, so that an author mends them in one go.
"""

import math
from collections.abc import Mapping
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from typing import NamedTuple, NotRequired, TypedDict, cast

from daemon.core.form import (
    EXACT_MAX,
    PLAIN,
    exact,
    faults_of_form,
    faults_of_position,
    faults_of_price,
    minutes_or_zero,
    position_or_long,
    price_or_nan,
    words_or_none,
)
from daemon.core.guard import (
    OverrunError,
    Raised,
    call_foreign,
    class_name,
    close_unawaited,
)
from daemon.core.plain_text import to_plain_text
from daemon.core.pnl import Position, distance_percent_break_even, pnl_percentage
from daemon.core.rules import Rules
from daemon.core.signal import Key, Signal, SignalRow, make_id

_FIELDS = tuple(field.name for field in fields(Signal))
_REQUIRED = ("position", "price_take_profit", "price_stop_loss", "minute_estimated_time")
_NAMES_MAX = 50
_VALUES = attrgetter(*_FIELDS)

DISTANCE_TOLERANCE_PERCENT = 1e-9
"""What a float may lack: the distance of 99.9 from 100 is computed as 0.09999999999999432 %."""

USUAL_MIN, USUAL_MAX = 1e-100, 1e100
"""Of prices between these no result overflows, whatever the costs: at most 50 % a side."""


class _Given(TypedDict):
    """The fields of a signal as they should be."""

    position: Position
    price_take_profit: float
    price_stop_loss: float
    minute_estimated_time: int
    price_open: NotRequired[float | None]
    note: NotRequired[str | None]
    id: NotRequired[str | None]


class InvalidSignalError(ValueError):
    """A signal that must not trade. `faults` lists every reason, each a sentence."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("invalid signal: " + "; ".join(faults))
        self.faults = tuple(faults)


class Moment(NamedTuple):
    """Who asks and when: the task, the market time (ms) and the current price."""

    key: Key
    at_ms: int
    price: float


def read_signal(returned: object) -> Signal:
    """Return what `get_signal` returned as a Signal of plain values, which are still unchecked.

    It may be a Signal, or a mapping that has the Signal's fields and no others. Numbers and texts
    become plain ones, which answer for nothing themselves; texts are flattened. A very Signal that
    has all this is returned as it is. Raises InvalidSignalError for anything else.

    Of anything but a very Signal it runs the author's code: a driver calls it as it calls that.
    """
    if type(returned) is Signal and (plain := _plain(returned)) is not None:
        return plain
    close_unawaited(returned)
    outcome = call_foreign(_values_of, returned)
    kind = class_name(returned)
    if isinstance(outcome, Raised):
        if issubclass(type(outcome.cause), OverrunError):
            # No fault of the signal: the driver ended what did not come back.
            raise outcome.cause
        reason = f"{outcome.error}: {outcome.message}"
        raise InvalidSignalError([f"get_signal returned a {kind} that cannot be read: {reason}"])
    values = outcome.value
    if values is None:
        hint = ": write await in front of its call" if kind == "coroutine" else ""
        raise InvalidSignalError([f"get_signal must return a Signal or None, not {kind}{hint}"])
    faults = [f"{name} is missing" for name in _REQUIRED if name not in values]
    faults += [
        f"{to_plain_text(name)[:40]} is not a field of Signal"
        for name in values
        if name not in _FIELDS
    ]
    if faults:
        raise InvalidSignalError(faults + faults_of_form(values))
    return _signal_of(values)


def form_faults(signal: Signal, price: float) -> list[str]:
    """Return what is wrong with the current price and the values of `signal`, each for itself."""
    values: dict[str, object] = dict(zip(_FIELDS, _VALUES(signal), strict=True))
    return faults_of_price("the current price", price) + faults_of_form(values)


def _is_usual(signal: Signal, price: float) -> bool:
    """Say whether all values are of the usual classes and in their bounds, without any text.

    Then `form_faults` is empty, and nothing is left to mend. Whatever is not may be so too.
    """
    entry = price if signal.price_open is None else signal.price_open
    target, stop = signal.price_take_profit, signal.price_stop_loss
    minutes = signal.minute_estimated_time
    return (
        type(price) is type(entry) is type(target) is type(stop) is float
        and 0.0 < price < math.inf
        and 0.0 < entry < math.inf
        and 0.0 < target < math.inf
        and 0.0 < stop < math.inf
        and type(minutes) is int
        and 0 < minutes < EXACT_MAX
        and not faults_of_position(signal.position)
        and signal.note is None
        and signal.id is None
    )


def make_row(signal: Signal, moment: Moment, rules: Rules) -> SignalRow:
    """Return the validated row of `signal`, waiting or immediate as its entry price says.

    With a `price_open` that the market has not reached yet the row is scheduled; otherwise it
    opens at once, at `price_open` or at the current price. Raises InvalidSignalError.
    """
    key, at_ms, price = moment
    is_usual = _is_usual(signal, price)
    faults = [] if is_usual else form_faults(signal, price)
    has_side = is_usual or not faults_of_position(signal.position)
    if not is_usual:
        # A price that is no price becomes NaN, which is on no wrong side of anything: what has
        # been told of already is not told of twice.
        signal, price = _in_form(signal), price_or_nan(price)
    entry = price if signal.price_open is None else signal.price_open
    is_reached = price <= entry if signal.position == "long" else price >= entry
    row = SignalRow(
        id=make_id("signal", key, at_ms),
        label=signal.id or "",
        symbol=key.symbol,
        strategy_name=key.strategy_name,
        exchange_name=key.exchange_name,
        position=signal.position,
        price_open=entry,
        price_take_profit=signal.price_take_profit,
        price_stop_loss=signal.price_stop_loss,
        minute_estimated_time=signal.minute_estimated_time,
        note=signal.note or "",
        scheduled_at=at_ms,
        pending_at=at_ms,
        is_scheduled=not is_reached,
    )
    if has_side:
        faults += _faults_of_prices(row, rules)
        faults += _faults_of_immediate(row, price)
        faults += _faults_of_size(row, rules)
    faults += _faults_of_life(row, rules)
    if faults:
        raise InvalidSignalError(faults)
    return row


def _in_form(signal: Signal) -> Signal:
    """Return `signal` with values of the right classes; what has no sense becomes NaN or 0."""
    entry = signal.price_open
    return Signal(
        position=position_or_long(signal.position),
        price_take_profit=price_or_nan(signal.price_take_profit),
        price_stop_loss=price_or_nan(signal.price_stop_loss),
        minute_estimated_time=minutes_or_zero(signal.minute_estimated_time),
        price_open=None if entry is None else price_or_nan(entry),
        note=words_or_none(signal.note),
        id=words_or_none(signal.id),
    )


def _plain(signal: Signal) -> Signal | None:
    """Return a very Signal of plain values, texts flattened: no foreign code is in it. Or None."""
    try:
        values = _VALUES(signal)
    except AttributeError:
        # Made without its constructor.
        return None
    if not PLAIN.issuperset(map(type, values)):
        return None
    has_text = signal.note is not None or signal.id is not None
    # Without a text there is nothing to flatten.
    return _signal_of(dict(zip(_FIELDS, values, strict=True))) if has_text else signal


def _values_of(returned: object) -> dict[str, object] | None:
    """Return the fields of a Signal or a mapping by name. Runs foreign code."""
    if isinstance(returned, Signal):
        found = [(name, getattr(returned, name)) for name in _FIELDS]
    elif isinstance(returned, Mapping):
        found = [(_name(key), value) for key, value in islice(returned.items(), _NAMES_MAX)]
    else:
        return None
    return {name: value if type(value) in PLAIN else exact(value) for name, value in found}


def _signal_of(values: Mapping[str, object]) -> Signal:
    # The cast is a promise of later: `make_row` refuses whatever does not keep it.
    given = cast(_Given, values)
    return Signal(
        position=given["position"],
        price_take_profit=given["price_take_profit"],
        price_stop_loss=given["price_stop_loss"],
        minute_estimated_time=given["minute_estimated_time"],
        price_open=given.get("price_open"),
        note=_flat(given.get("note")),
        id=_flat(given.get("id")),
    )


def _name(key: object) -> str:
    name = exact(key)
    return name if type(name) is str else class_name(name)


def _flat(value: str | None) -> str | None:
    return to_plain_text(value) if type(value) is str else value


def _side(row: SignalRow) -> str:
    return row.position.capitalize()


def _faults_of_prices(row: SignalRow, rules: Rules) -> list[str]:
    sign = 1 if row.position == "long" else -1
    # Percent from the entry: positive on the right side of it, for both positions.
    profit = sign * (row.price_take_profit - row.price_open) / row.price_open * 100
    loss = sign * (row.price_open - row.price_stop_loss) / row.price_open * 100
    faults = []
    if profit <= 0:
        order = ">" if sign > 0 else "<"
        faults.append(
            f"{_side(row)}: price_take_profit ({row.price_take_profit}) must be {order} "
            f"price_open ({row.price_open})"
        )
    else:
        faults += _faults_of_profit(row, profit, rules)
    if loss <= 0:
        order = "<" if sign > 0 else ">"
        faults.append(
            f"{_side(row)}: price_stop_loss ({row.price_stop_loss}) must be {order} "
            f"price_open ({row.price_open})"
        )
    else:
        faults += _faults_of_loss(row, loss, rules)
    return faults


def _faults_of_size(row: SignalRow, rules: Rules) -> list[str]:
    """A result that overflows must not reach a state file, where it could not be written."""
    ends = (row.price_take_profit, row.price_stop_loss)
    if (
        USUAL_MIN < row.price_open < USUAL_MAX
        and USUAL_MIN < ends[0] < USUAL_MAX
        and USUAL_MIN < ends[1] < USUAL_MAX
    ):
        return []
    if math.isnan(row.price_open + ends[0] + ends[1]):
        return []
    for end in ends:
        if not math.isfinite(pnl_percentage(row.position, row.price_open, end, rules)):
            return ["the prices are too far apart to compute a result"]
    return []


def _faults_of_life(row: SignalRow, rules: Rules) -> list[str]:
    if row.minute_estimated_time <= rules.max_signal_lifetime_minutes:
        return []
    fault = (
        f"minute_estimated_time ({row.minute_estimated_time}) is above the maximum of "
        f"{rules.max_signal_lifetime_minutes} minutes"
    )
    return [fault]


def _faults_of_profit(row: SignalRow, distance: float, rules: Rules) -> list[str]:
    least = rules.min_takeprofit_distance_percent
    faults = []
    if least and distance < least - DISTANCE_TOLERANCE_PERCENT:
        faults.append(
            f"{_side(row)}: take profit is {distance:.3f} % from price_open, "
            f"the minimum is {least} %"
        )
    pnl = pnl_percentage(row.position, row.price_open, row.price_take_profit, rules)
    if rules.require_profit_after_costs and pnl <= 0:
        needed = distance_percent_break_even(row.position, rules)
        faults.append(
            f"{_side(row)}: at its take profit ({distance:.4f} % away) the signal would lose "
            f"{-pnl:.4f} % after costs; costs take {needed:.4f} %, so that it must be at least "
            f"{math.ceil(needed * 1e4) / 1e4:.4f} % away"
        )
    return faults


def _faults_of_loss(row: SignalRow, distance: float, rules: Rules) -> list[str]:
    least, most = rules.min_stoploss_distance_percent, rules.max_stoploss_distance_percent
    if least and distance < least - DISTANCE_TOLERANCE_PERCENT:
        return [
            f"{_side(row)}: stop loss is {distance:.3f} % from price_open, the minimum is {least} %"
        ]
    if most and distance > most + DISTANCE_TOLERANCE_PERCENT:
        return [
            f"{_side(row)}: stop loss is {distance:.3f} % from price_open, the maximum is {most} %"
        ]
    return []


def _faults_of_immediate(row: SignalRow, price: float) -> list[str]:
    """An immediate signal must not be at its own stop or target already."""
    if row.is_scheduled:
        return []
    sign = 1 if row.position == "long" else -1
    if sign * row.price_stop_loss < sign * price < sign * row.price_take_profit:
        return []
    limits = (
        ("stop loss", row.price_stop_loss, sign * price <= sign * row.price_stop_loss),
        ("take profit", row.price_take_profit, sign * price >= sign * row.price_take_profit),
    )
    return [
        f"{_side(row)} immediate: the current price ({price}) is already at the {name} ({limit})"
        for name, limit, is_reached in limits
        if is_reached
    ]
