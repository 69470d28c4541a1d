"""Sizing rules by name, for programs: `add_sizing`, and the quantity that each tells."""

from daemon.app.registry import RegistrationError, UnknownNameError
from daemon.core.sizing import (
    AtrBasedParams,
    FixedPercentageParams,
    KellyCriterionParams,
    SizingParams,
    SizingSchema,
    position_size,
)

_SIZINGS: dict[str, SizingSchema] = {}


def add_sizing(sizing: SizingSchema) -> SizingSchema:
    """Register a sizing rule under its name. Raises RegistrationError for a name twice or none."""
    name = sizing.sizing_name
    if not name:
        raise RegistrationError("a sizing needs a sizing_name")
    if name in _SIZINGS:
        raise RegistrationError(f"sizing {name!r} already exists")
    _SIZINGS[name] = sizing
    return sizing


def list_sizings() -> tuple[SizingSchema, ...]:
    """Return the registered sizing rules, in order."""
    return tuple(_SIZINGS.values())


class PositionSize:
    """The quantity (base units) that a registered rule tells, after its limits.

    Each raises UnknownNameError for a rule that is not registered, and SizingError for one of
    another method or for numbers that make no sense.
    """

    @staticmethod
    def fixed_percentage(
        balance: float, price_open: float, price_stop_loss: float, *, sizing_name: str
    ) -> float:
        """Return what loses the rule's share of `balance` if the stop is hit."""
        params = FixedPercentageParams(
            balance=balance, price_open=price_open, price_stop_loss=price_stop_loss
        )
        return _quantity(sizing_name, params)

    @staticmethod
    def kelly_criterion(
        balance: float,
        price_open: float,
        *,
        win_rate: float,
        win_loss_ratio: float,
        sizing_name: str,
    ) -> float:
        """Return the rule's part of the Kelly fraction; `win_rate` is 0..1."""
        params = KellyCriterionParams(
            balance=balance,
            price_open=price_open,
            win_rate=win_rate,
            win_loss_ratio=win_loss_ratio,
        )
        return _quantity(sizing_name, params)

    @staticmethod
    def atr_based(balance: float, price_open: float, atr: float, *, sizing_name: str) -> float:
        """Return what loses the rule's share of `balance` over its multiple of `atr`."""
        params = AtrBasedParams(balance=balance, price_open=price_open, atr=atr)
        return _quantity(sizing_name, params)


def _quantity(sizing_name: str, params: SizingParams) -> float:
    sizing = _SIZINGS.get(sizing_name)
    if sizing is None:
        known = ", ".join(map(repr, _SIZINGS)) or "none"
        raise UnknownNameError(f"there is no sizing {sizing_name!r}; registered: {known}")
    return position_size(sizing, params).quantity
