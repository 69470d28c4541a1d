"""Parameter spaces: what a search may try for each parameter that a strategy declares.

A strategy class says `spaces = {"fast": Int(5, 30), "kind": Choice("sma", "ema")}`.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


class SpaceError(ValueError):
    """A space makes no sense; the text says which bound and why."""


@dataclass(frozen=True, slots=True)
class Int:
    """Whole numbers from `low` to `high`, both inclusive, by `step`; `log` for ratios."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def __post_init__(self) -> None:
        for value in (self.low, self.high, self.step):
            if type(value) is not int:
                raise SpaceError(f"Int takes whole numbers, not {value!r}")
        _check_bounds(self)


@dataclass(frozen=True, slots=True)
class Float:
    """Numbers from `low` to `high`, both inclusive, by `step` if given; `log` for ratios."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        for value in (self.low, self.high, self.step):
            if value is not None and not _is_number(value):
                raise SpaceError(f"Float takes finite numbers, not {value!r}")
        _check_bounds(self)


@dataclass(frozen=True, slots=True, init=False)
class Choice:
    """One of some texts, numbers or flags: `Choice("sma", "ema")`."""

    values: tuple[str | int | float | bool, ...]

    def __init__(self, *values: str | float | bool) -> None:
        if len(values) < 2:
            raise SpaceError("Choice takes at least two values")
        for value in values:
            if not isinstance(value, str | bool) and not _is_number(value):
                raise SpaceError(f"Choice takes texts, finite numbers and flags, not {value!r}")
        # True is equal to 1: who looks a value up must not find the other.
        if len(set(values)) < len(values):
            raise SpaceError("Choice holds a value twice")
        object.__setattr__(self, "values", values)


Space = Int | Float | Choice
Spaces = Mapping[str, Space]


def space_faults(spaces: object, params: object) -> Iterator[str]:
    """Yield why an author's `spaces` cannot be searched, in words; `params` are the defaults."""
    if not isinstance(spaces, Mapping):
        yield 'spaces must be a table as in {"fast": Int(5, 30)}'
        return
    for name, space in spaces.items():
        if not isinstance(name, str):
            yield f"spaces has the name {name!r}: it must be a text"
        elif not isinstance(space, Space):
            yield f"spaces of {name} must be Int, Float or Choice, not {type(space).__name__}"
        elif isinstance(params, Mapping) and name not in tuple(params):
            yield f"spaces names {name}, which is not in params: give it a default there"


def size_of(spaces: Spaces) -> int | None:
    """Return how many different sets of parameters there are; None where there is no end."""
    size = 1
    for space in spaces.values():
        match space:
            case Int():
                size *= (space.high - space.low) // space.step + 1
            case Choice():
                size *= len(space.values)
            case Float(step=None):
                return None
            case Float(step=step):
                assert step is not None
                size *= math.floor((space.high - space.low) / step + 1e-9) + 1
    return size


def _check_bounds(space: Int | Float) -> None:
    name = type(space).__name__
    if space.high < space.low:
        raise SpaceError(f"{name}: high {space.high} is below low {space.low}")
    if space.step is not None and space.step <= 0:
        raise SpaceError(f"{name}: step must be above 0, not {space.step}")
    if space.log and space.low <= 0:
        raise SpaceError(f"{name}: a log space begins above 0, not at {space.low}")
    if space.log and space.step not in (None, 1):
        raise SpaceError(f"{name}: a log space has no step")


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
