"""The shipped rules with shorter times, so that a fault of seconds makes them fire.

Every duration of an expression and every `for` is divided by `FACTOR`: half an hour becomes half a
minute. Ranges stay long enough for a few scrapes. Nothing else changes: names, labels, thresholds
and the shape of every expression are those that are shipped.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.prometheus_files import FOLDER

FACTOR = 60
SCRAPE_S = 0.5
RANGE_S_MIN = 4.0
FOR_S_MIN = 1.0

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PART = re.compile(r"(\d+)([smhd])")
_DURATION = re.compile(r"(?<=\[)(?:\d+[smhd])+(?=\])|(?<=offset )(?:\d+[smhd])+")


def seconds_of(duration: str) -> int:
    """Return how many seconds a duration of Prometheus is, as in `1h30m`."""
    return sum(int(count) * _UNITS_S[unit] for count, unit in _PART.findall(duration))


def shortened_expr(expr: str) -> str:
    """Return `expr` with every range and offset shortened."""
    return _DURATION.sub(lambda found: _shortened(found[0], RANGE_S_MIN), expr)


def shortened_rules(name: str) -> str:
    """Return the YAML text of the shipped file `name` with all its times shortened."""
    rules: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    for group in rules["groups"]:
        group["interval"] = _milliseconds(SCRAPE_S)
        for rule in group["rules"]:
            rule["expr"] = shortened_expr(rule["expr"])
            if "for" in rule:
                rule["for"] = _shortened(rule["for"], FOR_S_MIN)
    text: str = yaml.safe_dump(rules, sort_keys=False)
    return text


def write_configuration(folder: Path, alertmanager: str) -> Path:
    """Write the shipped configuration for a loopback Prometheus; targets come from a file."""
    config: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))
    for key in ("scrape_interval", "scrape_timeout", "evaluation_interval"):
        config["global"][key] = _milliseconds(SCRAPE_S)
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    ours = next(job for job in config["scrape_configs"] if job["job_name"] == "tickd")
    del ours["static_configs"]
    ours["file_sd_configs"] = [{"files": ["targets.json"]}]
    config["scrape_configs"] = [ours]
    for name in config["rule_files"]:
        (folder / name).write_text(shortened_rules(name), encoding="utf-8")
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _shortened(duration: str, least_s: float) -> str:
    return _milliseconds(max(least_s, seconds_of(duration) / FACTOR))


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
