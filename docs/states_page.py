"""Makes `states.md` from the unions and the one function that moves between them."""
# ruff: noqa: INP001 - a script beside the pages that it writes, not a package

from collections.abc import Iterator
from dataclasses import replace
from inspect import getdoc
from typing import get_args

from daemon.core.events import name_of
from daemon.core.lifecycle import MisuseError, step
from daemon.core.rules import Rules
from daemon.core.signal import SignalRow
from daemon.core.states import (
    Active,
    Cancel,
    Close,
    Closing,
    Filled,
    Given,
    Idle,
    Observation,
    Opening,
    Proposal,
    Refused,
    Scheduled,
    State,
    at_risk,
    tick,
)

_ROW = SignalRow(
    id="s",
    label="",
    symbol="BTC/USDT",
    strategy_name="example",
    exchange_name="sandbox",
    position="long",
    price_open=100.0,
    price_take_profit=102.0,
    price_stop_loss=98.0,
    minute_estimated_time=60,
    note="",
    scheduled_at=0,
    pending_at=0,
    is_scheduled=False,
)
_WAITING = replace(_ROW, is_scheduled=True)
_BAR = Observation(at_ms=0, span_ms=60_000, price_start=100, price=100, low=97, high=103)

_STATES: tuple[State, ...] = (
    Idle(),
    Scheduled(signal=_WAITING),
    Opening(signal=_ROW, seen=tick(0, 100.0)),
    Opening(signal=replace(_ROW, pending_at=60_000), seen=_BAR),
    Active(signal=_ROW),
    Closing(signal=_ROW, reason="take_profit", price=102.0, at_ms=0),
)
_GIVEN: tuple[Given, ...] = (
    *(tick(1, price) for price in (97.0, 99.0, 100.0, 100.5, 101.0, 103.0)),
    tick(100_000_000, 100.5),
    _BAR,
    Proposal(row=_ROW, seen=tick(0, 100.0)),
    Proposal(row=_WAITING, seen=tick(0, 101.0)),
    Refused(reason="a limit"),
    Filled(price=100.0, at_ms=0),
    Cancel(reason="user", at_ms=0, price=100.0),
    Close(reason="user", at_ms=0, price=100.0),
)
_RULES = (Rules(), Rules(intrabar="worst_case"))

_HEAD = """\
# The states of a signal

Generated from the code by `python -m docs.generate`; a test compares the two. One (symbol,
strategy) is in one of these states. What can be given to it are observations of the market, a
strategy's proposal, the answers of risk and broker, and commands; `daemon/core/lifecycle.py` is
the one function that decides what becomes of them, live and in history alike.
"""


def render_states() -> str:
    """Return `states.md`: every state, every input, and what the one makes of the other."""
    found = _transitions()
    parts = [_HEAD, "\n```mermaid\nstateDiagram-v2\n    [*] --> idle\n"]
    parts += [f"    {line}\n" for line in _arrows(found)]
    parts.append("```\n\n| state | what it means | money at risk |\n|---|---|---|\n")
    for kind in get_args(State):
        sample = next(state for state in _STATES if isinstance(state, kind))
        risk = "yes" if at_risk(sample) else "no"
        parts.append(f"| `{sample.kind}` | {_summary(kind)} | {risk} |\n")
    parts.append("\n| given | what it means |\n|---|---|\n")
    parts += [f"| `{kind.__name__}` | {_summary(kind)} |\n" for kind in get_args(Given)]
    parts.append("\n| in | given | then | told |\n|---|---|---|---|\n")
    for (before, given), outcomes in found.items():
        for after, told in sorted(outcomes):
            parts.append(f"| `{before}` | `{given}` | {after} | {told} |\n")
    return "".join(parts)


def _transitions() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return what `step` makes of each state and each kind of input, found by trying."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for state in _STATES:
        for given in _GIVEN:
            outcomes = found.setdefault((state.kind, type(given).__name__), set())
            outcomes |= set(_outcomes(state, given))
    return found


def _outcomes(state: State, given: Given) -> Iterator[tuple[str, str]]:
    for rules in _RULES:
        try:
            after = step(state, given, rules)
        except MisuseError:
            yield "refused: a bug of the driver", ""
            continue
        told = list(dict.fromkeys(name_of(event) for event in after.events))
        yield f"`{after.state.kind}`", ", ".join(f"`{name}`" for name in told)


def _arrows(found: dict[tuple[str, str], set[tuple[str, str]]]) -> list[str]:
    labels: dict[tuple[str, str], list[str]] = {}
    for (before, given), outcomes in found.items():
        for after in sorted({name.strip("`") for name, _ in outcomes}):
            if after != before and not after.startswith("refused"):
                names = labels.setdefault((before, after), [])
                names.append(given)
    return [f"{one} --> {two}: {', '.join(names)}" for (one, two), names in labels.items()]


def _summary(kind: type) -> str:
    lines = (getdoc(kind) or "").splitlines()
    return lines[0] if lines else ""
