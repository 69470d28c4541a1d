"""Position sizing: how much to trade, by a fixed risk, the Kelly criterion, or the market's range.

Balances are quote units, quantities base units, prices quote per base, percents percent points.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

from daemon.core.candles import Candles
from daemon.core.errors import RejectedError
from daemon.core.guard import Raised, call_foreign

ATR_PERIOD = 14
"""Wilder's own choice."""

FLOAT_MAX = 1.7976931348623157e308

SizingMethod = Literal["fixed-percentage", "kelly-criterion", "atr-based"]


class SizingError(RejectedError, ValueError):
    """No size can be told from this schema or these numbers; the text names what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPercentage:
    """Lose `risk_percentage` of the balance if the stop is hit."""

    risk_percentage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KellyCriterion:
    """Stake the Kelly fraction times `kelly_multiplier` (a quarter: full Kelly is too wild)."""

    kelly_multiplier: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class AtrBased:
    """Lose `risk_percentage` of the balance at `atr_multiplier` average true ranges from entry."""

    risk_percentage: float
    atr_multiplier: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPercentageParams:
    """What a fixed percentage is told from."""

    balance: float
    price_open: float
    price_stop_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KellyCriterionParams:
    """What a Kelly fraction is told from: `win_rate` is 0..1, `win_loss_ratio` win by loss."""

    balance: float
    price_open: float
    win_rate: float
    win_loss_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AtrBasedParams:
    """What a size by range is told from; `atr` is in quote units."""

    balance: float
    price_open: float
    atr: float


SizingParams = FixedPercentageParams | KellyCriterionParams | AtrBasedParams
OnCalculate = Callable[[float, SizingParams], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingSchema:
    """A sizing rule by name, with its limits and the author's callback `(quantity, params)`.

    `max_position_percentage` is of the balance, at the entry price; the sizes are base units.
    Raises SizingError for numbers that are no numbers, or out of range, all of them at once.
    """

    sizing_name: str
    method: FixedPercentage | KellyCriterion | AtrBased
    note: str = ""
    max_position_percentage: float | None = None
    min_position_size: float | None = None
    max_position_size: float | None = None
    on_calculate: OnCalculate | None = None

    def __post_init__(self) -> None:
        faults = [*_faults_of_method(self.method), *_faults_of_limits(self)]
        if faults:
            raise SizingError(f"sizing {self.sizing_name!r}: {'; '.join(faults)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The quantity to trade, and what the author's callback raised, if it did."""

    quantity: float
    callback_fault: Raised | None = None


def method_name(sizing: SizingSchema) -> SizingMethod:
    """Return the seeds' name of the method of `sizing`."""
    match sizing.method:
        case FixedPercentage():
            return "fixed-percentage"
        case KellyCriterion():
            return "kelly-criterion"
        case AtrBased():
            return "atr-based"
        case _:
            assert_never(sizing.method)


def position_size(sizing: SizingSchema, params: SizingParams) -> Sized:
    """Return the quantity that `sizing` tells from `params`, after its limits, in base units.

    The limits in their order: at most the percentage of the balance, at least the minimum, at most
    the maximum; so a Kelly fraction of 0 is raised to the minimum too. Raises SizingError for
    params of another method, numbers that make no sense, or a stop at the entry price.
    """
    _refuse_faults(sizing, _faults_of_params(params))
    quantity = _limited(sizing, params, _unlimited(sizing, params))
    if not math.isfinite(quantity):
        raise SizingError(f"sizing {sizing.sizing_name!r}: the quantity is beyond all numbers")
    if sizing.on_calculate is None:
        return Sized(quantity=quantity)
    answer = call_foreign(sizing.on_calculate, quantity, params)
    return Sized(quantity=quantity, callback_fault=answer if isinstance(answer, Raised) else None)


def kelly_fraction(win_rate: float, win_loss_ratio: float) -> float:
    """Return the share of the balance (0..1) whose stake grows it fastest; 0 without an edge.

    J. L. Kelly, "A new interpretation of information rate", Bell System Technical Journal 35,
    1956: (W R - (1 - W)) / R.
    """
    return max(0.0, (win_rate * win_loss_ratio - (1 - win_rate)) / win_loss_ratio)


