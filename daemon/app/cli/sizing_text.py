"""A sizing rule as a person writes it: `fixed-percentage:risk_percentage=1`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from daemon.core.sizing import (
    AtrBased,
    FixedPercentage,
    KellyCriterion,
    SizingError,
    SizingSchema,
)

LIMITS = ("max_position_percentage", "min_position_size", "max_position_size")
OWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fixed-percentage": ("risk_percentage",),
        "kelly-criterion": ("kelly_multiplier",),
        "atr-based": ("risk_percentage", "atr_multiplier"),
    }
)
"""The methods, and what belongs to each beside the limits."""

RISK_PERCENTAGE = 1.0
"""Of the balance, unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingWanted:
    """How an account is sized, and what it starts with (quote units)."""

    schema: SizingSchema
    balance: float


def parse_sizing(text: str) -> SizingSchema:
    """Return the rule that `METHOD` or `METHOD:NAME=NUMBER,...` says. Raises SizingError."""
    method, _, rest = text.partition(":")
    if method not in OWN:
        raise SizingError(f"there is no sizing {method!r}; there are {', '.join(OWN)}")
    numbers = dict(_pair(part, method) for part in rest.split(",") if part)
    percentage, least, most = (numbers.pop(name, None) for name in LIMITS)
    return SizingSchema(
        sizing_name=text,
        method=_method(method, numbers),
        max_position_percentage=percentage,
        min_position_size=least,
        max_position_size=most,
    )


def _method(name: str, numbers: dict[str, float]) -> FixedPercentage | KellyCriterion | AtrBased:
    if name == "kelly-criterion":
        return KellyCriterion(**numbers)
    numbers = {"risk_percentage": RISK_PERCENTAGE, **numbers}
    return AtrBased(**numbers) if name == "atr-based" else FixedPercentage(**numbers)


def _pair(part: str, method: str) -> tuple[str, float]:
    name, is_given, value = part.partition("=")
    known = (*OWN[method], *LIMITS)
    if name not in known or not is_given:
        raise SizingError(f"{part!r} is nothing that {method} knows: {', '.join(known)} = a number")
    try:
        return name, float(value)
    except ValueError:
        raise SizingError(f"{name} must be a number, not {value!r}") from None
