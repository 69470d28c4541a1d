"""How a task stands, told from memory: for people, probes and gauges."""

from dataclasses import dataclass
from typing import Literal

from daemon.core.held import Held
from daemon.core.levels import progress_at
from daemon.core.signal import Key
from daemon.core.states import Active, Idle, row_of
from daemon.live.runner import Runner
from daemon.ports import TaskStatus

Condition = Literal["starting", "running", "backing_off", "circuit_open", "off", "stopped"]

TICKS_MISSED_MAX = 3


@dataclass(slots=True, kw_only=True)
class Slot:
    """One place of the supervisor: the task's runner, if it has one, and how it fares."""

    key: Key
    runner: Runner | None = None
    condition: Condition = "starting"
    reason: str = ""
    restarts: int = 0
    is_retiring: bool = False


def status_of(slot: Slot, now_s: float) -> TaskStatus:
    """Return how the task of `slot` stands at machine time `now_s`."""
    runner = slot.runner
    if runner is None:
        return _absent(slot)
    held = runner.keeper.held
    row = row_of(held.state)
    price = runner.feed.price
    condition = condition_of(slot, now_s)
    is_over = condition == "stopped"  # it has nothing left to tick for: no age to be alarmed by
    reason = _reason(slot, runner, condition, now_s)
    percents = (0.0, 0.0)
    if isinstance(held.state, Active) and price is not None:
        progress = progress_at(held.state.signal, price)
        percents = (progress.percent_tp, progress.percent_sl)
    confirmed_s = runner.feed.confirmed_at_s
    return TaskStatus(
        symbol=slot.key.symbol,
        strategy_name=slot.key.strategy_name,
        state=held.state.kind,
        condition=condition,
        is_ready=not reason,
        reason=reason,
        price=price,
        price_age_s=None if confirmed_s is None else max(0.0, now_s - confirmed_s),
        tick_age_s=None if runner.ticked_at_s is None or is_over else now_s - runner.ticked_at_s,
        last_decision_ms=runner.decided_at_ms,
        next_ask_ms=runner.next_ask_ms() if isinstance(held.state, Idle) else None,
        restarts=slot.restarts,
        signal_id="" if row is None else row.id,
        position="" if row is None else row.position,
        price_open=None if row is None else row.price_open,
        price_take_profit=None if row is None else row.price_take_profit,
        price_stop_loss=None if row is None else row.price_stop_loss,
        percent_tp=percents[0],
        percent_sl=percents[1],
        is_paused=held.is_paused,
        is_blocked=bool(runner.block),
        last_price=runner.feed.last_price,
    )


def condition_of(slot: Slot, now_s: float) -> Condition:
    """Return the condition of a slot, as seen from its runner too."""
    runner = slot.runner
    if slot.condition != "running" or runner is None:
        return slot.condition
    if runner.asking.is_off:
        return "off"
    if runner.asking.is_circuit_open(now_s):
        return "circuit_open"
    return "running"


def _reason(slot: Slot, runner: Runner, condition: Condition, now_s: float) -> str:
    """Return why the task is not ready, or "" when it is."""
    by_person = _switched_off(slot.key, runner.keeper.held)
    if condition == "stopped":
        return by_person or "has ended"
    if condition in ("off", "circuit_open"):
        return _left_alone(slot, runner)
    if condition != "running":
        return slot.reason or condition.replace("_", " ")
    return _trouble(runner, now_s) or by_person


def _trouble(runner: Runner, now_s: float) -> str:
    """Return what keeps a running task from deciding, "" if nothing does."""
    if runner.block:
        return f"state is not trusted: {runner.block}"
    if not runner.feed.is_fresh():
        return runner.feed.reason or "no fresh price"
    if runner.ticked_at_s is None:
        return "has not ticked yet"
    late_s = now_s - runner.ticked_at_s
    if late_s > TICKS_MISSED_MAX * runner.quiet_s:
        return f"has not ticked for {late_s:.0f} s"
    return ""


def _left_alone(slot: Slot, runner: Runner) -> str:
    """Say why the daemon itself does not ask the strategy."""
    asking = runner.asking
    if asking.is_off:
        why = f"{asking.leaked} of its threads never came back; a restart asks it again"
    elif slot.condition == "running":
        why = f"{asking.failures} failures in a row; it is tried again by itself"
    else:
        why = slot.reason or slot.condition.replace("_", " ")
    return f"switched off by the daemon: {why}"


def _switched_off(key: Key, held: Held) -> str:
    """Say that a person wants no new signals of the task, and how to undo it; "" if none does."""
    if not (held.is_stopped or held.is_paused):
        return ""
    word, command = ("stopped", "start-task") if held.is_stopped else ("paused", "resume")
    target = f"{key.symbol} {key.strategy_name}"
    return f"switched off by a person ({word}): tickd {command} {target}"


def _absent(slot: Slot) -> TaskStatus:
    return TaskStatus(
        symbol=slot.key.symbol,
        strategy_name=slot.key.strategy_name,
        state="idle",
        condition=slot.condition,
        is_ready=False,
        reason=slot.reason or "starting",
        price=None,
        price_age_s=None,
        tick_age_s=None,
        last_decision_ms=None,
        next_ask_ms=None,
        restarts=slot.restarts,
        signal_id="",
        position="",
        price_open=None,
        price_take_profit=None,
        price_stop_loss=None,
        percent_tp=0.0,
        percent_sl=0.0,
        is_paused=False,
        is_blocked=False,
    )