def average_true_range(candles: Candles, period: int = ATR_PERIOD) -> float | None:
    """Return the average true range after the last of `candles`, in quote units.

    J. W. Wilder, "New concepts in technical trading systems", 1978: the mean of the first `period`
    true ranges, then each next one weighs one part in `period`. A true range needs the close
    before it, so that `period + 1` candles are the fewest; with fewer, None. Raises SizingError for
    a period below 1.
    """
    if period < 1:
        raise SizingError(f"the period of an average true range must be at least 1, not {period}")
    if len(candles) <= period:
        return None
    rows = zip(candles.high[1:], candles.low[1:], candles.close[:-1], strict=True)
    ranges = [max(high, close) - min(low, close) for high, low, close in rows]
    average = math.fsum(ranges[:period]) / period
    for true_range in ranges[period:]:
        average += (true_range - average) / period
    return average


def _unlimited(sizing: SizingSchema, params: SizingParams) -> float:
    match sizing.method:
        case FixedPercentage() as method if isinstance(params, FixedPercentageParams):
            distance = abs(params.price_open - params.price_stop_loss)
            return _lost_over(distance, params.balance, method.risk_percentage)
        case KellyCriterion() as method if isinstance(params, KellyCriterionParams):
            fraction = kelly_fraction(params.win_rate, params.win_loss_ratio)
            return fraction * method.kelly_multiplier * params.balance / params.price_open
        case AtrBased() as method if isinstance(params, AtrBasedParams):
            distance = params.atr * method.atr_multiplier
            return _lost_over(distance, params.balance, method.risk_percentage)
        case _:
            raise SizingError(
                f"sizing {sizing.sizing_name!r} is {method_name(sizing)}: it was given"
                f" {type(params).__name__}"
            )


def _lost_over(distance: float, balance: float, risk_percentage: float) -> float:
    """Return the quantity that loses the percentage of `balance` over `distance` of price."""
    # Next to no distance may round to none: the quantity is then whatever the limits leave.
    return balance * risk_percentage / 100 / distance if distance > 0 else math.inf


def _limited(sizing: SizingSchema, params: SizingParams, quantity: float) -> float:
    if sizing.max_position_percentage is not None:
        notional_max = params.balance * sizing.max_position_percentage / 100
        quantity = min(quantity, notional_max / params.price_open)
    if sizing.min_position_size is not None:
        quantity = max(quantity, sizing.min_position_size)
    if sizing.max_position_size is not None:
        quantity = min(quantity, sizing.max_position_size)
    return quantity


def _faults_of_method(method: FixedPercentage | KellyCriterion | AtrBased) -> list[str]:
    match method:
        case FixedPercentage():
            return _not_positive(risk_percentage=method.risk_percentage)
        case KellyCriterion():
            return _not_positive(kelly_multiplier=method.kelly_multiplier)
        case AtrBased():
            return _not_positive(
                risk_percentage=method.risk_percentage, atr_multiplier=method.atr_multiplier
            )
        case _:
            assert_never(method)


def _faults_of_limits(sizing: SizingSchema) -> list[str]:
    limits = {
        "max_position_percentage": sizing.max_position_percentage,
        "min_position_size": sizing.min_position_size,
        "max_position_size": sizing.max_position_size,
    }
    faults = _not_positive(**{name: size for name, size in limits.items() if size is not None})
    low, high = sizing.min_position_size, sizing.max_position_size
    if not faults and low is not None and high is not None and low > high:
        faults.append(f"min_position_size {low} is above max_position_size {high}")
    return faults


def _faults_of_params(params: SizingParams) -> list[str]:
    faults = _not_positive(balance=params.balance, price_open=params.price_open)
    match params:
        case FixedPercentageParams():
            faults += _not_positive(price_stop_loss=params.price_stop_loss)
            if params.price_stop_loss == params.price_open:
                faults.append("price_stop_loss is price_open: nothing would be at risk")
        case KellyCriterionParams():
            faults += _not_positive(win_loss_ratio=params.win_loss_ratio)
            if not (_is_positive(params.win_rate) and params.win_rate < 1):
                faults.append(f"win_rate must be between 0 and 1, not {params.win_rate!r}")
        case AtrBasedParams():
            faults += _not_positive(atr=params.atr)
        case _:
            assert_never(params)
    return faults


def _refuse_faults(sizing: SizingSchema, faults: list[str]) -> None:
    if faults:
        raise SizingError(f"sizing {sizing.sizing_name!r}: {'; '.join(faults)}")


def _not_positive(**numbers: float) -> list[str]:
    return [
        f"{name} must be a positive number, not {value!r}"
        for name, value in numbers.items()
        if not _is_positive(value)
    ]


def _is_positive(value: object) -> bool:
    # bool is an int to Python and never one to a person; NaN fails every comparison.
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 < value <= FLOAT_MAX
