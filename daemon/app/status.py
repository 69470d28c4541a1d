"""How the whole daemon stands: the one answer behind /status, /readyz and the gauges."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daemon.live.alerts import AlertPump
from daemon.live.fanout import Fanout
from daemon.live.health import Health
from daemon.live.holdings import HoldingsWatch
from daemon.live.loop_monitor import LoopMonitor
from daemon.live.supervisor import Supervisor
from daemon.ports import Clock, DaemonStatus, TaskStatus

BEAT_AGE_S_MAX = 5.0
"""A loop that has not beaten for so long is not live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What this daemon is."""

    version: str
    exchange: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauged:
    """The parts that the status is read off."""

    clock: Clock
    fanout: Fanout
    health: Health
    monitor: LoopMonitor
    supervisor: Supervisor
    holdings: HoldingsWatch
    alerts: tuple[AlertPump, ...] = ()


class LiveStatus:
    """Answers from memory, at once."""

    def __init__(self, identity: Identity, parts: Gauged) -> None:
        self._identity = identity
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()

    def snapshot(self) -> DaemonStatus:
        """Return how everything stands now."""
        now_s = self._loop.time()
        parts = self._parts
        tasks = parts.supervisor.snapshot()
        reasons = reasons_of(tasks)
        reasons += [f"{writer}: {text}" for writer, text in parts.health.failing.items()]
        if not parts.supervisor.has_recovered.is_set():
            reasons.insert(0, "recovering")
        return DaemonStatus(
            version=self._identity.version,
            exchange=self._identity.exchange,
            mode=self._identity.mode,
            market_time_ms=parts.clock.now_ms(),
            speed=parts.clock.speed,
            uptime_s=now_s - self._started_s,
            loop_lag_s=parts.monitor.lag_s,
            is_live=now_s - parts.monitor.beat_s < BEAT_AGE_S_MAX,
            is_ready=not reasons,
            reasons=tuple(reasons),
            open_count=sum(task.state not in ("idle", "scheduled") for task in tasks),
            waiting_count=sum(task.state == "scheduled" for task in tasks),
            tasks=tasks,
            sinks=(*parts.fanout.statuses, *(pump.status for pump in parts.alerts)),
            orphans=tuple(str(key) for key in parts.supervisor.orphans),
            holdings=parts.holdings.holdings,
        )


def reasons_of(tasks: Iterable[TaskStatus]) -> list[str]:
    """Return why tasks are not ready, each reason once: with its task, or with their number."""
    by_reason: dict[str, list[TaskStatus]] = {}
    for task in tasks:
        if not task.is_ready:
            # Where it ends in a command for its task, it is the same reason as that of others.
            shared = task.reason.removesuffix(f" {task.symbol} {task.strategy_name}")
            by_reason.setdefault(shared, []).append(task)
    return [_reason_of(same, shared) for shared, same in by_reason.items()]


def _reason_of(tasks: Sequence[TaskStatus], reason: str) -> str:
    if len(tasks) == 1:
        return f"{tasks[0].symbol} {tasks[0].strategy_name}: {tasks[0].reason}"
    symbols = {task.symbol for task in tasks}
    names = {task.strategy_name for task in tasks}
    shared = [next(iter(each)) for each in (symbols, names) if len(each) == 1]
    whose = " ".join([*shared, f"({len(tasks)} tasks)"]) if shared else f"{len(tasks)} tasks"
    target = "" if reason == tasks[0].reason else f" {' '.join(shared) or '--all'}"
    return f"{whose}: {reason}{target}"
