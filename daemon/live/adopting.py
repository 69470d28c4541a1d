"""What is to run after a recovery: the plans as they were made, and a caretaker for each orphan."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from daemon.core.signal import Key
from daemon.live.caretaker import Caretaker
from daemon.live.crew import Crew
from daemon.live.recovery import Recovered, tell_faults
from daemon.live.staff import Plan


def adopted(plans: Mapping[Key, Plan], recovered: Recovered, crew: Crew) -> dict[Key, Plan]:
    """Return the plans of every task that is to run, and tell of every damaged file.

    What no configured strategy owns gets a caretaker, and so does what has no strategy to ask: it
    was not loaded, or took the daemon down too often.
    """
    faulty = {
        key: judged
        for key, plan in plans.items()
        if (judged := _judged(plan, recovered, crew)).fault
    }
    _tell(faulty.values(), crew)
    orphans = {
        key: Plan(key=key, make=Caretaker, risk_names=recovered.of(key).held.risk_names)
        for key in recovered.orphans
    }
    for key in orphans:
        crew.troubles.report(
            "orphan", key, "not configured any more; what it holds is watched to its end"
        )
    tell_faults(recovered, crew)
    return {**plans, **faulty, **orphans}


def _judged(plan: Plan, recovered: Recovered, crew: Crew) -> Plan:
    if plan.fault:
        # Which profiles its class names nobody knows: its position counts where it did.
        return replace(plan, risk_names=recovered.of(plan.key).held.risk_names)
    return replace(plan, fault=crew.hang_guard.find_fault(plan.key))


def _tell(faulty: Iterable[Plan], crew: Crew) -> None:
    """Tell of each fault once, however many tasks have it."""
    same: dict[str, list[Plan]] = {}
    for plan in faulty:
        is_refused = crew.hang_guard.is_refused(plan.key)
        same.setdefault(plan.key.strategy_name if is_refused else plan.fault, []).append(plan)
    for plans in same.values():
        more = f" (and {len(plans) - 1} more tasks)" if len(plans) > 1 else ""
        crew.troubles.report("strategy", plans[0].key, f"switched off: {plans[0].fault}{more}")
