"""Fault plans as users write them: plain tables, as TOML gives them, checked key by key.

```toml
[faults]
seed = 7
[[faults.plan]]
kind = "status"
status = 429
retry_after_s = 5
start_s = 30
stop_s = 40
path = "/api/v3/klines"
```
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from enum import Enum
from typing import Any, cast, get_args

from daemon.core.errors import RejectedError
from daemon.simulation.faults import Effect, Fault, FaultPlan

KINDS: Mapping[str, type[Effect]] = {kind.kind: kind for kind in get_args(Effect)}
WHEN_AND_WHERE = tuple(field for field in fields(Fault) if field.name != "effect")


class FaultPlanError(RejectedError):
    """A fault plan cannot be used; the text names the fault, the key and the remedy."""


def parse_fault_plan(data: Mapping[str, object]) -> FaultPlan:
    """Return the plan that `{"seed": int, "plan": [fault, ...]}` describes.

    Raises FaultPlanError for an unknown kind or key, a wrong type or an impossible value.
    """
    _refuse_unknown(data, ("seed", "plan"), "fault plan")
    seed = data.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise FaultPlanError(f"fault plan: seed must be a whole number, not {seed!r}")
    entries = data.get("plan", ())
    if isinstance(entries, str) or not isinstance(entries, Sequence):
        raise FaultPlanError("fault plan: plan must be a list of faults")
    faults = tuple(_fault(entry, f"fault {number}") for number, entry in enumerate(entries, 1))
    return FaultPlan(faults=faults, seed=seed)


def _fault(entry: object, place: str) -> Fault:
    if not isinstance(entry, Mapping):
        raise FaultPlanError(f"{place}: a fault is a table with a kind, not {entry!r}")
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        known = ", ".join(KINDS)
        hint = _did_you_mean(str(kind), list(KINDS))
        raise FaultPlanError(f"{place}: unknown kind {kind!r}{hint}; the kinds are {known}")
    place = f"{place} ({kind})"
    effect_class = KINDS[kind]
    own, shared = fields(effect_class), WHEN_AND_WHERE
    names = ["kind", *(field.name for field in (*own, *shared))]
    _refuse_unknown(entry, names, place)
    effect = effect_class(**_values(entry, own, place))
    fault = Fault(effect=effect, **_values(entry, shared, place))
    _refuse_impossible(fault, place)
    return fault


def _values(
    entry: Mapping[str, object], wanted: Sequence[Field[Any]], place: str
) -> dict[str, Any]:
    return {
        field.name: _value(entry[field.name], field, place)
        for field in wanted
        if field.name in entry
    }


def _value(value: object, field: Field[Any], place: str) -> object:
    """Return `value` in the type of the field's default, or raise."""
    assert field.default is not MISSING
    usual = field.default
    if isinstance(usual, Enum):
        choices = [member.value for member in type(usual)]
        if value not in choices:
            hint = _did_you_mean(str(value), choices)
            raise FaultPlanError(
                f"{place}: {field.name} must be one of {', '.join(choices)}, not {value!r}{hint}"
            )
        return type(usual)(value)
    if isinstance(usual, str):
        if not isinstance(value, str):
            raise FaultPlanError(f"{place}: {field.name} must be text, not {value!r}")
        return value
    is_whole = isinstance(usual, int)
    if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float):
        wanted = "a whole number" if is_whole else "a number"
        raise FaultPlanError(f"{place}: {field.name} must be {wanted}, not {value!r}")
    if math.isnan(value):
        raise FaultPlanError(f"{place}: {field.name} must be a number, not NaN")
    return value if is_whole else float(value)


def _refuse_impossible(fault: Fault, place: str) -> None:
    if fault.start_s < 0 or fault.stop_s <= fault.start_s:
        raise FaultPlanError(
            f"{place}: the window from start_s {fault.start_s} to stop_s {fault.stop_s} is empty"
        )
    if not 0 < fault.probability <= 1:
        raise FaultPlanError(f"{place}: probability must be above 0 and at most 1")
    status = getattr(fault.effect, "status", 200)
    if not 200 <= status <= 599:
        raise FaultPlanError(f"{place}: status must be an HTTP status from 200 to 599")
    for name in ("factor", "delay_s", "retry_after_s"):
        number = cast(float | None, getattr(fault.effect, name, None))
        if number is not None and not (math.isfinite(number) and number > 0):
            raise FaultPlanError(f"{place}: {name} must be positive, not {number!r}")


def _refuse_unknown(data: Mapping[str, object], names: Sequence[str], place: str) -> None:
    for key in data:
        if key not in names:
            known = ", ".join(names)
            hint = _did_you_mean(str(key), names)
            raise FaultPlanError(f"{place}: unknown key {key!r}{hint}; the keys are {known}")


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
