"""Asks for known faults of everything that the locks name, and never takes silence for health.

pip-audit ends well where it found nothing because it could look at nothing. So it runs strictly,
and what it says it has looked at is counted against the lock.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 900.0
LINE_MAX = 200
COMMAND = (
    "-m",
    "pip_audit",
    "--strict",
    "--format=json",
    "--progress-spinner=off",
    "--require-hashes",
    "--disable-pip",
)


@dataclass(frozen=True, slots=True)
class Told:
    """How pip-audit ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many packages of a lock were looked at, and what is wrong, one line each."""

    looked_at: int
    faults: tuple[str, ...]


def pinned(lock: str) -> dict[str, str]:
    """Return the version of each package that the text of a lock names."""
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock))


def audit(lock: Path, environ: Mapping[str, str]) -> Verdict:
    """Ask about every package of `lock`. Raises subprocess.TimeoutExpired."""
    ended = subprocess.run(
        [sys.executable, *COMMAND, "--requirement", str(lock)],
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    told = Told(ended.returncode, ended.stdout, ended.stderr)
    return judge(pinned(lock.read_text(encoding="utf-8")), told)


def judge(wanted: Mapping[str, str], told: Told) -> Verdict:
    """Return what pip-audit's words mean for a lock that names the `wanted` versions."""
    try:
        rows: list[dict[str, Any]] = json.loads(told.out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (told.err.strip().splitlines() or ["it said nothing"])[-1]
        return Verdict(0, (f"nobody could look (exit {told.code}): {last[:LINE_MAX]}",))
    seen = {row["name"]: row["version"] for row in rows if "vulns" in row}
    unseen = [f"{name} {version}" for name, version in wanted.items() if seen.get(name) != version]
    faults = [
        f"{row['name']} {row['version']}: {fault['id']}, fixed in"
        f" {', '.join(fault['fix_versions']) or 'no version yet'}"
        for row in rows
        for fault in row.get("vulns", ())
    ]
    faults += [f"{name} was not looked at" for name in unseen]
    if not wanted:
        faults.append("the lock names nothing")
    if told.code != 0 and not faults:
        faults.append(f"pip-audit ended with {told.code}")
    return Verdict(len(seen), tuple(faults))
