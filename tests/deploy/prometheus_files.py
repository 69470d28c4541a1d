"""The rules and alerts as they are shipped, read for tests and for the fault campaign."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from daemon.adapters.sinks.prometheus.catalog import CATALOG

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "docs" / "runbook.md"

_PROCESS = {
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert of `alerts.yml`."""

    name: str
    expr: str
    severity: str
    annotations: dict[str, str]


def load(name: str) -> Any:
    """Return what a YAML file of the folder holds."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def rules_of(name: str) -> list[dict[str, Any]]:
    """Return every rule of a file, in order."""
    return [rule for group in load(name)["groups"] for rule in group["rules"]]


def alert_rules() -> list[AlertRule]:
    """Return every alert, in order."""
    return [
        AlertRule(
            name=rule["alert"],
            expr=rule["expr"],
            severity=rule["labels"]["severity"],
            annotations=rule["annotations"],
        )
        for rule in rules_of("alerts.yml")
    ]


def recorded_names() -> set[str]:
    """Return the names of the recording rules."""
    return {rule["record"] for rule in rules_of("rules.yml")}


def exposed_names() -> set[str]:
    """Return every series name that a scrape of the daemon has."""
    names = set(_PROCESS)
    for metric in CATALOG:
        suffixes = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {metric.name + suffix for suffix in suffixes}
    return names


def unknown_names(expr: str) -> set[str]:
    """Return what `expr` asks for and neither the daemon nor a recording rule gives."""
    without_texts = re.sub(r'"[^"]*"', '""', expr)
    asked = re.findall(r"(?<![:\w])(?:(?:tickd|process)_\w+(?![:\w])|\w+:\w+:\w+)", without_texts)
    return set(asked) - exposed_names() - recorded_names()
