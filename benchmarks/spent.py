"""What a process that runs to its end has cost: CPU, memory and time, as the kernel counts them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.process import ROOT, ChildError
from daemon.app.cli.top import SPARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One process from its start to its end, with the processes that it started.

    `cpu_s` is user and system time of all of them, `rss_mib` the most that the largest had in
    memory; `told` is the line of JSON that it said, if it said one.
    """

    cpu_s: float
    wall_s: float
    rss_mib: float
    told: dict[str, Any]


def spent(arguments: Sequence[str], folder: Path | None = None) -> Spent:
    """Run a Python process to its end. Raises ChildError where it fails.

    What `tickd` spares each of its processes, all are spared, references too.
    """
    environment = {**os.environ, **SPARED, "PYTHONPATH": str(ROOT)}
    # As on any machine, the second start finds the byte code of the first.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, cwd=folder or ROOT, env=environment
    )
    assert process.stdout is not None
    with process.stdout as pipe:
        said = pipe.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ChildError(f"{' '.join(arguments)} ended with {process.returncode}")
    return Spent(
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.monotonic() - began_s,
        rss_mib=usage.ru_maxrss / 1024,
        told=orjson.loads(said) if said.startswith(b"{") else {},
    )


def in_turn(works: Sequence[Callable[[], Spent]], times: int) -> list[list[Spent]]:
    """Return what each of `works` cost, each so many times, one after the other in turn.

    So that what else the machine does hits all of them alike.
    """
    rounds = [[work() for work in works] for _ in range(times)]
    return [list(column) for column in zip(*rounds, strict=True)]


def load_note() -> str:
    """Return a line on how busy the machine is."""
    busy = os.getloadavg()[0]
    return (
        f"{busy:.1f} processes wanted to run on {os.cpu_count()} cores in the last minute; CPU"
        " seconds are the least of all runs, since what else runs can only add to them;"
        " all processes, references too, ran with OPENBLAS_NUM_THREADS=1, as tickd sets it"
    )
