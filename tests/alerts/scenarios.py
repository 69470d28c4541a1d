"""Which fault must set off which alerts."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.alerts import faults
from tests.alerts.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault in words, the alerts that it must set off, and how it is done."""

    name: str
    fault: str
    alerts: tuple[str, ...]
    act: Callable[[Stage], None]
    needs_root: bool = False


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="leaking",
        fault="a strategy keeps a mebibyte of every call",
        alerts=("TickdMemoryGrowth", "TickdStrategyGrowth"),
        act=faults.leaking,
    ),
    Scenario(
        name="hoarding",
        fault="a strategy starts tasks that never end and opens files that it never closes",
        alerts=("TickdStrategyTasks", "TickdOpenFiles"),
        act=faults.hoarding,
    ),
    Scenario(
        name="hemmed-in",
        fault="a strategy leaks into the memory limit of its service",
        alerts=("TickdMemoryHigh",),
        act=faults.hemmed_in,
        needs_root=True,
    ),
    Scenario(
        name="exchange-gone",
        fault="the exchange answers 503 and its socket falls silent",
        alerts=("TickdNotReady", "TickdMarketDataStale"),
        act=faults.exchange_gone,
    ),
    Scenario(
        name="disk-full",
        fault="somebody fills the disk of the state folder",
        alerts=("TickdPersistFailing", "TickdTickStale"),
        act=faults.disk_full,
        needs_root=True,
    ),
    Scenario(
        name="killed",
        fault="kill -9",
        alerts=("TickdDown",),
        act=faults.killed,
    ),
    Scenario(
        name="crashing",
        fault="kill -9 after every start",
        alerts=("TickdRestartLoop",),
        act=faults.crashing,
    ),
    Scenario(
        name="neighbour",
        fault="another program on the same address spends the request budget",
        alerts=("TickdRateLimitHeadroom", "TickdRateLimited"),
        act=faults.neighbour,
    ),
    Scenario(
        name="skewed",
        fault="the exchange's time is 5 s ahead",
        alerts=("TickdClockSkew",),
        act=faults.skewed,
    ),
    Scenario(
        name="brittle",
        fault="a strategy that breaks its task",
        alerts=("TickdTaskRestartLoop",),
        act=faults.brittle,
    ),
    Scenario(
        name="held-up",
        fault="the process is stopped for 0.7 s, again and again",
        alerts=("TickdEventLoopLag",),
        act=faults.held_up,
    ),
    Scenario(
        name="raising",
        fault="a strategy that raises at every call",
        alerts=("TickdErrorBurst", "TickdCircuitOpen"),
        act=faults.raising,
    ),
    Scenario(
        name="losing",
        fault="every trade loses 6 % and the risk profile has one place",
        alerts=("TickdRiskRefusals", "TickdDrawdown"),
        act=faults.losing,
    ),
    Scenario(
        name="damaged",
        fault="state files are cut off before a start",
        alerts=("TickdQuarantinedFile", "TickdTaskBlocked"),
        act=faults.damaged,
    ),
    Scenario(
        name="unheard",
        fault="the webhook's port is closed and the log goes to a full disk",
        alerts=("TickdSinkDropping", "TickdSinkBacklog"),
        act=faults.unheard,
    ),
)

WITHOUT_FAULT = ("TickdWatchdog", "TickdAbsent")
"""Seen by the campaign itself: one fires always, the other once nothing is scraped."""


def is_possible(scenario: Scenario) -> bool:
    """Say whether this machine can do the fault."""
    return not scenario.needs_root or os.geteuid() == 0
